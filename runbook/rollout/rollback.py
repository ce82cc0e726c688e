"""The way back along the ladder: one step, or to a named rung. Down is always allowed; drift does not stop it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runbook.actions.journal import Journal, TakenOver
from runbook.actions.listener import Listener
from runbook.actions.runner import StepResult, walk
from runbook.actions.steps import Plan
from runbook.flags.changes import FlagTrouble
from runbook.rollout.ladder import Rung, below, flags_at, named_rungs
from runbook.rollout.lock import service_locked
from runbook.rollout.operation import Aim, Ended, begin, entered_event, finish, means_of, new_operation
from runbook.rollout.planning import refuse_flags, rollback_plan
from runbook.rollout.ramp import overtaken
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing, standing_by_file, standing_of
from runbook.rollout.underway import refuse_if_underway
from runbook.store.events import Event
from runbook.system.refusals import Exit, Refusal


@dataclass(frozen=True)
class WayBack:
    """Where a rollback would go; `to` is None where there is nothing to do."""

    standing: Standing
    to: Rung | None
    plan: Plan | None
    message: str = ""


def propose_back(site: Site, target: str | None) -> WayBack:
    """Where to, and the plan. Raises `Refusal`, also for a flag file that cannot be edited exactly."""
    try:
        shown = site.shown_flags()
        standing = standing_of(site.playbook, site.state(), shown)
        if site.store is None:
            standing = standing_by_file(site.playbook, shown)
        to = lower_rung(site, standing, target)
        if to is None:
            refuse_if_underway(site)
            here = standing.position.name if standing.position else "before the first stage"
            return WayBack(standing, None, None, f"nothing to do: {site.playbook.service} is at {here}, the first step")
        percent = site.playbook.flags.percent if site.playbook.flags else None
        values = flags_at(site.playbook, to, shown.get(percent) if percent else None)
        if percent in values:  # going down, the percentage is written first
            values = {percent: values[percent], **values}
        came_from = standing.position.name if standing.position else ""
        plan = rollback_plan(site, came_from, to.name, values)
    except FlagTrouble as trouble:
        raise refuse_flags(site, trouble) from trouble
    refuse_if_underway(site)
    return WayBack(standing, to, plan)


def lower_rung(site: Site, standing: Standing, target: str | None) -> Rung | None:
    """The rung to go to: one down, or the nearest one below with the named percentage or stage."""
    position = standing.position
    if not standing.rungs:
        raise Refusal(f"{site.playbook.service} has no stages", next_steps=["runbook rollback --emergency"])
    if position is None and site.store is None:
        raise Refusal(
            f"the store is away ({site.store_trouble}) and the flag file shows no step of the ladder",
            exit_=Exit.FAILED,
            next_steps=["runbook rollback --emergency  needs neither"],
        )
    if position is None:
        return None
    if target is None:
        return below(standing.rungs, position)
    here = standing.rung
    limit = here.index if here else len(standing.rungs)
    found = named_rungs(standing.rungs, target)
    lower = [rung for rung in found if rung.index < limit and rung.percent <= position.percent]
    if lower:
        return lower[-1]
    if here in found:
        raise Refusal(
            f"already at {position.name}", exit_=Exit.NO_GO, next_steps=["runbook rollback  goes one step back"]
        )
    raise Refusal(
        f"{found[0].name} is not below {position.name}",
        exit_=Exit.NO_GO,
        next_steps=[f"runbook ramp {found[0].percent:g}  goes up, one step at a time"],
    )


def carry_back(
    site: Site, way: WayBack, listener: Listener, *, reason: str = "", wait: float = 0.0, automatic: str = ""
) -> Ended:
    """Go back. What fails on the way down stays down: the rest is done, and the operation stands half done."""
    plan, to = way.plan, way.to
    assert plan is not None and to is not None  # the caller asked where to go
    operation = new_operation()
    with site.interruptions, service_locked(site, operation, "rollback", wait=wait) as lock:
        site.forget_state()
        refuse_if_underway(site)
        aim = Aim(to.stage.name, to.percent, flags_at(site.playbook, to), reason, automatic, site.state().rollout)
        journal = begin(site, plan, aim, lock, operation, store_needed=False)
        context = {"percent": f"{to.percent:g}", "stage": to.stage.name}
        try:
            results = walk(plan, journal, means_of(site, lock, operation, listener, context), go_on=True)
        except TakenOver:
            return overtaken(operation)
        return end_of_way_back(site, journal, plan, results, how="rollback", safe=to.index == 0)


def end_of_way_back(
    site: Site, journal: Journal, plan: Plan, results: Sequence[StepResult], *, how: str, safe: bool,
    extra: Callable[[], Sequence[Event]] = tuple,
) -> Ended:  # fmt: skip
    """How a way back ended: done when every critical step worked; else half done, with the lines to do by hand."""
    failed = [one for one in results if not one.well]
    operation, seconds = journal.header.operation, site.clock.wall() - journal.header.began
    if not failed:
        verified = True if site.playbook.verify else None
        events = [entered_event(site, journal, how=how, verified=verified)]
        if safe and (site.store is None or site.state().rollout is not None):
            epoch = journal.header.epoch
            events.append(site.event("rollout.ended", {"why": "safe again"}, operation=operation, epoch=epoch))
        message = f"{site.playbook.service} is at {plan.to}" + ("" if verified else " (not verified)")
        finish(site, journal, "done", message, results, [*events, *extra()])
        return Ended("done", Exit.GO, message, operation, results, seconds=seconds)
    told = "; ".join(f"{one.record.title}: {one.message}" for one in failed)
    by_hand = tuple(one.record.by_hand for one in failed if one.record.by_hand)
    unchanged = all(not one.ok for one in results if one.record.kind == "set") and _nothing_written(journal)
    if unchanged and how == "rollback":
        message = f"{told}. Nothing was changed"
        finish(site, journal, "nothing", message, results, extra())
        return Ended("nothing", Exit.FAILED, message, operation, results, by_hand, seconds=seconds)
    site.record(*extra())
    finish(site, journal, "half-done", told, results)
    return Ended("half-done", Exit.FAILED, told, operation, results, by_hand, seconds=seconds)


def _nothing_written(journal: Journal) -> bool:
    """Whether no flag step can have written: each time one was begun, in this walk or an earlier one, it failed."""
    steps = [number for number, step in enumerate(journal.header.steps) if step.kind == "set"]
    states = [entry.state for entry in journal.entries if entry.step in steps]
    return bool(steps) and "done" not in states and states.count("begun") == states.count("failed")
