"""The data of an incident's report and post-mortem: gathered from events, kept samples and the playbook."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.incidents.checklist import ChecklistItem, checklist_of, incident_of
from runbook.incidents.impact import Impact, impact_of, way_back_of
from runbook.incidents.measured import LOOKED_BEFORE
from runbook.incidents.severity import Response, response_of
from runbook.incidents.timeline import (
    Story,
    TimelineRow,
    automatic_operations,
    decided_by_tool,
    seconds_of,
    story_of,
    timeline,
)
from runbook.incidents.words import operation_name
from runbook.reports.operations import FlagRow, OperationRow, flags_changed, operations_of
from runbook.rollout.samples import kept_samples
from runbook.rollout.site import Site
from runbook.store.base import StoreAway
from runbook.store.events import Recorded
from runbook.store.state import Hold, Incident, Position
from runbook.system.refusals import Exit, Refusal


@dataclass(frozen=True)
class Note:
    """What somebody said: a note, or an action item with its owner and due date where they were given."""

    at: float
    who: str
    text: str
    owner: str = ""
    due: str = ""


@dataclass(frozen=True)
class Person:
    """Somebody to ask, and why: what they did. `known` says how well the name is known (`os-user`, `claimed`...)."""

    name: str
    host: str
    known: str
    did: tuple[str, ...]


@dataclass(frozen=True)
class ChainHead:
    """The last event of the chain when the report was made: what `runbook audit verify` can be held against."""

    number: int
    hash: str


@dataclass(frozen=True)
class Standing:
    """Where the service stands now, by its events."""

    position: Position | None
    hold: Hold | None
    under_way: str


@dataclass(frozen=True)
class IncidentReport:
    """Everything that a report may say. Times are seconds since the epoch; texts are as they came, not yet harmless.

    `written` is when it was made; `response` tells when an answer was due and came, `answered_by` whose it was.
    `way_back` names the way back, empty if none. `checklist` is what the way back asked people to do after it.
    """

    incident: Incident
    service: str
    title: str
    environment: str
    written: float
    response: Response
    answered_by: str
    checklist: tuple[ChecklistItem, ...]
    impact: Impact
    events: tuple[Recorded, ...]
    timeline: tuple[TimelineRow, ...]
    flags: tuple[FlagRow, ...]
    operations: tuple[OperationRow, ...]
    change: OperationRow | None
    way_back: str
    notes: tuple[Note, ...]
    actions: tuple[Note, ...]
    people: tuple[Person, ...]
    standing: Standing
    head: ChainHead

    @property
    def open(self) -> bool:
        return self.incident.resolved is None

    @property
    def respond(self) -> float | None:
        """When an answer was due, seconds since the epoch; None where the playbook names no time."""
        return self.response.due


def gather(site: Site, incident: Incident) -> IncidentReport:
    """The data of an incident's report. Raises `Refusal` when the store is away: the events are there."""
    recorded = events_of(site)
    story = story_of(recorded, site.state().incidents, incident.id)
    now = site.clock.wall()
    since, until = story.signalled - LOOKED_BEFORE, incident.resolved or now
    samples = {name: kept_samples(site, name, since, until) for name in site.playbook.metrics}
    impact = impact_of(story, recorded, site.playbook.metrics, samples, now)
    positions = [record for record in recorded if record.event.kind == "position.entered"]
    before = operations_of(story.before)
    return IncidentReport(
        incident=incident,
        service=site.playbook.service,
        title=site.playbook.title,
        environment=site.environment.name,
        written=now,
        response=response_of(site.playbook.severities, incident, now),
        answered_by=_answered_by(story),
        checklist=checklist_of(incident, site.state().answers),
        impact=impact,
        events=story.events,
        timeline=timeline(story, impact.clocks.began, _noticed(impact)),
        flags=flags_changed(story.all, positions),
        operations=operations_of(story.events),
        change=before[-1] if before else None,
        way_back=way_back_of(story),
        notes=_said(story, "incident.noted", "noted"),
        actions=_said(story, "incident.action"),
        people=_people(story),
        standing=_standing(site, now),
        head=ChainHead(recorded[-1].number, recorded[-1].hash),
    )


def events_of(site: Site) -> list[Recorded]:
    """All events of the chain, in the order of their numbers. Raises `Refusal` when the store is away."""
    if site.store is not None:
        try:
            return site.store.events(site.chain)
        except StoreAway as away:
            site.lose_store(away)
    raise store_is_away(site)


def store_is_away(site: Site) -> Refusal:
    """The refusal of what cannot be done without the store."""
    return Refusal(
        f"the store is away: {site.store_trouble}. Incidents are kept there; nothing was changed.",
        exit_=Exit.FAILED,
        next_steps=["runbook doctor", "runbook rollback --emergency  needs no store"],
    )


def _noticed(impact: Impact) -> TimelineRow | None:
    if impact.beginning is None:
        return None
    return TimelineRow(impact.beginning.at, 0.0, "the service", impact.beginning.what, "samples")


def _answered_by(story: Story) -> str:
    """Who said the first word after it was opened; empty while nobody has."""
    words = [one for one in story.events if one.event.kind in _ANSWERS and not one.redacted]
    return min(words, key=lambda record: record.number).event.who.operator if words else ""


def _standing(site: Site, now: float) -> Standing:
    state = site.state()
    operation = state.operation
    return Standing(state.position, state.hold_at(now), f"{operation.kind} to {operation.to}" if operation else "")


def _said(story: Story, *kinds: str) -> tuple[Note, ...]:
    return tuple(
        Note(
            at=seconds_of(record),
            who=record.event.who.operator,
            text=" ".join(
                str(record.event.payload[name]) for name in ("kind", "text") if record.event.payload.get(name)
            ),
            owner=str(record.event.payload.get("owner") or ""),
            due=str(record.event.payload.get("due") or ""),
        )
        for record in story.events
        if record.event.kind in kinds and not record.redacted
    )


_ANSWERS = frozenset({"incident.noted", "incident.severity", "incident.resolved"})
_DID = {
    "incident.opened": "opened the incident",
    "incident.noted": "wrote notes",
    "incident.resolved": "resolved it",
    "incident.severity": "set the severity",
    "hold.set": "set a hold",
    "hold.released": "released the hold",
    "check.signed": "answered a manual item",
    "check.waived": "waived a check",
    "role.signed": "signed off a stage",
}


def _people(story: Story) -> tuple[Person, ...]:
    """Everybody who had a hand in it, in the order in which they came."""
    by_tool = automatic_operations(story.all)
    found: dict[tuple[str, str, str], dict[str, None]] = {}  # deeds in the order in which they came, each once
    for record in story.all:
        event = record.event
        did = _DID.get(event.kind, "")
        if did and incident_of(str(event.payload.get("check") or "")) is not None:
            did = "worked on the checklist"
        if event.kind == "operation.started":
            did = operation_name(event.payload)
        if decided_by_tool(event, by_tool):
            did = "ran the tool when it acted by its rules"
        if did:
            found.setdefault((event.who.operator, event.who.host, event.who.known), {})[did] = None
    return tuple(Person(*who, tuple(deeds)) for who, deeds in found.items())
