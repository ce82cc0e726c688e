"""What was typed names nothing that there is."""

from __future__ import annotations

from collections.abc import Iterable

from runbook.system.refusals import Refusal


class Mistyped(Refusal):
    """A refusal of what these options were given, which is not repeated in what is to be typed next."""

    def __init__(self, message: str, *options: str, next_steps: Iterable[str]) -> None:
        super().__init__(message, next_steps=list(next_steps))
        self.options = options
