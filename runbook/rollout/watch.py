"""Watching a bake: look, judge, keep; and, where the triggers are armed, act on what fires."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from runbook.actions.listener import Listener
from runbook.judge.rules import Rule, choose
from runbook.judge.verdicts import Verdict
from runbook.rollout.decide import Evidence, bake_of, decide
from runbook.rollout.emergency import Alarm, emergency
from runbook.rollout.facts import look_from_here
from runbook.rollout.holds import changes_of_robots, hold, hold_everything
from runbook.rollout.looking import Look
from runbook.rollout.operation import Ended
from runbook.rollout.planning import safe_values
from runbook.rollout.rows import Decision
from runbook.rollout.rules import Ruled, advance_rules, tick_of
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing, shows_safe
from runbook.rollout.watchers import Watching, watching

ROBOT_LIMIT = 3  # automatic changes in ten minutes over all services; then everything is held
LOOK_DEADLINE = 10.0


@dataclass(frozen=True)
class Tick:
    """One look at the bake: where we are, every rule, and what fired."""

    standing: Standing
    look: Look
    decision: Decision
    ruled: tuple[Ruled, ...]
    fired: tuple[Ruled, ...]


@dataclass(frozen=True)
class Watched:
    """How a watch ended. `why` is bake over, fired, time over, asked to stop, moved, or nothing to watch."""

    why: str
    tick: Tick | None = None
    ended: Ended | None = None


def look_once(site: Site, deadline: float = LOOK_DEADLINE) -> Tick:
    """One tick: look at metrics and reachability, keep the samples, advance the rules, judge the gates."""
    sight = look_from_here(site, site.playbook.verify, deadline)
    standing, facts = sight.standing, sight.facts
    ruled = tuple(advance_rules(site, standing, facts)) if standing.entered else ()
    decision = decide(site, standing, standing.next, Evidence(facts, ruled))
    fired = tuple(one for one in ruled if one.advanced.firing and not one.rule.dry_run)
    return Tick(standing, sight.look, decision, ruled, fired)


def watch(
    site: Site, listener: Listener, *, act: bool, seconds: float | None, to_the_end: bool,
    shown: Callable[[Tick], None],
) -> Watched:  # fmt: skip
    """Look every tick until the bake is over (`to_the_end`), the time is over, something fires, or we are stopped."""
    until = None if seconds is None else time.monotonic() + seconds
    told: set[str] = set()
    with site.interruptions, watching(site, armed=act) as watcher:
        if not act:
            site.interruptions.heed_hang_up()
        first = site.state().position
        while True:
            began = time.monotonic()
            site.forget_state()
            if site.state().position != first:
                return Watched("moved")
            tick = look_once(site)
            shown(tick)
            if act and tick.fired:
                ended = act_on(site, listener, tick, told)
                if ended is not None:
                    return Watched("fired", tick, ended)
            bake = bake_of(site, tick.standing)
            if bake is None:
                return Watched("nothing to watch", tick)
            if to_the_end and bake.over:
                return Watched("bake over", tick)
            if until is not None and time.monotonic() >= until:
                return Watched("time over", tick)
            if _slept(site, watcher, began + tick_of(site), until, bake.left if to_the_end else None):
                return Watched("asked to stop", tick)


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


def act_on(site: Site, listener: Listener, tick: Tick, told: set[str]) -> Ended | None:
    """Do what the fired rules say: at most one changing action; the tellers come along. None when nothing changed."""
    acting, others = choose([(one.rule, _target(one.rule)) for one in tick.fired])
    by_id = {one.rule.id: one for one in tick.fired}
    for rule in [*others, *([acting] if acting else [])]:
        if rule.id not in told:
            told.add(rule.id)
            _tell(site, listener, by_id[rule.id])
    if acting is None:
        return None
    why = f"{acting.when.text} ({by_id[acting.id].advanced.judged.observed})"
    if acting.action == "hold":
        if site.state().hold_at(site.clock.wall()) is None:
            hold(site, reason=why, until=None, automatic=True)
            listener.say(f"held by the trigger {why}; runbook release lets it go on")
        return None
    return _way_back(site, listener, why)


def _way_back(site: Site, listener: Listener, why: str) -> Ended | None:
    shown, _ = site.flags_or_trouble()
    if shown and shows_safe(safe_values(site.playbook), [shown]):
        listener.say(f"{why}: already safe, look elsewhere")
        return None
    held = site.state().hold_at(site.clock.wall())
    if held is not None and (held.robots or not held.automatic):
        by = "after an automatic way back" if held.automatic else f"by {held.by}"
        listener.say(f"{why}: held {by}, so nothing is changed; runbook rollback --emergency is yours")
        return None
    if changes_of_robots(site) >= ROBOT_LIMIT:
        hold_everything(site, f"three automatic changes in ten minutes; not rolled back any more: {why}")
        listener.say("everything is held: three automatic changes in ten minutes are the limit")
        return None
    return emergency(site, listener, Alarm(reason=why, rule=why))


def _tell(site: Site, listener: Listener, one: Ruled) -> None:
    judged = one.advanced.judged
    listener.say(f"trigger fired: {one.rule.when.text} ({judged.observed}) -> {one.rule.then}")
    site.record(
        site.event(
            "trigger.fired",
            {"rule": one.rule.id, "when": one.rule.when.text, "then": one.rule.then, "observed": judged.observed},
        )
    )


def _target(rule: Rule) -> float | None:
    """The percentage that an action leaves; None for what changes nothing."""
    return 0.0 if rule.action == "rollback" else None


def verdict_of_watch(watched: Watched) -> Verdict:
    """What a watch ends with: a trigger that fired is a no; else what the last look says of triggers and gates."""
    if watched.ended is not None or (watched.tick is not None and watched.tick.fired):
        return Verdict.NO_GO
    return watched.tick.decision.verdict if watched.tick is not None else Verdict.UNKNOWN
