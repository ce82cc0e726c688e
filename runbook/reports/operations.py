"""What operations did, out of their events: the flags that they changed, and their steps. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from runbook.incidents.timeline import automatic_operations, seconds_of, who_of
from runbook.incidents.words import operation_name
from runbook.store.events import Recorded


@dataclass(frozen=True)
class FlagRow:
    """One value that an operation changed. `old` is None where the key was missing; `at` in seconds since the epoch."""

    key: str
    old: str | None
    new: str
    place: str
    at: float
    by: str


@dataclass(frozen=True)
class StepRow:
    """One step of an operation and how it came out; `ok` is None for a step of which nothing was told."""

    title: str
    detail: str
    ok: bool | None = None
    message: str = ""
    seconds: float | None = None


@dataclass(frozen=True)
class OperationRow:
    """One operation. `outcome` is done, undone, half-done, nothing, taken-over, or empty while nothing tells."""

    id: str
    name: str
    who: str
    at: float
    outcome: str
    seconds: float | None
    message: str
    steps: tuple[StepRow, ...]


_TELLING = ("operation.started", "operation.ended", "position.entered")


@dataclass(frozen=True)
class _Told:
    """What the chain says of one operation."""

    started: Recorded
    ended: Recorded | None
    entered: Recorded | None
    who: str

    @property
    def outcome(self) -> str:
        return str(self.ended.event.payload.get("outcome", "")) if self.ended else ""


def _told_of(records: Iterable[Recorded]) -> list[_Told]:
    listed = [record for record in records if record.event.kind in _TELLING]
    by_tool = automatic_operations(listed)
    newest = {(one.event.operation, one.event.kind): one for one in listed if not one.redacted}
    return [
        _Told(
            started,
            newest.get((started.event.operation, "operation.ended")),  # half done, it ends again by `resume`
            newest.get((started.event.operation, "position.entered")),
            who_of(started.event, by_tool),
        )
        for started in listed
        if started.event.kind == "operation.started" and not started.redacted
    ]


def operations_of(records: Iterable[Recorded]) -> tuple[OperationRow, ...]:
    """The operations among these events, in their order."""
    return tuple(_operation(told) for told in _told_of(records))


def _operation(told: _Told) -> OperationRow:
    payload = told.ended.event.payload if told.ended else {}
    return OperationRow(
        id=told.started.event.operation or "",
        name=operation_name(told.started.event.payload),
        who=told.who,
        at=seconds_of(told.started),
        outcome=told.outcome,
        seconds=_seconds(payload),
        message=str(payload.get("message") or ""),
        steps=tuple(_steps(told)),
    )


def _steps(told: _Told) -> Iterable[StepRow]:
    """The planned steps with what became of them; results stand in the order of the plan."""
    results = list((told.ended.event.payload.get("steps") if told.ended else None) or [])
    for number, step in enumerate(_planned(told.started)):
        title, detail = str(step.get("title", "")), str(step.get("detail", ""))
        result = results[number] if number < len(results) else {}
        if result.get("title") != title:
            yield StepRow(title, detail)
            continue
        yield StepRow(title, detail, bool(result.get("ok")), str(result.get("message") or ""), _seconds(result))


def _seconds(told: Mapping[str, Any]) -> float | None:
    seconds = told.get("seconds")
    return float(seconds) if isinstance(seconds, int | float) else None


def _planned(started: Recorded) -> list[Mapping[str, Any]]:
    header = started.event.payload.get("header") or {}
    return list(header.get("steps") or [])


def flags_changed(records: Iterable[Recorded], positions: Iterable[Recorded]) -> tuple[FlagRow, ...]:
    """The values that operations among `records` changed and left changed: name, old, new.

    What was undone is left out. An edit by force has no plan of values: there the flags that stood before and after
    are compared, out of all `positions` (events `position.entered`) of the chain.
    """
    entered = sorted(positions, key=lambda record: (record.event.at, record.number))
    rows: list[FlagRow] = []
    for told in _told_of(records):
        if told.outcome in ("undone", "nothing", "taken-over"):
            continue
        planned = [row for step in _planned(told.started) for row in _rows_of(step, told)]
        rows += planned or _compared(told, entered)
    return tuple(rows)


def _rows_of(step: Mapping[str, Any], told: _Told) -> Iterable[FlagRow]:
    for change in step.get("changes") or ():
        yield FlagRow(
            key=str(change.get("key", "")),
            old=change.get("old"),
            new=str(change.get("new", "")),
            place=str(step.get("place", "")),
            at=seconds_of(told.started),
            by=operation_name(told.started.event.payload),
        )


def _compared(told: _Told, entered: list[Recorded]) -> list[FlagRow]:
    if told.entered is None:
        return []
    earlier = [one for one in entered if one.event.at < told.entered.event.at and not one.redacted]
    before = dict(earlier[-1].event.payload.get("flags") or {}) if earlier else {}
    after = dict(told.entered.event.payload.get("flags") or {})
    name = operation_name(told.started.event.payload)
    return [
        FlagRow(key, before[key], value, "", seconds_of(told.entered), name)
        for key, value in after.items()
        if key in before and before[key] != value
    ]
