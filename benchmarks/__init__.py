"""Figures beside each other: what the tool takes, as a ratio to something plain that runs in the same series."""
