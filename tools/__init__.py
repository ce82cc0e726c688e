"""What the Makefile calls: set-up, the programs that tests need, completion scripts."""
