"""Where the emergency goes: to the safe flags, or, past a `one_way` stage, to that stage's own fallback. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from runbook.playbook.model import Fallback, Stage
from runbook.rollout.ladder import Rung, ladder, rung_off
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing, standing_by_file
from runbook.rollout.ways_down import Way, barrier_below


def standing_in_emergency(site: Site, shown: Mapping[str, str | None]) -> Standing:
    """Where we are, as far as anything tells: the events, else the flag file."""
    position = site.state().position
    if position is not None:
        return Standing(ladder(site.playbook), position, True)
    return standing_by_file(site.playbook, shown)


def refuge_of(standing: Standing) -> Way:
    """Where the emergency goes. Where nothing tells where we are, it is the values of `rollback.set`."""
    rungs, here = standing.rungs, standing.place
    first = rungs[0] if rungs else None
    barrier = barrier_below(standing, first) if first and here else None
    if barrier is None or here is None:
        return Way("emergency", first, "to the safe flags", safe=True)
    refuge, own = _within(rungs, barrier, here), barrier.fallback
    if refuge is None or own is None:
        past = f"to the safe flags, past {barrier.name}, which is one_way and has no fallback of its own"
        return Way("emergency", first, past, safe=True)
    message = f"to {refuge.name}: {barrier.name} is one_way, and its own fallback is {own.shown}"
    return Way("emergency", refuge, message, own.action)


def _within(rungs: tuple[Rung, ...], barrier: Stage, here: Rung) -> Rung | None:
    """The step of the one-way stage to go to, with no higher a share than now; None without a fallback of its own."""
    own = barrier.fallback
    if own is None or not holds_within(own):
        return None
    if own.action is not None and here.stage == barrier:
        return here
    lowest = next(rung.percent for rung in rungs if rung.stage == barrier)
    percent = lowest if own.percent is None else own.percent
    return rung_off(rungs, barrier.name, min(percent, here.percent))


def holds_within(fallback: Fallback) -> bool:
    """Whether a fallback stays in its stage: a percentage of it, or an action."""
    return fallback.percent is not None or fallback.action is not None


def position_aimed_at(way: Way) -> tuple[str, float]:
    """The stage and percentage that are recorded; without stages the safe flags' own name."""
    return (way.to.stage.name, way.to.percent) if way.to else ("safe", 0.0)
