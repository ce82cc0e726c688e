"""From what was found to the rows of the JSON documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runbook.actions.runner import StepResult
from runbook.actions.steps import StepRecord
from runbook.checks.base import CheckResult
from runbook.language.places import Problem
from runbook.rollout.rows import Row
from runbook.show.documents import CheckRow, EventRow, IncidentRow, PlanRow, ProblemRow, RuleRow
from runbook.store.events import Recorded
from runbook.store.state import Incident
from runbook.system.clock import rfc3339


def check_row(result: CheckResult) -> CheckRow:
    check = result.check
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
        checks=[check_row(nested) for nested in result.nested],
    )


def check_rows(results: Iterable[CheckResult]) -> list[CheckRow]:
    return [check_row(result) for result in results]


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


def problem_rows(problems: Iterable[Problem]) -> list[ProblemRow]:
    return [
        ProblemRow(
            message=problem.message,
            file=problem.place.file if problem.place else None,
            line=problem.place.line if problem.place else None,
            column=problem.place.column if problem.place else None,
            hint=problem.hint,
            level=problem.level,
        )
        for problem in problems
    ]
