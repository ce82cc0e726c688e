"""A walk over some steps in a folder, with what it needs of the world."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runbook.actions.journal import Journal, read_journal
from runbook.actions.listener import Listener
from runbook.actions.runner import Means, StepResult, walk
from runbook.actions.steps import Plan, Step
from runbook.checks.base import Check, CheckResult
from runbook.checks.here.file import File
from runbook.judge.verdicts import Status
from tests.actions.making import hands, journal_of


@dataclass
class Walked:
    """One walk in a folder, with what it needs."""

    folder: Path
    fences: list[str] = field(default_factory=list)
    looks: list[float] = field(default_factory=list)
    answers: list[Sequence[Status]] = field(default_factory=list)
    stop: Callable[[], bool] = bool
    journal: Journal = field(init=False, repr=False)

    def means(self, listener: Listener | None = None) -> Means:
        return Means(
            hands=hands(self.folder, stopping=self.stop),
            look=self.look,
            fence=self.fences.append,
            wall=time.time,
            listener=listener or Listener(),
        )

    def look(self, checks: Sequence[Check], seconds: float) -> list[CheckResult]:
        """The answers one after the other, then the last again; without answers what the checks themselves see."""
        self.looks.append(seconds)
        if not self.answers:
            return [CheckResult(check, is_there(self.folder, check)) for check in checks]
        statuses = self.answers[min(len(self.looks), len(self.answers)) - 1]
        return [CheckResult(check, status) for check, status in zip(checks, statuses, strict=False)]

    def do(self, *steps: Step, go_on: bool = False, listener: Listener | None = None) -> list[StepResult]:
        plan = Plan("ramp", "off@0", "canary@5", steps)
        self.journal = journal_of(self.folder, plan.records())
        return walk(plan, self.journal, self.means(listener), go_on=go_on)

    def states(self) -> list[tuple[str, int | None]]:
        read = read_journal(self.journal.path)
        assert read is not None
        return [(entry.state, entry.step) for entry in read.entries]


def is_there(folder: Path, check: Check) -> Status:
    return Status.PASS if (folder / check.options.file).exists() else Status.FAIL


def there(name: str, *, level: str = "error") -> Check:
    return Check(title=name, id=name, kind="file", options=File(file=name), level=level)
