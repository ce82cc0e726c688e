"""The timeline of an incident: which events belong to it, in the order of time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runbook.incidents.checklist import incident_of
from runbook.incidents.words import words_of
from runbook.language.durations import show_duration
from runbook.store.events import Event, Recorded
from runbook.store.state import Incident

LOOKED_BACK = 3600.0  # how long before its opening a trigger that fired may still be an incident's first sign, seconds


@dataclass(frozen=True)
class Story:
    """What happened in an incident, in the order of time.

    `signalled` is its first sign in seconds since the epoch: the trigger that fired, the operation or the opening,
    whichever came first; `sign` is that event. `before` is what changed last before it: the operation and the position
    that it led to.
    """

    incident: Incident
    events: tuple[Recorded, ...]
    before: tuple[Recorded, ...]
    signalled: float
    sign: Recorded | None

    @property
    def all(self) -> tuple[Recorded, ...]:
        """What changed before it, and what happened in it."""
        return (*self.before, *self.events)


@dataclass(frozen=True)
class TimelineRow:
    """One row: when (seconds since the epoch), how long after the start (seconds, negative before it), who, what.

    `source` says where it is known from: an event's number in the chain, or samples. `change` marks what changed
    before the incident.
    """

    at: float
    offset: float
    who: str
    what: str
    source: str
    change: bool = False


def show_offset(seconds: float) -> str:
    """How long after the beginning: `+8 s`, `-4 m 2 s`, `0 s`."""
    shown = show_duration(abs(seconds))
    return shown if shown == "0 s" else f"{'-' if seconds < 0 else '+'}{shown}"


def seconds_of(record: Recorded) -> float:
    """When it happened, seconds since the epoch."""
    return record.event.at / 1_000_000


def story_of(recorded: Iterable[Recorded], incidents: Mapping[int, Incident], number: int) -> Story:
    """The story of incident `number` out of all events of its chain. Raises KeyError for one that is not there."""
    incident = incidents[number]
    ordered = sorted(recorded, key=lambda record: (record.event.at, record.number))
    sign = _first_sign(ordered, incidents, incident)
    moments = [
        incident.opened,
        *([seconds_of(sign)] if sign else []),
        *([incident.started] if incident.started else []),
    ]
    signalled = min(moments)
    others = {operation for one in incidents.values() if one is not incident for operation in one.operations}
    foreign = others - set(incident.operations)
    events = tuple(record for record in ordered if _belongs(record, incident, foreign, signalled))
    told = {record.number for record in events}
    earlier = [record for record in ordered if seconds_of(record) < signalled and record.number not in told]
    return Story(incident, events, _last_change(earlier), signalled, sign)


def _belongs(record: Recorded, incident: Incident, foreign: set[str], signalled: float) -> bool:
    event, at = record.event, seconds_of(record)
    if event.kind.startswith("incident."):
        return event.payload.get("id") == incident.id
    if event.kind == "check.signed" and (number := incident_of(str(event.payload.get("check", "")))) is not None:
        return number == incident.id  # also what is done long after it was resolved
    if event.operation in incident.operations:
        return True
    ended = incident.resolved if incident.resolved is not None else float("inf")
    return event.operation not in foreign and signalled <= at <= ended


def _first_sign(ordered: Sequence[Recorded], incidents: Mapping[int, Incident], incident: Incident) -> Recorded | None:
    """The earliest of: its own operations, its opening, and the triggers that fired on the same rung shortly before."""
    own = [
        record
        for record in ordered
        if (record.event.kind == "operation.started" and record.event.operation in incident.operations)
        or (record.event.kind == "incident.opened" and record.event.payload.get("id") == incident.id)
    ]
    first = min((seconds_of(record) for record in own), default=incident.opened)
    over = [one.resolved for one in incidents.values() if one.resolved is not None and one.resolved <= first]
    entered = [
        seconds_of(record)
        for record in ordered
        if record.event.kind == "position.entered" and seconds_of(record) <= first
    ]
    since = max([first - LOOKED_BACK, *over, *entered])
    fired = [
        record for record in ordered if record.event.kind == "trigger.fired" and since <= seconds_of(record) <= first
    ]
    return min([*fired, *own], key=lambda record: (record.event.at, record.number), default=None)


def _last_change(earlier: Sequence[Recorded]) -> tuple[Recorded, ...]:
    """The position that stood when it began, and the operation that led there."""
    entered = next((record for record in reversed(earlier) if record.event.kind == "position.entered"), None)
    if entered is None:
        return ()
    operation = entered.event.operation
    wanted = ("operation.started", "position.entered", "operation.ended")
    return tuple(
        record
        for record in earlier
        if record is entered or (operation and record.event.operation == operation and record.event.kind in wanted)
    )


def timeline(story: Story, began: float, noticed: TimelineRow | None = None) -> tuple[TimelineRow, ...]:
    """The rows in the order of time. `noticed` is what samples tell of the beginning."""
    by_tool = automatic_operations(story.all)
    before = {record.number for record in story.before}
    rows = [
        TimelineRow(
            at=seconds_of(record),
            offset=seconds_of(record) - began,
            who=who_of(record.event, by_tool),
            what=words_of(record),
            source=f"event {record.number}",
            change=record.number in before,
        )
        for record in story.all
    ]
    rows += [noticed] if noticed else []
    return tuple(sorted(rows, key=lambda row: row.at))


def automatic_operations(records: Iterable[Recorded]) -> frozenset[str]:
    """The operations that a rule decided, not a person."""
    return frozenset(
        record.event.operation
        for record in records
        if record.event.kind == "operation.started" and record.event.payload.get("automatic") and record.event.operation
    )


def who_of(event: Event, by_tool: frozenset[str] = frozenset()) -> str:
    """Who did it; for what a rule decided, under whose hand the tool was running."""
    person = f"{event.who.operator} on {event.who.host}"
    return f"runbook, run by {person}" if decided_by_tool(event, by_tool) else person


def decided_by_tool(event: Event, by_tool: frozenset[str]) -> bool:
    """Whether a rule decided it, not a person; `by_tool` are the operations that rules decided."""
    return event.kind == "trigger.fired" or bool(event.payload.get("automatic")) or event.operation in by_tool
