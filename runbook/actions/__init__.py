"""Kinds of action, one file each, and the runner with its journal."""
