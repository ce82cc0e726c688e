"""Kinds that look at this machine and this project."""
