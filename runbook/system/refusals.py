"""How a command ends: the exit statuses, and the exceptions that carry one to the boundary in `cli`."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from runbook.judge.verdicts import Verdict
from runbook.language.places import Problem


class Exit(IntEnum):
    """The exit status of every command."""

    GO = 0  # done, or all checks and gates hold
    NO_GO = 1  # a check, gate or rule says no; nothing was broken by us
    USAGE = 2  # wrong arguments, an invalid playbook, a needed answer could not be asked
    UNKNOWN = 3  # nothing says no, but something could not be measured
    FAILED = 4  # an action failed, or an operation stands half done
    BUSY = 5  # another operator holds this service and environment
    BUG = 70  # an unexpected error of ours
    INTERRUPTED = 130  # Ctrl-C, after the current step was made safe
    TERMINATED = 143  # termination, likewise

    @property
    def reason(self) -> str:
        """The name used for `exit_reason` in JSON."""
        return "interrupted" if self is Exit.TERMINATED else self.name.lower().replace("_", "-")

    @property
    def verdict(self) -> str:
        """The `verdict` in JSON: go, no-go or unknown; everything else is failed."""
        return self.reason if self in (Exit.GO, Exit.NO_GO, Exit.UNKNOWN) else "failed"


def exit_of(verdict: Verdict) -> Exit:
    """The exit status of a decision: go, no-go, and unknown for the rest."""
    return {Verdict.GO: Exit.GO, Verdict.NO_GO: Exit.NO_GO}.get(verdict, Exit.UNKNOWN)


class Refusal(Exception):  # noqa: N818 - it is told, not a fault of ours
    """An expected end of a command: what, why, and what to type next.

    `problems` are shown together; `next_steps` are commands or sentences an operator can act on.
    """

    def __init__(
        self,
        message: str,
        *,
        exit_: Exit = Exit.USAGE,
        problems: Sequence[Problem] = (),
        next_steps: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.exit = exit_
        self.problems = tuple(problems)
        self.next_steps = tuple(next_steps)
