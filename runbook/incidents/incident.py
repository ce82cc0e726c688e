"""Incidents: opened, joined, noted, resolved. Each function gives the event's kind and payload. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runbook.language.places import did_you_mean
from runbook.store.state import Incident, State
from runbook.system.refusals import Exit, Refusal

# The names that people use for P0 to P3.
SEVERITIES = {"critical": "P0", "high": "P1", "medium": "P2", "low": "P3"}
KNOWN = ("P0", "P1", "P2", "P3")


@dataclass(frozen=True)
class Told:
    """An event to be: its kind and payload, and the incident it belongs to."""

    incident: int
    kind: str
    payload: dict[str, Any]


def severity_named(text: str) -> str:
    """P0 to P3 from what was typed. Raises `Refusal` for anything else."""
    name = SEVERITIES.get(text.casefold(), text.upper())
    if name in KNOWN:
        return name
    raise Refusal(
        f"there is no severity {text!r}; {did_you_mean(text, [*KNOWN, *SEVERITIES])}".rstrip("; "),
        next_steps=["severities are P0 (critical), P1 (high), P2 (medium), P3 (low)"],
    )


def open_incident(
    state: State, title: str, severity: str, *, started: float | None = None, checklist: Sequence[str] = ()
) -> Told:
    """A new incident; numbers count from 1 within a service and environment. `checklist` are lines for people."""
    number = max(state.incidents, default=0) + 1
    payload: dict[str, Any] = {"id": number, "title": title, "severity": severity}
    if started is not None:
        payload["started"] = started
    return Told(number, "incident.opened", {**payload, **_opening(checklist)})


def open_or_join(
    state: State, title: str, severity: str, *, started: float | None = None, checklist: Sequence[str] = ()
) -> Told:
    """The incident that is open goes on, with the lines of the checklist that it lacks; with none open, a new one."""
    if still_open := state.open_incidents():
        number = still_open[-1].id
        return Told(number, "incident.joined", {"id": number, "title": title, **_opening(checklist)})
    return open_incident(state, title, severity, started=started, checklist=checklist)


def _opening(checklist: Sequence[str]) -> dict[str, Any]:
    return {"checklist": list(checklist)} if checklist else {}


def the_open_one(state: State, number: int | None) -> Incident:
    """The incident that is meant: the named one, else the one that is open. Raises `Refusal`."""
    if number is not None:
        if number in state.incidents:
            return state.incidents[number]
        known = ", ".join(str(one) for one in sorted(state.incidents)) or "none"
        raise Refusal(f"there is no incident {number} (there are: {known})", next_steps=["runbook incident list"])
    still_open = state.open_incidents()
    if len(still_open) == 1:
        return still_open[0]
    if not still_open:
        raise Refusal("no incident is open", exit_=Exit.USAGE, next_steps=["runbook incident open TITLE"])
    numbers = ", ".join(str(one.id) for one in still_open)
    raise Refusal(f"several incidents are open: {numbers}", next_steps=["name one: --incident ID"])


def the_reported_one(state: State, number: int | None) -> Incident:
    """The incident a report is about: the named one, the one opened last of those open, else the newest."""
    if number is not None or not state.incidents:
        return the_open_one(state, number)
    still_open = state.open_incidents()
    return still_open[-1] if still_open else state.incidents[max(state.incidents)]
