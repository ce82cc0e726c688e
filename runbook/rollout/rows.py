"""Rows of a decision: one rule with its value, its limit and what it says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runbook.checks.base import CheckResult
from runbook.judge.verdicts import STATUS_OF, Judged, Reason, Status, Verdict, verdict_of


@dataclass(frozen=True)
class Row:
    """One rule, judged. `counts` is false for what is shown apart (`level: warn`, `dry_run`); `remedy` is what to type.

    `can_override` tells that the playbook allows `--override` for it. A row of the matrix has a `severity`, and `due`
    says until when people have time (seconds since the epoch).
    """

    id: str
    title: str
    kind: str
    status: Status
    observed: str = ""
    expected: str = ""
    message: str = ""
    reason: Reason | None = None
    n: int | None = None
    age: float | None = None
    counts: bool = True
    can_override: bool = False
    remedy: str = ""
    severity: str | None = None
    due: float | None = None


@dataclass(frozen=True)
class Decision:
    """May the step be made? Every rule is there, not only the first that says no."""

    came_from: str
    to: str
    rows: tuple[Row, ...]
    checks: tuple[CheckResult, ...] = ()

    @property
    def verdict(self) -> Verdict:
        return verdict_of([*counted(self.rows), *counted_checks(self.checks)])

    def receipt(self) -> tuple[Row, ...]:
        """Everything the decision rested on, the required checks too, as rows to be recorded."""
        checks = (
            Row(
                one.check.full_id,
                one.check.title,
                "check",
                one.status,
                one.observed,
                one.expected,
                one.message,
                one.reason,
            )
            for one in self.checks
        )
        return (*self.rows, *checks)

    def against(self) -> list[Row]:
        """The rows that do not let us go on."""
        return [row for row in self.rows if row.counts and row.status in (Status.FAIL, Status.UNKNOWN)]


def counted(rows: Iterable[Row]) -> list[Status]:
    return [row.status for row in rows if row.counts]


def counted_checks(results: Iterable[CheckResult], *, strict: bool = False) -> list[Status]:
    """The statuses that make the verdict; warnings count only under `strict`, those inside a list of checks too."""
    if not strict:
        return [row.status for row in results if row.check.level != "warn"]
    return [status for row in results for status in (row.status, *counted_checks(row.nested, strict=True))]


def verdict_of_checks(results: Sequence[CheckResult], *, strict: bool = False) -> Verdict:
    """What checks that were chosen say together: unknown where all of them were passed over.

    No check at all is a list that asks nothing, and says nothing against going on.
    """
    if passed_all_over(results):
        return Verdict.UNKNOWN
    return verdict_of(counted_checks(results, strict=strict))


def passed_all_over(results: Sequence[CheckResult]) -> bool:
    """Whether there are checks of the playbook's lists, and neither one of them nor any other row was looked at."""
    return any(row.check.checklist for row in results) and all(_is_passed_over(row) for row in results)


def _is_passed_over(row: CheckResult) -> bool:
    return row.status is Status.SKIPPED and all(_is_passed_over(one) for one in row.nested)


def judged_row(
    identity: str, title: str, kind: str, judged: Judged, *, counts: bool = True, can_override: bool = False
) -> Row:
    """A row from a judged condition."""
    return Row(
        id=identity,
        title=title,
        kind=kind,
        status=STATUS_OF[judged.truth],
        observed=judged.observed,
        expected=judged.limit,
        message=judged.message,
        reason=judged.reason,
        n=judged.n,
        age=judged.age,
        counts=counts,
        can_override=can_override,
    )
