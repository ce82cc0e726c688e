"""The fold: one event after the other makes the state. Each kind of event has one small function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from runbook.store.base import Chain, Store
from runbook.store.events import Event, Recorded
from runbook.store.state import Hold, Incident, OpenOperation, Position, SignedAnswer, State, WayBackTaken

Fold = Callable[[State, Event, dict[str, Any], float], None]


def _operation_started(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    state.operation = OpenOperation(
        id=event.operation or "",
        kind=told.get("kind", ""),
        began=at,
        who=event.who.operator,
        host=event.who.host,
        to=told.get("to", ""),
        epoch=event.epoch,
    )
    if told.get("automatic"):
        state.automatic = [*state.automatic, at][-10:]


def _operation_ended(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    # A half-done operation stays open: only `resume` or the emergency ends it.
    if state.operation is not None and state.operation.id == event.operation and told.get("outcome") != "half-done":
        state.operation = None
    if told.get("outcome") == "done" and told.get("kind") in ("rollback", "emergency"):
        state.way_back = WayBackTaken(at=at, seconds=told.get("seconds", 0.0))
    state.last_operation = {"id": event.operation, "at": at, "who": event.who.operator, **_without(told, "steps")}


def _position_entered(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    state.position = Position(
        stage=told["stage"],
        percent=told["percent"],
        since=at,
        boot=told.get("boot", ""),
        boot_time=told.get("boot_time", 0.0),
        how=told.get("how", "ramp"),
        verified=told.get("verified"),
        flags=told.get("flags", {}),
    )
    if told.get("how") in ("rollback", "emergency", "partial"):
        state.rollbacks += 1
    state.entered = [*state.entered, (told["stage"], told["percent"])]


def _bake_passed(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    state.passed = [*state.passed, (told["stage"], told["percent"])]


def _rollout_started(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    state.rollouts += 1
    state.rollout = told.get("number", state.rollouts)
    state.passed, state.entered = [], []


def _rollout_ended(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    state.rollout = None


def _hold_set(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    state.hold = Hold(
        by=event.who.operator,
        since=at,
        reason=told.get("reason", ""),
        until=told.get("until"),
        automatic=told.get("automatic", False),
        robots=told.get("robots", False),
    )


def _hold_released(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    state.hold = None


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
    )


def _incident_joined(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    incident = state.incidents.get(told["id"])
    if incident is not None and event.operation:
        incident.operations = [*incident.operations, event.operation]


def _incident_severity(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    if (incident := state.incidents.get(told["id"])) is not None:
        incident.severity = told["severity"]


def _incident_resolved(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    if (incident := state.incidents.get(told["id"])) is not None:
        incident.resolved, incident.resolution = at, told.get("text", "")


def _trigger_fired(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    state.fired[told["when"]] = at


def _noted(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    kind = told["kind"]
    state.counters[kind] = [*state.counters.get(kind, []), at]


# What changes the present; the rest adds to the past and is folded however late it comes.
_PRESENT: dict[str, Fold] = {
    "operation.started": _operation_started,
    "operation.ended": _operation_ended,
    "position.entered": _position_entered,
    "bake.passed": _bake_passed,
    "rollout.started": _rollout_started,
    "rollout.ended": _rollout_ended,
}
_HOLDS: dict[str, Fold] = {"hold.set": _hold_set, "hold.released": _hold_released}
_PAST: dict[str, Fold] = {
    "check.signed": _check_signed,
    "incident.opened": _incident_opened,
    "incident.joined": _incident_joined,
    "incident.severity": _incident_severity,
    "incident.resolved": _incident_resolved,
    "noted": _noted,
    "trigger.fired": _trigger_fired,
}


def _overtaken(state: State, event: Event, at: float) -> bool:
    if not event.late or event.kind in _PAST:
        return False
    if event.kind in _HOLDS:
        return state.held_at > at
    return state.changed_epoch >= event.epoch and state.changed_at > at


def _note_times(state: State, event: Event, at: float) -> None:
    if event.kind in _HOLDS:
        state.held_at = max(state.held_at, at)
    elif event.kind in _PRESENT and event.epoch >= state.changed_epoch:
        state.changed_epoch, state.changed_at = event.epoch, max(state.changed_at, at)


def _without(told: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in names}


def fold(state: State, recorded: Iterable[Recorded]) -> State:
    """The state after these events. `state` is changed and returned.

    An event that came late (from the spool) changes the present only if no higher epoch came after its time; a hold or
    a release, which are people's words, only if no later word of that kind is there.
    """
    for record in recorded:
        event, at = record.event, record.event.at / 1_000_000
        step = _PAST.get(event.kind) or _HOLDS.get(event.kind) or _PRESENT.get(event.kind)
        if step is not None and not record.redacted and not _overtaken(state, event, at):
            step(state, event, event.payload, at)
            _note_times(state, event, at)
        state.epoch = max(state.epoch, event.epoch)
        state.number = record.number
    return state


def state_of(store: Store, chain: Chain) -> State:
    """Where the service stands, from the kept state and the events after it; the kept state is brought up to date."""
    state = State()
    kept = store.load_state(chain)
    if kept is not None:
        try:
            state = msgspec.msgpack.decode(kept[1], type=State)
        except msgspec.MsgspecError:
            state = State()  # an older shape: fold from the beginning
    before = state.number
    fold(state, store.events(chain, after=state.number))
    if state.number != before:
        store.save_state(chain, state.number, msgspec.msgpack.encode(state))
    return state
