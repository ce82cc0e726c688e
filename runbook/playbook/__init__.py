"""The language of a whole playbook: read with places, validated, with its schema."""
