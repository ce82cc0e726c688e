"""From what was found to the rows of the JSON documents."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec import UNSET

from runbook.actions.runner import StepResult
from runbook.actions.steps import StepRecord
from runbook.checks.base import CheckResult
from runbook.language.places import Problem
from runbook.rollout.health import MetricHealth
from runbook.rollout.last_good import Beside, Happened
from runbook.rollout.rows import Row
from runbook.show.checked import NOTHING, Aside
from runbook.show.document_rows import CheckRow, HappenedRow, LastGood, MetricRow, ProblemRow, RuleRow
from runbook.show.documents import EventRow, IncidentRow, PlanRow
from runbook.store.events import Recorded
from runbook.store.state import Incident
from runbook.system.clock import rfc3339


def check_row(result: CheckResult, aside: Aside = NOTHING, *, counts: bool = True) -> CheckRow:
    """A check as JSON shows it; `counts` is whether the row above it does."""
    check, beside = result.check, aside.beside.get(result.check.full_id)
    counts = counts and (aside.strict or check.level != "warn")
    return CheckRow(
        id=check.id,
        title=check.title,
        kind=check.kind,
        status=result.status.value,
        reason=result.reason.value if result.reason else None,
        observed=result.observed,
        expected=result.expected,
        message=result.message,
        duration_ms=round(result.duration * 1000, 3),
        level=check.level,
        advice=check.advice,
        listed=list(result.listed),
        checks=[check_row(nested, aside, counts=counts) for nested in result.nested],
        checklist=check.checklist,
        counts=counts,
        phases={name: round(seconds * 1000, 3) for name, seconds in result.phases.items()},
        phase=result.phase,
        last_good=UNSET if beside is None else _last_good(beside),
        since_then=[] if beside is None else [_happened(one) for one in beside.events],
        since_then_more=0 if beside is None else beside.more,
    )


def _last_good(beside: Beside) -> LastGood | None:
    return None if beside.last is None else LastGood(at=rfc3339(beside.last.at), observed=beside.last.observed)


def _happened(one: Happened) -> HappenedRow:
    return HappenedRow(at=rfc3339(one.at), kind=one.kind, who=one.who, text=one.text)


def check_rows(
    results: Iterable[CheckResult], aside: Aside = NOTHING, *, left_out: Collection[str] = ()
) -> list[CheckRow]:
    """The checks as JSON shows them; those of the kinds `left_out` do not count where they do not hold."""
    rows = [check_row(result, aside) for result in results]
    for row in _each(rows):
        if row.kind in left_out and row.status in ("fail", "unknown"):
            row.counts = False
    return rows


def _each(rows: Iterable[CheckRow]) -> Iterator[CheckRow]:
    for row in rows:
        yield row
        yield from _each(row.checks)


def rule_rows(rows: Iterable[Row], *kinds: str) -> list[RuleRow]:
    """The rows of these kinds; all of them when none is named."""
    return [
        RuleRow(
            id=row.id,
            title=row.title,
            kind=row.kind,
            status=row.status.value,
            reason=row.reason.value if row.reason else None,
            observed=row.observed,
            expected=row.expected,
            message=row.message,
            n=row.n,
            age=None if row.age is None else round(row.age, 3),
            counts=row.counts,
            remedy=row.remedy,
            severity=row.severity,
            due=None if row.due is None else rfc3339(row.due),
        )
        for row in rows
        if not kinds or row.kind in kinds
    ]


def metric_row(row: MetricHealth, *, strict: bool) -> MetricRow:
    """A metric as JSON shows it; a warning and a missed target count only under `strict`."""
    value = row.value if isinstance(row.value, (float, int, str)) and not isinstance(row.value, bool) else None
    return MetricRow(
        name=row.name, level=row.level, status=row.status.value, value=value, unit=row.unit, observed=row.observed,
        target=row.target, warning=row.warning, critical=row.critical, reason=row.reason.value if row.reason else None,
        message=row.message, age=row.age, counts=strict or row.level not in ("warning", "missed"),
    )  # fmt: skip


def plan_rows(records: Iterable[StepRecord], results: Sequence[StepResult] = ()) -> list[PlanRow]:
    """The steps; those that ran with how they came out."""
    ran = {id(result.record): result for result in results}
    by_title = {result.record.title: result for result in results}
    rows = []
    for record in records:
        result = ran.get(id(record)) or by_title.get(record.title)
        rows.append(
            PlanRow(
                kind=record.kind,
                title=record.title,
                detail=record.detail,
                undo=record.undo,
                by_hand=record.by_hand,
                diff=list(record.diff),
                ok=result.ok if result else None,
                message=result.message if result else "",
            )
        )
    return rows


def event_row(recorded: Recorded) -> EventRow:
    event = recorded.event
    return EventRow(
        number=recorded.number,
        at=rfc3339(event.at / 1_000_000),
        kind=event.kind,
        who=event.who.operator,
        host=event.who.host,
        known=event.who.known,
        operation=event.operation,
        rollout=event.rollout,
        payload={key: value for key, value in event.payload.items() if key != "header"},
        hash=recorded.hash,
    )


def incident_row(incident: Incident, respond_by: float | None = None) -> IncidentRow:
    return IncidentRow(
        id=incident.id,
        title=incident.title,
        severity=incident.severity,
        state="open" if incident.resolved is None else "resolved",
        opened_at=rfc3339(incident.opened),
        resolved_at=None if incident.resolved is None else rfc3339(incident.resolved),
        opened_by=incident.by,
        respond_by=None if respond_by is None else rfc3339(respond_by),
    )


def problem_rows(problems: Iterable[Problem], *, strict: bool = True) -> list[ProblemRow]:
    """The problems as JSON shows them; without `strict` the exit status does not rest on warnings."""
    return [
        ProblemRow(
            message=problem.message,
            file=problem.place.file if problem.place else None,
            line=problem.place.line if problem.place else None,
            column=problem.place.column if problem.place else None,
            hint=problem.hint,
            level=problem.level,
            counts=strict or problem.level == "error",
        )
        for problem in problems
    ]
