"""The timeline of an incident: which events belong to it, and each of them in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runbook.language.durations import show_duration
from runbook.store.events import Event, Recorded
from runbook.store.state import Incident

LOOKED_BACK = 3600.0  # how long before its opening a trigger that fired may still be an incident's first sign, seconds
NAMES = {
    "emergency": "emergency rollback",
    "partial": "partial rollback",
    "adopt": "restore of the recorded values",
}


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


def operation_name(told: Mapping[str, Any]) -> str:
    """`ramp disabled@0 -> canary@10`, `emergency rollback canary@10 -> safe`."""
    kind, came_from, to = (str(told.get(name) or "") for name in ("kind", "from", "to"))
    way = f"{came_from} -> {to}" if came_from else to
    return f"{NAMES.get(kind, kind or 'operation')} {way}".strip()


def words_of(record: Recorded) -> str:
    """What an event says, in words."""
    event = record.event
    if record.redacted:
        return f"{event.kind} (what it said was erased)"
    words = _WORDS.get(event.kind)
    return words(event.payload) if words else _plainly(event)


def _plainly(event: Event) -> str:
    told = ", ".join(f"{name} {value}" for name, value in event.payload.items() if isinstance(value, str | int | float))
    return f"{event.kind}: {told}" if told else event.kind


def _started(told: Mapping[str, Any]) -> str:
    why = str(told.get("rule") or told.get("reason") or "")
    return f"{operation_name(told)} began" + (f": {why}" if why else "")


_OUTCOMES = {
    "done": "done",
    "undone": "failed and was undone",
    "half-done": "stands half done",
    "nothing": "did nothing",
    "taken-over": "was ended by an emergency",
}


def _ended(told: Mapping[str, Any]) -> str:
    outcome = str(told.get("outcome", ""))
    seconds = told.get("seconds")
    after = f" after {show_duration(seconds)}" if isinstance(seconds, int | float) else ""
    message = str(told.get("message") or "")
    return f"{operation_name(told)} {_OUTCOMES.get(outcome, outcome)}{after}" + (f": {message}" if message else "")


def _entered(told: Mapping[str, Any]) -> str:
    verified = {True: "verified", False: "verify does not hold"}.get(told.get("verified", ""), "not verified")
    position = f"{told.get('stage', '')}@{float(told.get('percent') or 0):g}"
    if told.get("how") == "adopt":
        return f"{position} was taken as the start" + (f": {told['reason']}" if told.get("reason") else "")
    return f"at {position}, {verified}"


def _held(told: Mapping[str, Any]) -> str:
    return "held" + (f": {told['reason']}" if told.get("reason") else "")


def _signed(told: Mapping[str, Any]) -> str:
    evidence = f" ({told['evidence']})" if told.get("evidence") else ""
    return f"signed {told.get('check', '')}: {'yes' if told.get('yes') else 'no'}{evidence}"


def _severity(told: Mapping[str, Any]) -> str:
    before = f"{told['before']} -> " if told.get("before") else ""
    return f"severity {before}{told.get('severity', '')}"


def _text(lead: str, name: str = "text") -> Callable[[Mapping[str, Any]], str]:
    def words(told: Mapping[str, Any]) -> str:
        text = str(told.get(name) or "")
        return f"{lead}: {text}" if lead and text else text or lead

    return words


_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "operation.started": _started,
    "operation.ended": _ended,
    "position.entered": _entered,
    "bake.passed": lambda told: f"the bake of {told.get('stage', '')}@{float(told.get('percent') or 0):g} passed",
    "rollout.started": lambda told: f"rollout {told.get('number', '')} began",
    "rollout.ended": _text("the rollout ended", "why"),
    "hold.set": _held,
    "hold.released": _text("released", "reason"),
    "check.signed": _signed,
    "trigger.fired": lambda told: (
        f"trigger fired: {told.get('when', '')} ({told.get('observed', '')}) -> {told.get('then', '')}"
    ),
    "incident.opened": lambda told: (
        f"incident {told.get('id', '')} opened as {told.get('severity', '')}: {told.get('title', '')}"
    ),
    "incident.joined": _text("this incident goes on", "title"),
    "incident.severity": _severity,
    "incident.noted": _text("note"),
    "incident.action": _text("action item"),
    "incident.resolved": _text("resolved"),
    "noted": lambda told: f"{told.get('kind', 'note')}" + (f": {told['text']}" if told.get("text") else ""),
}
