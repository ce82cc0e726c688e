"""Kinds of check, one file each, and the runner that asks them all at once."""
