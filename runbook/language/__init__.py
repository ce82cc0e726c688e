"""Pure language: places in a text, units, durations, substitution, conditions."""
