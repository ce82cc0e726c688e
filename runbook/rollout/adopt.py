"""Adopt: what is there becomes the start; or its opposite, the recorded values are written back."""

from __future__ import annotations

from runbook.actions.journal import TakenOver
from runbook.actions.listener import Listener
from runbook.actions.runner import walk
from runbook.actions.steps import Plan
from runbook.flags.changes import FlagTrouble
from runbook.rollout.ladder import Rung, flags_at, named_rungs
from runbook.rollout.lock import service_locked
from runbook.rollout.operation import Aim, Ended, begin, finish, means_of, new_operation
from runbook.rollout.planning import refuse_flags, set_steps, steps_to
from runbook.rollout.ramp import overtaken
from runbook.rollout.rollback import WayBack
from runbook.rollout.site import Site
from runbook.rollout.standing import TAKES_IT, Standing, standing_of
from runbook.rollout.underway import refuse_if_underway
from runbook.store.events import Event
from runbook.system.refusals import Exit, Refusal


def adopt(site: Site, target: str, reason: str) -> Rung:
    """Take what is there as the start, at this position. Raises `Refusal`."""
    try:
        shown = site.shown_flags()
    except FlagTrouble as trouble:
        raise refuse_flags(site, trouble) from trouble
    refuse_if_underway(site)
    standing = standing_of(site.playbook, site.state(), shown)
    found = named_rungs(standing.rungs, target)
    if len(found) > 1:
        names = ", ".join(rung.name for rung in found)
        raise Refusal(f"{target} may be {names}", next_steps=[f"runbook adopt {found[0].name} --reason ..."])
    rung = found[0]
    try:  # a file that cannot be edited exactly is found out now and not at the next ramp
        set_steps(site, flags_at(site.playbook, rung))
    except FlagTrouble as trouble:
        raise refuse_flags(site, trouble) from trouble
    operation = new_operation()
    with site.interruptions, service_locked(site, operation, "adopt") as lock:
        site.forget_state()
        refuse_if_underway(site)
        state = site.state()
        events: list[Event] = []
        if state.rollout is None and rung.index > 0:
            number = {"number": state.rollouts + 1}
            events.append(site.event("rollout.started", number, operation=operation, epoch=lock.epoch))
        told = {
            "stage": rung.stage.name,
            "percent": rung.percent,
            "from": standing.position.name if standing.position else "",
            "how": "adopt",
            "reason": reason,
            "flags": {key: value for key, value in shown.items() if value is not None},
            "boot": site.clock.boot_id(),
            "boot_time": site.clock.boot_time(),
        }
        events.append(site.event("position.entered", told, operation=operation, epoch=lock.epoch))
        site.record(*events)
    return rung


def propose_restore(site: Site) -> WayBack:
    """The plan that writes the recorded values back. Raises `Refusal` when nothing was ever recorded."""
    position = site.state().position
    if position is None:
        raise Refusal(
            "nothing is recorded yet, so there is nothing to restore",
            exit_=Exit.NO_GO,
            next_steps=[TAKES_IT],
        )
    try:
        shown = site.shown_flags()
        standing = standing_of(site.playbook, site.state(), shown)
        steps = steps_to(site, set_steps(site, position.flags))
    except FlagTrouble as trouble:
        raise refuse_flags(site, trouble) from trouble
    refuse_if_underway(site)
    if not standing.drift and not standing.missing:
        return WayBack(standing, None, None, "nothing to do: the flag file is as it was left")
    return WayBack(standing, standing.rung or _here(standing), Plan("adopt", position.name, position.name, steps))


def _here(standing: Standing) -> Rung:
    """The rung nearest to a position off the ladder, for its stage's sake."""
    return next(rung for rung in standing.rungs if standing.position and rung.stage.name == standing.position.stage)


def restore(site: Site, way: WayBack, listener: Listener, reason: str) -> Ended:
    """Write the recorded values back, redeploy, verify. The bake of the rung we are on runs on."""
    plan, position = way.plan, way.standing.position
    assert plan is not None and position is not None  # the caller asked where to go
    operation = new_operation()
    with site.interruptions, service_locked(site, operation, "adopt --restore") as lock:
        site.forget_state()
        refuse_if_underway(site)
        aim = Aim(position.stage, position.percent, position.flags, reason, rollout=site.state().rollout)
        journal = begin(site, plan, aim, lock, operation, store_needed=True)
        context = {"percent": f"{position.percent:g}", "stage": position.stage}
        try:
            results = walk(plan, journal, means_of(site, lock, operation, listener, context), go_on=True)
        except TakenOver:
            return overtaken(operation)
        if all(one.ok for one in results):
            message = f"the recorded values of {plan.to} are restored"
            finish(site, journal, "done", message, results)
            return Ended("done", Exit.GO, message, operation, results)
        told = "; ".join(f"{one.record.title}: {one.message}" for one in results if not one.ok)
        finish(site, journal, "half-done", told, results)
        by_hand = tuple(one.record.by_hand for one in results if not one.ok and one.record.by_hand)
        return Ended("half-done", Exit.FAILED, told, operation, results, by_hand)
