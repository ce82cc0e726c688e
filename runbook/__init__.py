"""runbook: the runbook of a service, turned into commands."""

__version__ = "0.1.0"
