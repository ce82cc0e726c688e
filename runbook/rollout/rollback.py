"""The ways down, carried out: one step back, in parts, a stage's own fallback, or to the last good step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from runbook.actions.journal import Journal, TakenOver
from runbook.actions.listener import Listener
from runbook.actions.runner import StepResult, walk
from runbook.actions.steps import Plan
from runbook.flags.changes import FlagTrouble
from runbook.rollout.aftermath import hold_after_robot
from runbook.rollout.ladder import Rung
from runbook.rollout.lock import service_locked
from runbook.rollout.operation import Aim, Ended, begin, entered_event, finish, means_of, new_operation
from runbook.rollout.planning import back_plan, refuse_flags, values_of
from runbook.rollout.ramp import overtaken
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing, standing_by_file, standing_of
from runbook.rollout.underway import refuse_if_underway
from runbook.rollout.ways_down import way_down
from runbook.store.events import Event
from runbook.system.refusals import Exit, Refusal


@dataclass(frozen=True)
class WayBack:
    """Where a way down would go; `to` is None where there is nothing to do, as `message` says.

    `how` is what the position is recorded with: rollback, partial, fallback or previous. `values` are the flags that
    stand after it. `message` also says in words which way it is.
    """

    standing: Standing
    to: Rung | None
    plan: Plan | None
    message: str = ""
    how: str = "rollback"
    values: Mapping[str, str] = field(default_factory=dict)


def propose_back(site: Site, target: str | None = None, how: str = "rollback") -> WayBack:
    """Where to, and the plan. `how` is rollback (one step, or to `target`), partial, halve, fallback, reduce, previous.

    The target is absolute, and belongs to the position seen now: `carry_back` looks at it again. Raises `Refusal`, also
    for a flag file that cannot be edited exactly, and for a way that the playbook does not have.
    """
    try:
        shown = site.shown_flags()
        standing = standing_of(site.playbook, site.state(), shown)
        if site.store is None:
            standing = standing_by_file(site.playbook, shown)
        way = way_down(site, standing, how, target)
        if way.to is None:
            refuse_if_underway(site)
            return WayBack(standing, None, None, way.message, way.how)
        values = values_of(site.playbook, standing, way, shown)
        plan = back_plan(site, standing.position.name if standing.position else "", way, values)
    except FlagTrouble as trouble:
        raise refuse_flags(site, trouble) from trouble
    refuse_if_underway(site)
    left = values or (standing.position.flags if standing.position else {})
    return WayBack(standing, way.to, plan, way.message, way.how, left)


def carry_back(
    site: Site, way: WayBack, listener: Listener, *, reason: str = "", wait: float = 0.0, automatic: str = ""
) -> Ended:
    """Go down. What fails on the way stays down: the rest is done, and the operation stands half done.

    `automatic` is the rule that decided, for a robot: after it the service is held until a person releases it. Raises
    `Refusal` where somebody moved the service since the look, so that what is decided twice is done once.
    """
    plan, to = way.plan, way.to
    assert plan is not None and to is not None  # the caller asked where to go
    operation = new_operation()
    with site.interruptions, service_locked(site, operation, way.how, wait=wait) as lock:
        site.forget_state()
        refuse_if_underway(site)
        refuse_if_moved(site, way.standing)
        why = reason or automatic
        aim = Aim(to.stage.name, to.percent, way.values, why, automatic, site.state().rollout)
        journal = begin(site, plan, aim, lock, operation, store_needed=False)
        context = {"percent": f"{to.percent:g}", "stage": to.stage.name}
        try:
            results = walk(plan, journal, means_of(site, lock, operation, listener, context), go_on=True)
        except TakenOver:
            return overtaken(operation)
        safe = not to.off and to.index == 0
        return end_of_way_back(
            site, journal, plan, results, how=way.how, safe=safe, extra=lambda: hold_after_robot(site, journal)
        )


def refuse_if_moved(site: Site, standing: Standing) -> None:
    """Raises `Refusal` (no-go) where another position was entered since it was looked where we stand."""
    before, now = standing.position if standing.entered else None, site.state().position
    if site.store is None:  # then nothing but the flag file tells, whose edits are held to what was read
        return
    if (now.since if now else None) != (before.since if before else None):
        raise Refusal(
            "somebody moved the service since the look: nothing was changed",
            exit_=Exit.NO_GO,
            next_steps=["runbook status"],
        )


def end_of_way_back(
    site: Site, journal: Journal, plan: Plan, results: Sequence[StepResult], *, how: str, safe: bool,
    extra: Callable[[], Sequence[Event]] = tuple,
) -> Ended:  # fmt: skip
    """How a way back ended: done when every critical step worked; else half done, with the lines to do by hand."""
    failed = [one for one in results if not one.well]
    operation, seconds = journal.header.operation, site.clock.wall() - journal.header.began
    if not failed:
        verified = True if site.verify else None
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
    if unchanged and how != "emergency":
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
