"""`python -m runbook`."""

from runbook.cli.main import run

run()
