"""The rows of the matrix that were last seen true: the time people have, and what they type. Pure, from events."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.judge.rules import ACTIONS, CHANGES
from runbook.language.durations import show_duration
from runbook.playbook.model import Fallback, Playbook, Stage
from runbook.rollout.ladder import is_below, ladder, place_of, rung_off
from runbook.rollout.planning import safe_values
from runbook.rollout.standing import shows_safe
from runbook.store.fold import WAYS_DOWN
from runbook.store.state import Due, State

COMMANDS = {
    "rollback": "runbook rollback --emergency",
    "fallback": "runbook rollback --fallback",
    "halve": "runbook rollback --partial",
    "previous": "runbook rollback",
    "hold": "runbook hold --reason TEXT",
    "investigate": "runbook incident open",
}


@dataclass(frozen=True)
class Countdown:
    """A row that is true, and the time people have. `within` and `since` in seconds; `due` is None where it acts at
    once. `decides` is false for the rows that are true after the first; with `safe` there is nothing left to change.
    """

    when: str
    then: str
    severity: str
    since: float
    within: float | None
    due: float | None
    command: str
    decides: bool
    safe: bool = False

    def left(self, now: float) -> float | None:
        """The seconds left; below zero when the time has run out, None where none was given."""
        return None if self.due is None else self.due - now

    def told(self, now: float) -> str:
        """What is left of the time: `within 1 h, 42 m left`."""
        if self.safe:
            return "already safe, look elsewhere"
        left = self.left(now)
        if left is None:
            return "at once"
        within = f"within {show_duration(self.within)}, " if self.within is not None else ""
        # Whole seconds: what is counted down is read by people.
        seconds = show_duration(max(1, round(abs(left))))
        return within + (f"{seconds} left" if left > 0 else f"over by {seconds}")

    def line(self, now: float) -> str:
        """The whole row: `P2 p95_latency > 3500ms: halve within 1 h, 42 m left: runbook rollback --partial`."""
        lead = f"{self.severity} " if self.severity else ""
        typed = f": {self.command}" if self.command else ""
        return f"{lead}{self.when}: {self.then}{',' if self.safe else ''} {self.told(now)}{typed}"


def answered(state: State, then: str, due: Due) -> bool:
    """Whether what a row asks for was done since: any way down, for a rollback the whole way."""
    here, action = state.position, ACTIONS.get(then, then)
    if action not in CHANGES or here is None or here.how not in WAYS_DOWN or here.since <= due.since:
        return False
    return action != "rollback" or here.how == "emergency" or here.percent == 0


def command_of(then: str, *, stage: Stage | None = None, previous: str = "") -> str:
    """What a person types to do what a row says; empty for what only tells.

    `stage` is where we are (`reduce` is its fallback, else a partial way back), `previous` the last good position.
    """
    action = ACTIONS.get(then, then)
    if then == "reduce" and stage is not None and stage.fallback is None:
        action = "halve"
    if action == "previous" and previous:
        return f"runbook rollback --to {previous}"
    return COMMANDS.get(action, "")


def command_here(playbook: Playbook, state: State, then: str) -> str:
    """As `command_of`, for where the service stands by its events."""
    here = state.position
    if here is None:
        return command_of(then)
    rungs = ladder(playbook)
    place = place_of(rungs, here)
    if place is None:
        return command_of(then)
    stages = {rung.stage.name for rung in rungs}
    passed = [rung_off(rungs, stage, percent) for stage, percent in state.passed if stage in stages]
    good = [rung.name for rung in passed if is_below(rungs, rung, place)]
    return command_of(then, stage=place.stage, previous=good[-1] if good else "")


def countdowns(playbook: Playbook, state: State, *, safe: bool = False) -> list[Countdown]:
    """The rows that were last seen true, in the order of the playbook: from events alone, nothing is looked at.

    `safe` tells that the flag files show the safe values, which the events need not know.
    """
    order = {row.when: number for number, row in reversed(list(enumerate(playbook.matrix)))}
    open_rows = [
        (when, due)
        for when, due in state.matrix.items()
        if not answered(state, due.then, due) and not (due.then == "investigate" and _investigated(state, due))
    ]
    true = sorted(open_rows, key=lambda item: order.get(item[0], len(order)))
    return [_countdown(playbook, state, row, decides=n == 0, safe=safe) for n, row in enumerate(true)]


def _countdown(playbook: Playbook, state: State, row: tuple[str, Due], *, decides: bool, safe: bool) -> Countdown:
    when, due = row
    safe = _left_safe(playbook, state, due.then, shown=safe)
    return Countdown(
        when=when,
        then=due.then,
        severity=due.severity or "",
        since=due.since,
        within=None if due.due is None else due.due - due.since,
        due=due.due,
        command="" if safe else command_here(playbook, state, due.then),
        decides=decides,
        safe=safe,
    )


def _left_safe(playbook: Playbook, state: State, then: str, *, shown: bool) -> bool:
    """Whether the safe flags stand (are `shown`, or were left), so that a row which goes down has nothing to change."""
    here, action = state.position, ACTIONS.get(then, then)
    if action not in CHANGES or (action == "fallback" and runs_an_action(playbook, state)):
        return False
    if shown or here is None:
        return shown
    return bool(here.flags) and shows_safe(safe_values(playbook), [here.flags])


def runs_an_action(playbook: Playbook, state: State) -> bool:
    """Whether the fallback of the stage we are in is an action of its own."""
    own = own_fallback(playbook, state)
    return own is not None and own.action is not None


def own_fallback(playbook: Playbook, state: State) -> Fallback | None:
    """The fallback of the stage we are in by the events; None where it has none, and where we are in none."""
    here = state.position
    return next((stage.fallback for stage in playbook.stages if here and stage.name == here.stage), None)


def _investigated(state: State, due: Due) -> bool:
    """Whether an incident is open, or was opened since the row became true."""
    opened = any(incident.opened >= due.since for incident in state.incidents.values())
    return opened or bool(state.open_incidents())
