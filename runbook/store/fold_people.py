"""What people's words make of the state: answers, sign-offs, waivers, incidents, notes. One small function a kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runbook.store.events import Event
from runbook.store.state import Incident, SignedAnswer, SignedRole, State, Waived

Fold = Callable[[State, Event, dict[str, Any], float], None]


def _check_signed(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    state.answers[told["check"]] = SignedAnswer(
        yes=told["yes"],
        who=event.who.operator,
        at=at,
        evidence=told.get("evidence", ""),
        valid_until=told.get("valid_until"),
        rollout=event.rollout,
        rollouts=state.rollouts,
    )


def _role_signed(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    state.sign_offs[f"{told['stage']}/{told['role']}"] = SignedRole(
        role=told["role"],
        yes=told["yes"],
        who=event.who.operator,
        known=event.who.known,
        at=at,
        stage=told["stage"],
        percent=told["percent"],
        since=told["since"],
        playbook=told.get("playbook", ""),
        evidence=told.get("evidence", ""),
        rollout=event.rollout,
    )


def _check_waived(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    state.waivers[told["check"]] = Waived(
        who=event.who.operator, at=at, until=told["until"], reason=told.get("reason", "")
    )


def _incident_opened(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    number = told["id"]
    if number in state.incidents:  # counted while the store was away, where another one has the number
        if still_open := state.open_incidents():
            joined = still_open[-1]
            joined.operations = [*joined.operations, event.operation] if event.operation else joined.operations
            return
        number = max(state.incidents) + 1
    state.incidents[number] = Incident(
        id=number,
        title=told["title"],
        severity=told["severity"],
        opened=at,
        by=event.who.operator,
        operations=[event.operation] if event.operation else [],
        started=told.get("started"),
        checklist=list(told.get("checklist", ())),
    )


def _incident_joined(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    incident = state.incidents.get(told["id"])
    if incident is not None and event.operation:
        incident.operations = [*incident.operations, event.operation]
    if incident is not None and told.get("checklist"):
        incident.checklist = list(dict.fromkeys([*incident.checklist, *told["checklist"]]))


def _incident_severity(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    if (incident := state.incidents.get(told["id"])) is not None:
        incident.severity = told["severity"]
        _respond(incident, at)


def _incident_resolved(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    if (incident := state.incidents.get(told["id"])) is not None:
        incident.resolved, incident.resolution = at, told.get("text", "")
        _respond(incident, at)


def _noted(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    kind = told["kind"]
    state.counters[kind] = [*state.counters.get(kind, []), at]


def _incident_noted(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    if (incident := state.incidents.get(told["id"])) is not None:
        _respond(incident, at)


def _respond(incident: Incident, at: float) -> None:
    """Somebody answered: the first word of a person stops the clock of the response."""
    if incident.responded is None:
        incident.responded = at


PEOPLE: dict[str, Fold] = {
    "check.signed": _check_signed,
    "check.waived": _check_waived,
    "role.signed": _role_signed,
    "incident.opened": _incident_opened,
    "incident.joined": _incident_joined,
    "incident.noted": _incident_noted,
    "incident.severity": _incident_severity,
    "incident.resolved": _incident_resolved,
    "noted": _noted,
}
