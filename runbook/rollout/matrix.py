"""The decision matrix: rows judged wherever we stand, the first that is true decides, and people have `within` to act.

Pure but for what is kept: the states of the rows between looks, and the events that say since when a row is true.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from runbook.judge.facts import Facts
from runbook.judge.rules import ACTIONS, CHANGES, Rule, Ruled, RuleState, advance
from runbook.judge.verdicts import Status, Truth
from runbook.language.conditions import parse_condition
from runbook.language.durations import show_duration
from runbook.playbook.model import Playbook, Stage
from runbook.rollout.kept import keep_note, kept_note
from runbook.rollout.ladder import is_below, ladder, place_of, rung_off
from runbook.rollout.planning import safe_values
from runbook.rollout.rows import Row
from runbook.rollout.site import Site
from runbook.rollout.standing import shows_safe
from runbook.store.fold import WAYS_DOWN
from runbook.store.state import Due, State

KEPT = "matrix"
COMMANDS = {
    "rollback": "runbook rollback --emergency",
    "fallback": "runbook rollback --fallback",
    "halve": "runbook rollback --partial",
    "previous": "runbook rollback",
    "hold": "runbook hold --reason TEXT",
    "investigate": "runbook incident open",
}


class KeptRows(msgspec.Struct):
    """The states of the rows, by condition: unlike a stage's triggers they belong to no position."""

    states: dict[str, RuleState]


@dataclass(frozen=True)
class Countdown:
    """A row that is true, and the time people have. `within` and `since` in seconds; `due` is None where it acts at
    once. `decides` is false for the rows that are true after the first.
    """

    when: str
    then: str
    severity: str
    since: float
    within: float | None
    due: float | None
    command: str
    decides: bool

    def left(self, now: float) -> float | None:
        """The seconds left; below zero when the time has run out, None where none was given."""
        return None if self.due is None else self.due - now

    def told(self, now: float) -> str:
        """What is left of the time: `within 1 h, 42 m left`."""
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
        return f"{lead}{self.when}: {self.then} {self.told(now)}{typed}"


def matrix_rules(playbook: Playbook) -> list[Rule]:
    """The rows as rules, in their order."""
    return [
        Rule(
            id=f"matrix/{number}",
            when=parse_condition(row.when),
            then=row.then,
            source="matrix",
            severity=row.severity,
            within=row.within,
            on_nodata=playbook.on_nodata,
            on_error=playbook.on_error,
        )
        for number, row in enumerate(playbook.matrix)
    ]


def advance_matrix(site: Site, facts: Facts, *, interval: float, keep: bool = True) -> list[Ruled]:
    """Judge every row now. What the row asks for was done since it became true: its clock begins again."""
    rules = matrix_rules(site.playbook)
    if not rules:
        return []
    kept, state = kept_note(site, KEPT, KeptRows), site.state()
    states = dict(kept.states) if kept is not None else {}
    for rule in rules:
        due = state.matrix.get(rule.when.text)
        if due is not None and answered(state, rule.then, due):
            states.pop(rule.when.text, None)
    ruled = [
        Ruled(rule, advance(rule, facts, states.get(rule.when.text) or RuleState(), interval=interval))
        for rule in rules
    ]
    if keep:
        keep_note(site, KEPT, KeptRows({one.rule.when.text: one.advanced.state for one in ruled}))
    return ruled


def answered(state: State, then: str, due: Due) -> bool:
    """Whether what a row asks for was done since: any way down, for a rollback the whole way."""
    here, action = state.position, ACTIONS.get(then, then)
    if action not in CHANGES or here is None or here.how not in WAYS_DOWN or here.since <= due.since:
        return False
    return action != "rollback" or here.how == "emergency" or here.percent == 0


def note_matrix(site: Site, ruled: Sequence[Ruled]) -> None:
    """Record which rows became true, with the time people have, and which are no longer. Each is told once."""
    if site.store is None:
        return  # without the store nobody knows what was told already
    state, now = site.state(), site.clock.wall()
    rows = {one.rule.when.text: one for one in reversed(ruled) if one.rule.source == "matrix"}
    ended = [when for when, due in state.matrix.items() if _ended(state, rows.get(when), due)]
    events = [site.event("matrix.cleared", {"when": when}) for when in ended]
    for when, one in rows.items():
        rule, told = one.rule, state.matrix.get(when) if when not in ended else None
        if one.advanced.firing and (told is None or told.then != rule.then):
            payload = {
                "when": when,
                "then": rule.then,
                "severity": rule.severity,
                "due": None if rule.within is None else now + rule.within,
                "observed": one.advanced.judged.observed,
            }
            events.append(site.event("matrix.fired", payload))
    if events:
        site.record(*events)


