"""Watching: look, judge, keep; and, where the rules are armed, let the robot act on what fires."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runbook.actions.listener import Listener
from runbook.judge.facts import Facts
from runbook.judge.rules import Ruled
from runbook.judge.verdicts import Verdict
from runbook.rollout.bake_rows import bake_of
from runbook.rollout.decide import Evidence, decide
from runbook.rollout.facts import look_from_here
from runbook.rollout.looking import Look
from runbook.rollout.matrix import deciding, is_own_action, note_matrix
from runbook.rollout.notices import announce_gate
from runbook.rollout.planning import flags_are_safe
from runbook.rollout.receipts import keep_decision
from runbook.rollout.recovery import note_recovery
from runbook.rollout.robot import Acted, Robot, has_done
from runbook.rollout.rows import Decision
from runbook.rollout.rules import advance_rules, tick_of
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing
from runbook.rollout.watchers import Watching, watching
from runbook.store.state import Position

LOOK_DEADLINE = 10.0


@dataclass(frozen=True)
class Tick:
    """One look: where we are, every rule, and what fired. `told` is what else happened, in sentences."""

    standing: Standing
    look: Look
    facts: Facts
    decision: Decision
    ruled: tuple[Ruled, ...]
    fired: tuple[Ruled, ...]
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Watched:
    """How a watch ended. `why` is bake over, fired, time over, asked to stop, moved, the store is away, or nothing to
    watch; `acted` is the change that a rule made.
    """

    why: str
    tick: Tick | None = None
    acted: Acted | None = None


def look_once(site: Site, deadline: float = LOOK_DEADLINE) -> Tick:
    """One tick: look at metrics and reachability, keep the samples, advance the rules, judge the gates.

    What changed by itself is recorded: a new build, rows of the matrix, numbers that recovered after a way back; and
    that the way up is open is announced.
    """
    sight = look_from_here(site, site.playbook.verify, deadline)
    standing, facts = sight.standing, sight.facts
    ruled = tuple(advance_rules(site, standing, facts))
    note_matrix(site, ruled)
    told = tuple(text for text in (sight.told, note_recovery(site, facts)) if text)
    decision = decide(site, standing, standing.next, Evidence(facts, ruled))
    if standing.entered and standing.next is not None and decision.verdict is Verdict.GO:
        announce_gate(site)
    return Tick(standing, sight.look, facts, decision, ruled, tuple(fired_of(ruled)), told)


def fired_of(ruled: Sequence[Ruled]) -> list[Ruled]:
    """The rules that fire and may act: of the matrix only the row that decides."""
    first = deciding(ruled)
    return [
        one
        for one in ruled
        if one.advanced.firing and not one.rule.dry_run and (one.rule.source != "matrix" or one is first)
    ]


def watch(
    site: Site, listener: Listener, *, act: bool, seconds: float | None, to_the_end: bool,
    shown: Callable[[Tick], None],
) -> Watched:  # fmt: skip
    """Look every tick until the bake is over (`to_the_end`), the time is over, something fires, or we are stopped.

    An armed watch stays beyond the bake while a rule that would change the service is pending or firing.
    """
    until = None if seconds is None else time.monotonic() + seconds
    told: set[str] = set()
    with site.interruptions, watching(site, armed=act) as watcher:
        if not act:
            site.interruptions.heed_hang_up()
        first = known = site.state().position
        while True:
            began = time.monotonic()
            site.forget_state()
            if moved := _moved(site, first):
                return Watched(moved)
            tick = look_once(site)
            keep_decision(site, tick.decision, "watch")
            shown(tick)
            for text in tick.told or _new_build(site, known):
                listener.say(text)
            known = site.state().position
            if act and (acted := act_on(site, listener, tick, told)) is not None:
                return Watched("fired", tick, acted)
            bake = bake_of(site, tick.standing)
            if bake is None and (until is None or not watched_without_bake(site)):
                return Watched("nothing to watch", tick)
            left = bake.left if to_the_end and bake is not None else None
            if left == 0 and not (act and stays_for(site, tick, told)):
                return Watched("bake over", tick)
            if until is not None and time.monotonic() >= until:
                return Watched("time over", tick)
            if _slept(site, watcher, began + tick_of(site), until, left or None):
                return Watched("asked to stop", tick)


def stays_for(site: Site, tick: Tick, told: set[str]) -> list[Ruled]:
    """The rules that an armed watch stays for: they change or hold, are true now, and have not done what they can."""
    first, safe = deciding(tick.ruled), flags_are_safe(site)
    return [
        one
        for one in tick.ruled
        if (one.rule.action == "hold" or (one.rule.changes and (not safe or is_own_action(site, one.rule))))
        and not one.rule.dry_run
        and (one.advanced.firing or one.advanced.pending)
        and (one.rule.source != "matrix" or one is first or first is None)
        and not has_done(told, one.rule)
    ]


def _moved(site: Site, first: Position | None) -> str:
    """Why a watch ends before its next look: somebody moved the service, or nobody can tell. A new build is no move."""
    here = site.state().position
    if site.store is None and first is not None:
        return "the store is away"
    return "" if _entered(here) == _entered(first) else "moved"


def _new_build(site: Site, known: Position | None) -> list[str]:
    """What is said of a new build that somebody else's look saw first."""
    here = site.state().position
    if here is None or known is None or here.rebaked == known.rebaked or here.since != known.since:
        return []
    return [f"a new build {here.version or ''} came in mid-bake: the bake begins again"]


def _entered(position: Position | None) -> tuple[str, float] | None:
    return None if position is None else (position.name, position.since)


def watched_without_bake(site: Site) -> bool:
    """Whether there is something to see where nothing bakes: the matrix, or numbers that have to recover."""
    rollback = site.playbook.rollback
    return bool(site.playbook.matrix or (rollback is not None and rollback.recovered))


def _slept(site: Site, watcher: Watching, next_look: float, until: float | None, left: float | None) -> bool:
    """Sleep until the next look is due (or the bake or the time ends); true when we were asked to stop."""
    watcher.looked()
    wake = next_look
    if until is not None:
        wake = min(wake, until)
    if left is not None:
        wake = min(wake, time.monotonic() + left)
    while (rest := wake - time.monotonic()) > 0:
        if site.interruptions.stopping:
            return True
        time.sleep(min(rest, 0.1))
    return site.interruptions.stopping


def act_on(site: Site, listener: Listener, tick: Tick, told: set[str]) -> Acted | None:
    """Do what the rules that fired at this look say; None when the service was not changed.

    `told` is what was said already; it is kept from look to look.
    """
    return Robot(site, listener, tick.standing, tick.facts, told).act(tick.fired)


def verdict_of_watch(watched: Watched) -> Verdict:
    """What a watch ends with: a rule that fired is a no, but for a row of the matrix that only tells; else what the
    last look says of rules and gates.
    """
    fired = watched.tick.fired if watched.tick is not None else ()
    if watched.acted is not None or any(one.rule.source != "matrix" for one in fired):
        return Verdict.NO_GO
    return watched.tick.decision.verdict if watched.tick is not None else Verdict.UNKNOWN
