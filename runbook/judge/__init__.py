"""Pure decisions: verdicts, windows, rules, gates, statistics."""
