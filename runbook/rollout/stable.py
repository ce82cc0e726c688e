"""Declaring a rollout stable: the same decision as for a step up, with nothing above to go to."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.rollout.baseline import leaving_payload
from runbook.rollout.decide import Evidence, decide, refuse_what_came_up
from runbook.rollout.journey import at_the_end, stable_since
from runbook.rollout.lock import service_locked
from runbook.rollout.notices import announce
from runbook.rollout.operation import new_operation, store_is_needed
from runbook.rollout.rows import Decision
from runbook.rollout.site import Site
from runbook.rollout.standing import TAKES_IT, Standing
from runbook.rollout.underway import refuse_if_underway
from runbook.rollout.watch import Tick, look_once
from runbook.store.state import Position
from runbook.system.refusals import Exit, Refusal


@dataclass(frozen=True)
class Ending:
    """What would be declared: the position, what was seen there, and the decision. `since` where it is stable already,
    in seconds since the epoch.
    """

    position: Position
    decision: Decision
    tick: Tick | None
    since: float | None = None


def propose_stable(site: Site, standing: Standing, deadline: float) -> Ending:
    """Look and decide whether the rollout may be declared stable; nothing is changed.

    Raises `Refusal` (no-go) where the end of the ladder is not reached.
    """
    if site.store is None:
        raise store_is_needed(site.store_trouble)
    refuse_if_underway(site)
    position = standing.position
    if position is None or not standing.entered:
        raise _nothing_entered(site, standing)
    since = stable_since(site.state())
    if since is not None:
        return Ending(position, Decision(position.name, "", ()), None, since)
    _refuse_before_the_end(standing, position)
    tick = look_once(site, deadline)
    return Ending(position, decide(site, tick.standing, None, Evidence(tick.facts, tick.ruled)), tick)


def _nothing_entered(site: Site, standing: Standing) -> Refusal:
    steps = [f"runbook ramp {standing.next.percent:g}"] if standing.next else []
    return Refusal(
        f"no stage of {site.name} was entered yet, so there is nothing to declare stable",
        exit_=Exit.NO_GO,
        next_steps=[*steps, "runbook status"],
    )


def _refuse_before_the_end(standing: Standing, position: Position) -> None:
    if at_the_end(standing):
        return
    if standing.gone or standing.next is None:
        raise Refusal(
            f"we are at {position.name}, which is no step of the ladder",
            exit_=Exit.NO_GO,
            next_steps=[f"{TAKES_IT}  says where we are now"],
        )
    raise Refusal(
        f"we are at {position.name}: the next step is {standing.next.name}, which is not optional",
        exit_=Exit.NO_GO,
        next_steps=["runbook gate", f"runbook ramp {standing.next.percent:g}"],
    )


def declare_stable(site: Site, ending: Ending, reason: str = "") -> None:
    """Record that the rollout has ended. The caller has asked whether the decision lets us.

    Raises `Refusal` when somebody is at work, or moved the service since the look.
    """
    operation = new_operation()
    with site.interruptions, service_locked(site, operation, "declare stable") as lock:
        site.forget_state()
        refuse_if_underway(site)
        now = site.state().position
        if now is None or now.since != ending.position.since or site.store is None:
            raise Refusal(
                "somebody moved the service since the look: nothing was declared",
                exit_=Exit.NO_GO,
                next_steps=["runbook status"],
            )
        if ending.tick is not None:
            refuse_what_came_up(site, ending.tick.standing, ending.decision)
        passed = {"stage": now.stage, "percent": now.percent}
        if ending.tick is not None:
            passed = leaving_payload(site, ending.tick.standing, ending.tick.facts)
        site.record(
            site.event("bake.passed", passed, operation=operation, epoch=lock.epoch),
            site.event("rollout.ended", {"why": "stable", "reason": reason}, operation=operation, epoch=lock.epoch),
        )
    announce(site, "stable", {"why": reason})
