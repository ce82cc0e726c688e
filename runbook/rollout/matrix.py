"""The decision matrix: rows judged wherever we stand, the first that is true decides, and people have `within` to act.

Pure but for what is kept: the states of the rows between looks, and the events that say since when a row is true.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from runbook.judge.facts import Facts
from runbook.judge.rules import Rule, Ruled, RuleState, advance
from runbook.judge.verdicts import Status, Truth
from runbook.language.conditions import parse_condition
from runbook.language.durations import show_duration
from runbook.playbook.model import Playbook
from runbook.rollout.against_danger import answer_to
from runbook.rollout.countdowns import Countdown, answered, countdowns, runs_an_action
from runbook.rollout.kept import keep_note, kept_note
from runbook.rollout.planning import flags_are_safe
from runbook.rollout.rows import Row
from runbook.rollout.site import Site
from runbook.store.state import Due, State

KEPT = "matrix"


class KeptRows(msgspec.Struct):
    """The states of the rows, by condition: unlike a stage's triggers they belong to no position."""

    states: dict[str, RuleState]


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


def matrix_rows(ruled: Sequence[Ruled], site: Site) -> list[Row]:
    """The rows of the matrix for a decision: one that is true and changes or holds says no, the others are shown."""
    rows = [one for one in ruled if one.rule.source == "matrix"]
    if not rows:
        return []
    first = deciding(rows)
    flags_safe = flags_are_safe(site)
    safe = first is not None and first.rule.changes and flags_safe and not is_own_action(site, first.rule)
    running = {one.when: one for one in countdowns(site.playbook, site.state(), safe=flags_safe)}
    return [_row(one, site, running, first, safe) for one in rows]


def answer_here(site: Site, then: str) -> str:
    """What a person types to do what a rule says, as the service stands now."""
    state = site.state()
    held = state.hold_at(site.clock.wall()) is not None
    return answer_to(site.playbook, state, then, safe=flags_are_safe(site), held=held)


def is_own_action(site: Site, rule: Rule) -> bool:
    """Whether the rule runs an action of the stage's own, which leaves the flags as they are."""
    return rule.action == "fallback" and runs_an_action(site.playbook, site.state())


def _row(one: Ruled, site: Site, running: Mapping[str, Countdown], first: Ruled | None, safe: bool) -> Row:
    rule, advanced, judged = one.rule, one.advanced, one.advanced.judged
    status = status_of(one)
    countdown = running.get(rule.when.text)
    acts = rule.changes or rule.action == "hold"
    typed = rule.then if advanced.firing and one is first else ""
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
        counts=status is Status.PASS or (acts and (status is Status.FAIL or advanced.pending)),
        remedy=answer_here(site, typed) if typed else "",
        severity=rule.severity,
        due=countdown.due if countdown is not None and advanced.firing else None,
    )


def _said(one: Ruled, countdown: Countdown | None, first: Ruled | None, safe: bool, now: float) -> str:
    judged = one.advanced.judged
    if not one.advanced.firing:
        state = pending_told(one) if one.advanced.pending else "quiet" if judged.reason is None else "not known"
        return state + (f": {judged.message}" if judged.message and (judged.reason or one.advanced.pending) else "")
    if one is not first:
        return f"firing, but {first.rule.when.text} is true before it and decides" if first is not None else "firing"
    if safe:
        return "firing: already safe, look elsewhere"
    return f"firing: {countdown.told(now)}" if countdown is not None and countdown.due is not None else "firing"


def status_of(one: Ruled) -> Status:
    """A rule whose condition is true now says no, also where it is not true for long enough yet. One that cannot be
    judged is not known to be quiet. That nobody answers is unknown until it has been so for its minute.
    """
    if one.advanced.firing or (one.advanced.pending and one.advanced.judged.truth is Truth.TRUE):
        return Status.FAIL if one.advanced.firing or one.rule.source != "built in" else Status.UNKNOWN
    # What is pending and cannot be judged now is unknown too: `tick` neither counts that time nor begins anew.
    return Status.UNKNOWN if one.advanced.judged.reason is not None or one.advanced.pending else Status.PASS


def pending_told(one: Ruled) -> str:
    """How long a rule that is pending has been true: `pending: for 20 s of 1 m`."""
    clock, due_in = one.advanced.state.clock, one.advanced.due_in
    elapsed = clock.elapsed(clock.seen) if clock.seen is not None else 0.0
    if due_in:
        return f"pending: for {_lasted(elapsed)} of {_lasted(elapsed + due_in)}"
    return "pending: seen true once, the next look decides" if due_in is not None else "pending"


def _lasted(seconds: float) -> str:
    return show_duration(round(seconds) if seconds >= 1 else seconds)


def due_of(site: Site, rule: Rule) -> float | None:
    """Until when people have time for a row that is true, seconds since the epoch; None where it acts at once."""
    told = site.state().matrix.get(rule.when.text)
    if rule.within is None:
        return None
    return told.due if told is not None else site.clock.wall() + rule.within
