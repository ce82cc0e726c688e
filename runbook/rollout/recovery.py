"""Recovery: after a way back, whether the numbers have come back too (`rollback.recovered`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from runbook.judge.facts import Facts
from runbook.judge.rules import Advanced, Rule, RuleState, advance
from runbook.language.conditions import names_in, parse_condition
from runbook.language.durations import show_duration
from runbook.rollout.facts import look_from_here
from runbook.rollout.kept import keep_note, kept_note
from runbook.rollout.notices import announce
from runbook.rollout.rules import tick_of
from runbook.rollout.site import Site
from runbook.system.signals import Interruptions

LONGEST = 1800.0  # seconds that recovery is watched for; a sandbox shortens it
SHORTEST = 60.0
LOOK_DEADLINE = 10.0
KEPT = "recovery"  # the name of the note with the clocks of the condition
WAYS = ("rollback", "emergency")  # the last way back that counts, as positions are entered by it


class Kept(msgspec.Struct):
    """The clocks of the condition, for the way back that ended then (seconds since the epoch)."""

    since: float
    state: RuleState


@dataclass(frozen=True)
class Recovery:
    """One look at whether the numbers have recovered. `seconds` are those since the way back began."""

    condition: str
    advanced: Advanced
    seconds: float

    @property
    def recovered(self) -> bool:
        return self.advanced.firing

    @property
    def seen(self) -> str:
        """What was seen: the number, or why there is none."""
        judged = self.advanced.judged
        return judged.observed or f"unknown: {judged.message or judged.reason}"

    @property
    def sentence(self) -> str:
        return f"recovered after {show_duration(self.seconds)}: {self.condition} ({self.seen})"


def awaited(site: Site) -> str:
    """The condition that is still waited for after the last way back; an empty text where there is none."""
    rollback, state = site.playbook.rollback, site.state()
    if rollback is None or not rollback.recovered or state.way_back is None or state.recovered is not None:
        return ""
    return rollback.recovered if state.position is not None and state.position.how in WAYS else ""


def missing_reference(condition: str, facts: Facts) -> str:
    """Why the condition can never be judged: it compares with numbers that were not captured; empty where it can."""
    uses = names_in(parse_condition(condition))
    missing = sorted({use.name for use in uses if use.role == "reference" and use.name not in facts.references})
    if not missing:
        return ""
    metrics = ", ".join(dict.fromkeys(use.name for use in uses if use.role == "metric"))
    kept = "no baseline was captured" if missing == ["baseline"] else f"no numbers of {', '.join(missing)} were kept"
    return f"{kept}; watching {metrics} alone cannot tell"


def look_at_recovery(site: Site, facts: Facts) -> Recovery | None:
    """Judge the awaited condition now, keep its clocks, and record `recovered` when it holds; None: none is awaited."""
    condition, state = awaited(site), site.state()
    if not condition or state.way_back is None:
        return None
    since = state.way_back.at
    rule = Rule(id="recovered", when=parse_condition(condition), then="notify", source="recovered")
    kept = kept_note(site, KEPT, Kept)
    before = kept.state if kept is not None and kept.since == since else RuleState()
    advanced = advance(rule, facts, before, interval=tick_of(site))
    seen = Recovery(condition, advanced, max(0.0, facts.now - since + state.way_back.seconds))
    if not seen.recovered:
        keep_note(site, KEPT, Kept(since=since, state=advanced.state))
        return seen
    told = {
        "seconds": round(seen.seconds, 3),
        "observed": seen.seen,
        "condition": condition,
        "boot": site.clock.boot_id(),
        "boot_time": site.clock.boot_time(),
    }
    site.record(site.event("recovered", told))
    announce(site, "recovered", {"why": condition})
    return seen


def note_recovery(site: Site, facts: Facts) -> str:
    """For every look after a way back: records when the numbers have recovered, and says so; else an empty text."""
    seen = look_at_recovery(site, facts)
    return seen.sentence if seen is not None and seen.recovered else ""


@dataclass(frozen=True)
class WatchedRecovery:
    """How the watching ended. `recovered` is None where it could not be told at all."""

    recovered: bool | None
    message: str


def time_for_recovery(site: Site) -> float:
    """How many seconds recovery is watched: half an hour, which a sandbox shortens to no less than a minute."""
    scale = site.environment.bake_scale
    return max(SHORTEST, LONGEST * scale) if scale != 1.0 else LONGEST


def watch_recovery(site: Site, shown: Callable[[str], None], *, longest: float | None = None) -> WatchedRecovery:
    """Look every tick until the numbers have recovered, the time is over, or a person leaves. Changes nothing.

    `shown` gets each value as it is seen.
    """
    limit = time_for_recovery(site) if longest is None else longest
    until, last = time.monotonic() + limit, ""
    with Interruptions() as leaving:
        leaving.heed_hang_up()
        while True:
            began = time.monotonic()
            site.forget_state()
            ended, last = _look(site, shown, last)
            if ended is not None:
                return ended
            if _left(leaving, min(began + tick_of(site), until)):
                return WatchedRecovery(False, f"left; it saw {last} last" if last else "left before anything was seen")
            if time.monotonic() >= until:
                told = f"not recovered after {show_duration(limit)} of watching: it saw {last} last"
                return WatchedRecovery(False, told)


def _look(site: Site, shown: Callable[[str], None], last: str) -> tuple[WatchedRecovery | None, str]:
    """One look: how the watching ends by it, if it does, and what was seen."""
    condition = awaited(site)
    if site.store is None:
        return WatchedRecovery(None, f"the store is away ({site.store_trouble}), so recovery is not watched"), last
    if not condition:
        return WatchedRecovery(None, "nothing is waited for any more: the service was moved, or it has recovered"), last
    facts = look_from_here(site, site.playbook.verify, LOOK_DEADLINE).facts
    if why := missing_reference(condition, facts):
        return WatchedRecovery(None, why), last
    seen = look_at_recovery(site, facts)
    if seen is None:
        return None, last
    if seen.seen != last:
        shown(seen.seen)
    return (WatchedRecovery(True, seen.sentence) if seen.recovered else None), seen.seen


def _left(leaving: Interruptions, wake: float) -> bool:
    """Wait until then; true when a person leaves before."""
    while (rest := wake - time.monotonic()) > 0 and not leaving.stopping:
        time.sleep(min(rest, 0.1))
    return leaving.stopping