def _ended(state: State, one: Ruled | None, due: Due) -> bool:
    """Whether a row that was true is so no longer: false now, done, or gone from the playbook. Unknown is not false."""
    if one is None or answered(state, due.then, due):
        return True
    return not one.advanced.firing and one.advanced.judged.truth is Truth.FALSE


def deciding(ruled: Sequence[Ruled]) -> Ruled | None:
    """The row that decides: the first that is true, also one that only waits for its second look. None: none is."""
    return next((one for one in ruled if one.rule.source == "matrix" and _is_true(one)), None)


def _is_true(one: Ruled) -> bool:
    waits = one.rule.needs_two and one.advanced.judged.truth is Truth.TRUE
    return one.advanced.firing or waits


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


def countdowns(playbook: Playbook, state: State) -> list[Countdown]:
    """The rows that were last seen true, in the order of the playbook: from events alone, nothing is looked at."""
    order = {row.when: number for number, row in reversed(list(enumerate(playbook.matrix)))}
    open_rows = [
        (when, due)
        for when, due in state.matrix.items()
        if not answered(state, due.then, due) and not (due.then == "investigate" and _investigated(state, due))
    ]
    true = sorted(open_rows, key=lambda item: order.get(item[0], len(order)))
    return [
        Countdown(
            when, due.then, due.severity or "", due.since, None if due.due is None else due.due - due.since, due.due,
            command_here(playbook, state, due.then), decides=number == 0,
        )
        for number, (when, due) in enumerate(true)
    ]  # fmt: skip


def _investigated(state: State, due: Due) -> bool:
    """Whether an incident was opened since the row became true."""
    return any(incident.opened >= due.since for incident in state.incidents.values())


def matrix_rows(ruled: Sequence[Ruled], site: Site) -> list[Row]:
    """The rows of the matrix for a decision: one that is true and changes or holds says no, the others are shown."""
    rows = [one for one in ruled if one.rule.source == "matrix"]
    if not rows:
        return []
    first = deciding(rows)
    safe = first is not None and first.rule.changes and _already_safe(site, first.rule)
    running = {one.when: one for one in countdowns(site.playbook, site.state())}
    return [_row(one, site, running, first, safe) for one in rows]


def _already_safe(site: Site, rule: Rule) -> bool:
    """Whether the flags are the safe ones, so that nothing is left to change but by an action of the stage's own."""
    here, stages = site.state().position, {stage.name: stage for stage in site.playbook.stages}
    own = stages[here.stage].fallback if here is not None and here.stage in stages else None
    if rule.action == "fallback" and own is not None and own.action is not None:
        return False
    shown, _ = site.flags_or_trouble()
    return bool(shown) and shows_safe(safe_values(site.playbook), [shown])


def _row(one: Ruled, site: Site, running: Mapping[str, Countdown], first: Ruled | None, safe: bool) -> Row:
    rule, advanced, judged = one.rule, one.advanced, one.advanced.judged
    status = Status.FAIL if advanced.firing else Status.UNKNOWN if judged.reason is not None else Status.PASS
    countdown = running.get(rule.when.text)
    acts = rule.changes or rule.action == "hold"
    typed = rule.then if advanced.firing and one is first and not safe else ""
    return Row(
        id=rule.id,
        title=f"{rule.severity + ' ' if rule.severity else ''}{rule.when.text} -> {rule.then}",
        kind="matrix",
        status=status,
        observed=judged.observed,
        expected=judged.limit,
        message=_said(one, countdown, first, safe, site.clock.wall()),
        reason=judged.reason if status is Status.UNKNOWN else None,
        n=judged.n,
        age=judged.age,
        counts=status is Status.PASS or (status is Status.FAIL and acts),
        remedy=command_here(site.playbook, site.state(), typed) if typed else "",
        severity=rule.severity,
        due=countdown.due if countdown is not None and advanced.firing else None,
    )


def _said(one: Ruled, countdown: Countdown | None, first: Ruled | None, safe: bool, now: float) -> str:
    judged = one.advanced.judged
    if not one.advanced.firing:
        state = "pending" if one.advanced.pending else "quiet"
        return state + (f": {judged.message}" if judged.message and (judged.reason or state == "pending") else "")
    if one is not first:
        return f"firing, but {first.rule.id} is true before it and decides" if first is not None else "firing"
    if safe:
        return "firing: already safe, look elsewhere"
    return f"firing: {countdown.told(now)}" if countdown is not None and countdown.due is not None else "firing"


def due_of(site: Site, rule: Rule) -> float | None:
    """Until when people have time for a row that is true, seconds since the epoch; None where it acts at once."""
    told = site.state().matrix.get(rule.when.text)
    if rule.within is None:
        return None
    return told.due if told is not None else site.clock.wall() + rule.within
