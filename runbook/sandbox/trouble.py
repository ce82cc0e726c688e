"""What goes wrong with a sandbox in a way that its operator can mend."""

from __future__ import annotations


class SandboxTrouble(Exception):  # noqa: N818 - it is no error of the program
    """An expected refusal: `reason` is what is true now, `hint` the next thing to type (may be empty)."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class PortTaken(SandboxTrouble):
    """Something else listens on the port."""
