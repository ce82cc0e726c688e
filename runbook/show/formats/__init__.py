"""Formats for other programs: each is a pure function from a command's document to text."""
