"""The rows of the JSON documents that say how something was judged: checks, rules, metrics, problems."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

StatusWord = Literal["pass", "fail", "unknown", "skipped", "waived"]
ReasonWord = Literal["inconclusive", "nodata", "error"]


class Doc(msgspec.Struct, kw_only=True):
    """The base of everything that JSON shows."""


class LastGood(Doc):
    """When a check passed last, and what it saw then. `at` is RFC 3339, UTC."""

    at: str
    observed: str


class HappenedRow(Doc):
    """One event since a check passed last, in words. `at` is RFC 3339, UTC."""

    at: str
    kind: str
    who: str
    text: str


class CheckRow(Doc):
    """One check. `reason` only where the status is unknown: inconclusive, nodata or error.

    `file` and `line` are where the playbook has it. `counts` is false where the verdict does not rest on it: a warning,
    or what was left to people. `phases` are the
    parts of a request in milliseconds, `phase` the one in which it ended badly. A row that does not hold has
    `last_good` (null: never seen to pass; left out where nobody can tell) and the newest events since then, of which
    `since_then_more` are not listed.
    """

    id: str
    title: str
    kind: str
    status: StatusWord
    reason: ReasonWord | None = None
    observed: str = ""
    expected: str = ""
    message: str = ""
    duration_ms: float = 0.0
    level: str = "error"
    advice: str | None = None
    listed: list[str] = msgspec.field(default_factory=list)
    checks: list[CheckRow] = msgspec.field(default_factory=list)
    checklist: str = ""
    file: str | None = None
    line: int | None = None
    counts: bool = True
    phases: dict[str, float] = msgspec.field(default_factory=dict)
    phase: str = ""
    last_good: LastGood | UnsetType | None = UNSET
    since_then: list[HappenedRow] = msgspec.field(default_factory=list)
    since_then_more: int = 0


class RuleRow(Doc):
    """One gate, trigger or other rule, judged. `age` is in seconds, `n` the samples it rests on.

    A row of the matrix has a `severity`, and `due` is when the time of people runs out (RFC 3339).
    """

    id: str
    title: str
    kind: str
    status: StatusWord
    reason: ReasonWord | None = None
    observed: str = ""
    expected: str = ""
    message: str = ""
    n: int | None = None
    age: float | None = None
    counts: bool = True
    remedy: str = ""
    severity: str | None = None
    due: str | None = None


class MetricRow(Doc):
    """One metric now. `level` is ok, missed, warning, critical or unknown; `value` in the metric's unit.

    Of captured numbers (`reference`: baseline, or a stage) `value` is the mean of `n` samples, `spread` their standard
    deviation, and `level` is shown. In `now`, `since` is when the limit was first breached and `before` what was seen
    before that. `counts` is false where the verdict does not rest on it.
    """

    name: str
    level: str
    status: StatusWord
    value: float | str | None = None
    unit: str | None = None
    observed: str = ""
    target: str | None = None
    warning: str | None = None
    critical: str | None = None
    reason: ReasonWord | None = None
    message: str = ""
    age: float | None = None
    n: int | None = None
    spread: float | None = None
    reference: str | None = None
    since: str | None = None
    before: str = ""
    counts: bool = True


class ProblemRow(Doc):
    """One thing that is wrong in a playbook, or with what was typed. `counts`: the exit status rests on it."""

    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    hint: str = ""
    level: str = "error"
    counts: bool = True


class RequestRow(Doc):
    """What a check asks, as the shell line that asks the same by hand; empty where there is none."""

    id: str
    title: str
    kind: str
    line: str
