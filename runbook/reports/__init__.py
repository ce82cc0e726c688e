"""What is written: reports rendered from templates."""
