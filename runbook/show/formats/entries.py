"""What a document says, row by row, in one shape for every format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from msgspec import UnsetType

from runbook.show.advice import advice_on
from runbook.show.document_rows import CheckRow, MetricRow, ProblemRow, RuleRow
from runbook.show.documents import Document
from runbook.show.formats.since import Ended, since_lines

OK, NO, UNKNOWN, WARNING, SKIPPED, WAIVED = "ok", "no", "unknown", "warning", "skipped", "waived"
MARKS = {OK: "ok", NO: "NO", UNKNOWN: "??", WARNING: "NO", SKIPPED: "--", WAIVED: "~"}
# What the words for where a service stands come to; the others are well.
STATES = {"UNSAFE": NO, "SERVICE DOWN": NO, "CUT OFF": NO, "UNKNOWN": UNKNOWN, "STALE": WARNING, "HELD": WARNING}
LEFT_TO_PEOPLE, NOT_FROM_HERE = "left to people, not counted", "cannot be seen from here, not counted"
MOST_LISTED = 20
RULES = ("trigger", "matrix")  # a rule that is quiet holds by not being true


@dataclass(frozen=True)
class Entry:
    """One row. `outcome` is one of the words above, counting taken into account; `seconds` is how long it took.

    `group` is the checklist or the kind of rule; `told` are the lines under the row: why, what is listed, what to do.
    """

    group: str
    name: str
    title: str
    kind: str
    outcome: str
    observed: str = ""
    expected: str = ""
    message: str = ""
    reason: str = ""
    seconds: float | None = None
    advice: str = ""
    level: str = "error"
    status: str = ""
    file: str | None = None
    line: int | None = None
    column: int | None = None
    listed: tuple[str, ...] = ()
    since: tuple[str, ...] = ()
    phase: str = ""

    @property
    def holds(self) -> bool:
        return self.outcome not in (NO, UNKNOWN, WARNING)

    @property
    def mark(self) -> str:
        """The mark of the row: what is unknown stays so where it only warns."""
        return MARKS[UNKNOWN if self.outcome == WARNING and self.status == UNKNOWN else self.outcome]

    @property
    def place(self) -> str:
        """`FILE:LINE:COLUMN` of a problem, `FILE:LINE` of a check."""
        column = f":{self.column}" if self.column else ""
        return f"{self.file}:{self.line or 1}{column}" if self.file else ""

    @property
    def line_of_text(self) -> str:
        """The row on one line: mark, title, what was seen, what was wanted."""
        warns = " (warn)" if self.outcome == WARNING else ""
        title = f"{self.place}: {self.title}" if self.kind == "problem" and self.file else self.title
        return "  ".join(filter(None, (self.mark, f"{title}{warns}", self.said, self.expected)))

    @property
    def passed_over(self) -> str:
        """Why it was skipped or waived, beginning with which of the two."""
        return self.said if self.said.startswith(self.outcome) else f"{self.outcome}: {self.said}".rstrip(": ")

    @property
    def said(self) -> str:
        """What was seen, or why nothing was."""
        return self.observed or self.message

    def told(self) -> list[str]:
        """The lines that belong to the row."""
        why = [self.message] if self.message not in ("", self.said) else []
        ended = [f"it ended in the phase {self.phase}"] if self.phase else []
        listed = [f"- {entry}" for entry in self.listed[:MOST_LISTED]]
        advice = [f"do: {self.advice}"] if self.advice and not self.holds else []
        return [*why, *ended, *listed, *self.since, *advice]


def entries_of(document: Document) -> list[Entry]:
    """Every row of a document that holds or does not: checks (nested ones as rows of their own), rules, metrics, tests
    and problems.

    Metrics are rows only where no rules were judged on them: there they are what the rules rest on. Of a command that
    tells where a service stands it is the state alone: its rules are those that are still waited for.
    """
    if isinstance(document.state, str):
        return [_of_state(document, document.state)]
    ended = document.started_at, document.duration_ms
    found = [*_checks(_listed(document.checks), ended), *_checks(_listed(document.tests), ended)]
    found += [_of_rule(row) for row in _listed(document.rules)]
    if isinstance(document.rules, UnsetType):
        found += [_of_metric(row) for row in _listed(document.metrics)]
    return [*found, *(_of_problem(row) for row in _listed(document.problems))]


def entries_or_verdict(document: Document) -> list[Entry]:
    """The rows; and one for the verdict itself where no row tells it, so that no reader takes an end for a pass."""
    entries = entries_of(document)
    if document.exit_reason == "go":
        return entries or [_of_verdict(document, OK)]
    if any(entry.outcome in (NO, UNKNOWN) for entry in entries):
        return entries
    return [*entries, _of_verdict(document, NO if document.exit_reason == "no-go" else UNKNOWN)]


def _of_state(document: Document, state: str) -> Entry:
    """Where a service stands, as `status` and `now` tell it."""
    since = document.since if isinstance(document.since, str) else ""
    return Entry(
        group="state",
        name="state",
        title="state",
        kind="state",
        outcome=STATES.get(state, OK),
        observed=f"{state} since {since}" if since else state,
        message=document.message,
        level="warn" if STATES.get(state) == WARNING else "error",
        status=state,
    )


def _of_verdict(document: Document, outcome: str) -> Entry:
    return Entry(
        group="verdict",
        name=document.exit_reason,
        title=f"runbook {document.command}".strip(),
        kind="verdict",
        outcome=outcome,
        message=document.message,
        status=document.exit_reason,
    )


def heading_of(document: Document) -> str:
    """`NO-GO · preflight · checkout · production`."""
    word = "NO-GO" if document.verdict == "no-go" else document.verdict.upper()
    return " · ".join(filter(None, (word, document.command, document.service, document.environment)))


def next_of(document: Document) -> list[str]:
    """The commands to type next."""
    return _listed(document.next)


def _listed(rows: Iterable[object] | UnsetType) -> list:  # type: ignore[type-arg]
    return [] if isinstance(rows, UnsetType) else list(rows)


def outcome_of(status: str, *, counts: bool, level: str) -> str:
    """The word for a status: what does not hold and does not count is a warning, or was left out."""
    if status in ("fail", "unknown") and not counts:
        return WARNING if level == "warn" else SKIPPED
    return {"pass": OK, "fail": NO}.get(status, status)


def _checks(rows: Iterable[CheckRow], ended: Ended, above: str = "", warns: bool = False) -> Iterator[Entry]:
    """The rows; of a list of checks those in it, which warn where it does. A test is one row, whatever it expects."""
    for row in rows:
        title, level = f"{above}{row.title}", "warn" if warns else row.level
        if row.checks and row.kind != "test":
            yield from _checks(row.checks, ended, f"{title}: ", level == "warn")
        else:
            yield _of_check(row, title, level, ended)


def _of_check(row: CheckRow, title: str, level: str, ended: Ended) -> Entry:
    outcome = outcome_of(row.status, counts=row.counts, level=level)
    left_out = outcome == SKIPPED and row.status != "skipped"
    return Entry(
        group=row.checklist or "checks",
        name=row.id,
        title=title,
        kind=row.kind,
        outcome=outcome,
        observed="" if left_out else row.observed,
        expected="" if row.kind == "test" else row.expected,  # there it is the place
        message=f"{_why_left_out(row)}: {row.message or row.observed}" if left_out else row.message,
        reason=row.reason or "",
        seconds=row.duration_ms / 1000,
        advice=advice_on(row.status, row.advice, row.message),
        level=level,
        status=row.status,
        listed=tuple(row.listed),
        since=() if left_out else tuple(since_lines(row, ended)),
        phase=row.phase,
        file=row.file,
        line=row.line,
    )


def _why_left_out(row: CheckRow) -> str:
    return NOT_FROM_HERE if row.kind == "flags" else LEFT_TO_PEOPLE


def _of_rule(row: RuleRow) -> Entry:
    level = "error" if row.counts else "warn"
    left_out = not row.counts and row.status == "unknown"
    quiet = row.kind in RULES and row.status == "pass"
    return Entry(
        group=row.kind,
        name=row.id,
        title=row.title,
        kind=row.kind,
        outcome=SKIPPED if left_out else outcome_of(row.status, counts=row.counts, level=level),
        observed="quiet" if quiet else row.observed,
        expected="" if quiet or row.expected in row.title else row.expected,
        message=row.message,
        reason=row.reason or "",
        advice=row.remedy,
        level=level,
        status=row.status,
    )


def _of_metric(row: MetricRow) -> Entry:
    level = "error" if row.counts else "warn"
    limit = {"critical": row.critical, "warning": row.warning}.get(row.level)
    broken = f"{row.level}: {limit}" if limit else "the target is missed" if row.level == "missed" else ""
    return Entry(
        group="metrics",
        name=row.name,
        title=row.name,
        kind="metric",
        outcome=outcome_of(row.status, counts=row.counts, level=level),
        observed=row.observed,
        expected=row.target or "",
        message=row.message or broken,
        reason=row.reason or "",
        level=level,
        status=row.status,
    )


def _of_problem(row: ProblemRow) -> Entry:
    level = "error" if row.level == "error" else "warn"
    return Entry(
        group=row.file or "problems",
        name=row.file or "problem",
        title=row.message,
        kind="problem",
        outcome=outcome_of("fail", counts=row.counts, level=level),
        message=row.hint,
        level=level,
        status="fail",
        file=row.file,
        line=row.line,
        column=row.column,
    )


def counted(entries: Iterable[Entry]) -> dict[str, int]:
    """How many rows came out how; a word that none has is left out."""
    listed = [entry.outcome for entry in entries]
    return {word: listed.count(word) for word in (OK, NO, UNKNOWN, WARNING, WAIVED, SKIPPED) if word in listed}


def counts_in_words(entries: Iterable[Entry]) -> str:
    """`4 ok · 1 no · 1 warning`."""
    return " · ".join(
        f"{count} {word}{'s' if word == WARNING and count > 1 else ''}" for word, count in counted(entries).items()
    )
