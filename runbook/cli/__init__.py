"""What is typed: one file a command; parse, call, show."""
