"""From open to post-mortem: severity, clocks, timeline."""
