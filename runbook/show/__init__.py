"""What is printed: terminal, plain, Markdown, JSON."""
