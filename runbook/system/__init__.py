"""The machine: files, processes, HTTP, clock, signals, secrets, settings, harmless text."""
