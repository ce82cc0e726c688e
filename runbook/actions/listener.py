"""Who hears what an operation does while it does it. The default hears nothing."""

from __future__ import annotations

from runbook.actions.steps import StepRecord


class Listener:
    """Told of each step as it begins and ends; shows it, or does not."""

    def begun(self, record: StepRecord) -> None:
        """A step begins."""

    def line(self, text: str) -> None:
        """A line of output of what the step started; masked and harmless already."""

    def ended(self, record: StepRecord, mark: str, message: str, seconds: float) -> None:
        """A step ended; `mark` is ok, NO, ?? or --."""

    def say(self, text: str) -> None:
        """A sentence beside the steps."""
