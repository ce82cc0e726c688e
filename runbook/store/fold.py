"""The fold: one event after the other makes the state. Each kind of event has one small function."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from runbook.store.base import Chain, Store
from runbook.store.events import Event, Recorded
from runbook.store.fold_people import PEOPLE, Fold
from runbook.store.state import (
    SHAPE,
    Captured,
    Due,
    Hold,
    OpenOperation,
    Position,
    State,
    WayBackTaken,
)

WAYS_DOWN = ("rollback", "emergency", "partial", "fallback", "previous")


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
        state.way_back, state.recovered = WayBackTaken(at=at, seconds=told.get("seconds", 0.0)), None
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
        by=event.who.operator,
        known=event.who.known,
    )
    if told.get("how") in WAYS_DOWN:
        state.rollbacks += 1
    state.entered = [*state.entered, (told["stage"], told["percent"])]


def _bake_passed(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    state.passed = [*state.passed, (told["stage"], told["percent"])]
    if told.get("numbers"):
        state.stages = {**state.stages, told["stage"]: _captured(state, event, told, at)}


def _captured(state: State, event: Event, told: dict[str, Any], at: float) -> Captured:
    return Captured(
        at=at,
        who=event.who.operator,
        stage=told["stage"],
        percent=told["percent"],
        numbers={name: (mean, n, spread) for name, (mean, n, spread) in told["numbers"].items()},
        rollout=event.rollout,
        rollouts=state.rollouts,
    )


def _baseline_captured(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    state.baseline = _captured(state, event, told, at)


def _version_seen(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    if state.position is not None:
        state.position = msgspec.structs.replace(state.position, version=told["version"])


def _bake_restarted(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    if state.position is not None:
        state.position = msgspec.structs.replace(
            state.position,
            version=told.get("version"),
            rebaked=at,
            boot=told.get("boot", ""),
            boot_time=told.get("boot_time", 0.0),
        )


def _rollout_started(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    state.rollouts += 1
    state.rollout = told.get("number", state.rollouts)
    state.passed, state.entered, state.stages = [], [], {}


def _rollout_ended(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    state.rollout = None
    if told.get("why") == "stable":
        state.stable = at


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


def _matrix_fired(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    state.matrix[told["when"]] = Due(
        since=at,
        then=told["then"],
        due=told.get("due"),
        severity=told.get("severity"),
        observed=told.get("observed", ""),
    )


def _matrix_cleared(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    state.matrix.pop(told["when"], None)


def _recovered(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    """The harm is over: what was measured before is no evidence of how the service is where it stands now."""
    state.recovered = at
    here = state.position
    if here is not None and here.how in WAYS_DOWN and told.get("boot"):
        clocks = {"boot": told["boot"], "boot_time": told.get("boot_time", 0.0)}
        state.position = msgspec.structs.replace(here, rebaked=at, **clocks)


def _trigger_fired(state: State, event: Event, told: dict[str, Any], at: float) -> None:
    state.fired[told["when"]] = at


# What changes the present; the rest adds to the past and is folded however late it comes.
_PRESENT: dict[str, Fold] = {
    "operation.started": _operation_started,
    "operation.ended": _operation_ended,
    "position.entered": _position_entered,
    "bake.passed": _bake_passed,
    "rollout.started": _rollout_started,
    "rollout.ended": _rollout_ended,
    "version.seen": _version_seen,
    "bake.restarted": _bake_restarted,
    "recovered": _recovered,
}
_HOLDS: dict[str, Fold] = {"hold.set": _hold_set, "hold.released": _hold_released}
_PAST: dict[str, Fold] = {
    **PEOPLE,
    "baseline.captured": _baseline_captured,
    "matrix.fired": _matrix_fired,
    "matrix.cleared": _matrix_cleared,
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
        state.latest = max(state.latest, at)
        state.number = record.number
    state.shape = SHAPE
    return state


def state_of(store: Store, chain: Chain) -> State:
    """Where the service stands, from the kept state and the events after it; the kept state is brought up to date."""
    state = State()
    kept = store.load_state(chain)
    if kept is not None:
        try:
            state = msgspec.msgpack.decode(kept[1], type=State)
        except msgspec.MsgspecError:
            state = State()
        if state.shape != SHAPE:
            state = State()  # an older shape: fold from the beginning
    before = state.number
    fold(state, store.events(chain, after=state.number))
    if state.number != before:
        store.save_state(chain, state.number, msgspec.msgpack.encode(state))
    return state
