"""A person captures the baseline: the numbers since the rung was entered, with those of the looks made for it."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from runbook.judge.facts import Facts
from runbook.rollout.baseline import beyond_critical, captured_payload, kept_numbers, since_of, time_for, wanted
from runbook.rollout.clock_rows import clock_rows
from runbook.rollout.facts import Sight, look_from_here
from runbook.rollout.references import FEWEST, Numbers, numbers_of, usable
from runbook.rollout.rules import tick_of
from runbook.rollout.site import Site
from runbook.rollout.underway import refuse_if_underway
from runbook.store.state import Captured
from runbook.system.refusals import Exit, Refusal

LOOK_DEADLINE = 10.0


@dataclass(frozen=True)
class Taken:
    """What a capture kept: the baseline, the one it replaces, and how much is there of what is needed and left out."""

    captured: Captured
    replaced: Captured | None
    left_out: dict[str, str]


def capture(site: Site, *, seconds: float, reason: str, shown: Callable[[Numbers], None]) -> Taken:
    """Look (again and again for `seconds`, in real time), and keep the numbers since the rung was entered.

    Raises `Refusal` while an operation is under way, where nothing that is held against a baseline has samples enough,
    where the service is moved meanwhile, and where it is asked to stop.
    """
    refuse_if_underway(site)
    refuse_without_store(site)
    sight = _look_for(site, seconds, shown)
    refuse_if_underway(site)
    kept = kept_numbers(site, sight.facts)
    if not set(kept).intersection(wanted(site)):
        raise _too_few(site, sight)
    if beyond := beyond_critical(site, kept):
        message = f"these numbers are no reference: {'; '.join(beyond)}"
        raise Refusal(message, exit_=Exit.NO_GO, next_steps=["runbook now", "runbook health-check"])
    replaced = site.state().baseline
    here = sight.standing.position
    site.record(site.event("baseline.captured", captured_payload(here, kept, how="person", reason=reason)))
    refuse_without_store(site)
    captured = site.state().baseline
    assert captured is not None  # it was recorded just now
    left_out = {name: _lacking(sight.facts, name) for name in wanted(site) if name not in kept}
    return Taken(captured, replaced, left_out)


def refuse_without_store(site: Site) -> None:
    """Raises `Refusal` where the store is away: a reference that cannot be read back is none."""
    if site.store is None:
        message = f"the store is away: {site.store_trouble}. Nothing was captured."
        raise Refusal(message, exit_=Exit.FAILED, next_steps=["runbook doctor"])


def _look_for(site: Site, seconds: float, shown: Callable[[Numbers], None]) -> Sight:
    """The last of the looks within that time. Raises `Refusal` where we are stopped, or the service is moved."""
    until = time.monotonic() + seconds
    first = _entered(site)
    with site.interruptions:
        site.interruptions.heed_hang_up()
        while True:
            began = time.monotonic()
            sight = look_from_here(site, [], LOOK_DEADLINE)
            site.forget_state()
            if _entered(site) != first:
                raise _moved()
            refuse_without_store(site)
            shown(numbers_of(sight.facts.series, since_of(sight.facts)))
            if time.monotonic() >= until:
                return sight
            if _stopped(site, min(began + tick_of(site), until)):
                raise _asked_to_stop(site)


def _entered(site: Site) -> float | None:
    position = site.state().position
    return position.since if position else None


def _stopped(site: Site, wake: float) -> bool:
    """Sleep until then; true when we were asked to stop."""
    while not site.interruptions.stopping and (rest := wake - time.monotonic()) > 0:
        time.sleep(min(rest, 0.1))
    return site.interruptions.stopping


def _moved() -> Refusal:
    message = "the service was moved while its numbers were taken: nothing was captured"
    return Refusal(message, exit_=Exit.NO_GO, next_steps=["runbook status"])


def _asked_to_stop(site: Site) -> Refusal:
    exit_ = Exit.TERMINATED if site.interruptions.signal == signal.SIGTERM else Exit.INTERRUPTED
    message = "stopped: nothing was captured, and what was seen is kept"
    return Refusal(message, exit_=exit_, next_steps=["runbook baseline capture"])


def _lacking(facts: Facts, name: str) -> str:
    """`2 of 10 samples`; where the newest look failed also why."""
    samples = facts.series[name].samples
    why = f"; {samples[-1].error}" if samples and samples[-1].error else ""
    return f"{len(usable(facts.series[name], since_of(facts)))} of {FEWEST} samples{why}"


def _too_few(site: Site, sight: Sight) -> Refusal:
    names = wanted(site)
    if not names:
        message = "the playbook has no metric that is asked for, so there is nothing to capture"
        return Refusal(message, exit_=Exit.NO_GO, next_steps=["runbook lint"])
    facts, here = sight.facts, sight.standing.position
    name = names[0]
    count = len(usable(facts.series[name], since_of(facts)))
    since = f"since {here.name} was entered" if here and sight.standing.entered else "of late"
    message = f"{count} {'sample' if count == 1 else 'samples'} of {name} {since}, {FEWEST} are needed"
    samples = facts.series[name].samples
    if samples and samples[-1].error:
        message += f". The newest look: {samples[-1].error}"
    steps = [f"runbook baseline capture --for {time_for(site, facts)}"]
    for clock in clock_rows(site):  # samples from before the step are none of its own, however long one looks
        message, steps = f"{message}: {clock.observed}", [clock.remedy, *steps]
    return Refusal(message, exit_=Exit.NO_GO, next_steps=steps)
