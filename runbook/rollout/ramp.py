"""One step up the ladder: look, decide, plan; then lock, look again, act, verify, and begin the bake."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass

from runbook.actions.journal import Journal, TakenOver
from runbook.actions.listener import Listener
from runbook.actions.runner import Means, StepResult, walk
from runbook.actions.steps import Plan
from runbook.checks.base import Check
from runbook.flags.changes import FlagTrouble
from runbook.judge.facts import Facts
from runbook.judge.verdicts import Verdict
from runbook.language.places import Problem
from runbook.rollout.baseline import left_events, note_leaving
from runbook.rollout.decide import Evidence, decide, refuse_what_came_up
from runbook.rollout.facts import Sight, facts_of, kept_sight
from runbook.rollout.kit import leave_kit
from runbook.rollout.ladder import Rung, flags_at, named_rungs
from runbook.rollout.lock import service_locked
from runbook.rollout.looking import Look, look, look_with_build
from runbook.rollout.operation import (
    Aim,
    Ended,
    begin,
    entered_event,
    finish,
    means_of,
    new_operation,
    store_is_needed,
)
from runbook.rollout.planning import ramp_plan, refuse_flags
from runbook.rollout.rows import Decision
from runbook.rollout.rules import advance_rules
from runbook.rollout.site import Site
from runbook.rollout.standing import TAKES_IT, Standing, standing_of, ways_out_of_drift
from runbook.rollout.underway import refuse_if_underway
from runbook.rollout.undo import undo
from runbook.store.events import Event
from runbook.store.state import Position
from runbook.system.files import FileTrouble
from runbook.system.refusals import Exit, Refusal


@dataclass(frozen=True)
class Proposal:
    """What `ramp` would do: the rung, the decision with every rule and the facts it rests on, and the plan with its
    undo.
    """

    standing: Standing
    to: Rung
    decision: Decision
    plan: Plan
    look: Look
    facts: Facts


def propose(site: Site, target: str | None, *, deadline: float, dry_run: bool) -> Proposal:
    """Look and decide. Nothing is changed; a dry run keeps nothing of what it saw.

    Raises `Refusal` for a flag file that cannot be edited exactly, an operation under way, or a step that is not the
    next one.
    """
    try:
        shown = site.shown_flags()
        standing = standing_of(site.playbook, site.state(), shown)
        if site.store is None:
            raise store_is_needed(site.store_trouble)
        to = choose(site, standing, target)
        plan = plan_to(site, standing, to)
    except FlagTrouble as trouble:
        raise refuse_flags(site, trouble) from trouble
    refuse_if_underway(site)
    refuse_skipping(standing, to)
    sight = _sight(site, standing, to, deadline=deadline, dry_run=dry_run)
    standing, facts, seen = sight.standing, sight.facts, sight.look
    ruled = advance_rules(site, standing, facts, keep=not dry_run) if standing.entered else []
    rows = tuple(row for row in seen.checks if row.check.checklist != "verify")
    return Proposal(standing, to, decide(site, standing, to, Evidence(facts, ruled, rows)), plan, seen, facts)


def _sight(site: Site, standing: Standing, to: Rung, *, deadline: float, dry_run: bool) -> Sight:
    """What is seen before the step: the checks that it requires, and where a step was entered what became of that."""
    checks = [*required(site, standing, to), *(site.playbook.verify if standing.entered else ())]
    percent, stage, until = to.percent, to.stage.name, time.monotonic() + deadline
    if standing.entered and not dry_run:
        seen = look_with_build(site, checks, deadline=deadline, percent=percent, stage=stage)
        return kept_sight(site, standing, seen, until)
    # A first stage that nobody entered is not judged, but its numbers may be the baseline.
    metrics = standing.entered or bool(standing.stage and standing.stage.baseline)
    seen = look(site, checks, metrics=metrics, deadline=deadline, dry_run=dry_run, percent=percent, stage=stage)
    if dry_run:
        return Sight(standing, seen, facts_of(site, standing, seen))
    return kept_sight(site, standing, seen, until)


def choose(site: Site, standing: Standing, target: str | None) -> Rung:
    """The rung that is meant: the named one, else the next."""
    if standing.gone:
        raise stage_is_gone(site, standing)
    if not standing.rungs:
        raise Refusal(f"{site.playbook.service} has no stages to ramp", next_steps=["runbook health-check"])
    if target is None:
        following = standing.next
        if following is None:
            raise Refusal(
                f"{site.playbook.service} is at the top of its ladder",
                exit_=Exit.NO_GO,
                next_steps=["runbook status", "runbook rollback  goes one step back"],
            )
        return following
    named = named_rungs(standing.rungs, target)
    following = standing.next
    if following in named:
        return following
    return named[0]


def stage_is_gone(site: Site, standing: Standing) -> Refusal:
    """The refusal where the playbook has no longer the stage we stand in."""
    here = standing.position.name if standing.position else ""
    return Refusal(
        f"we are at {here}, and the playbook of {site.playbook.service} has no such stage any more",
        exit_=Exit.NO_GO,
        next_steps=[f"{TAKES_IT}  says where we are now", "runbook rollback --emergency"],
    )


def refuse_skipping(standing: Standing, to: Rung) -> None:
    """Raises `Refusal` (no-go) unless `to` is the next rung."""
    here, following = standing.position, standing.next
    if following is not None and to == following:
        return
    where = f"we are at {here.name}" if here else "no stage was entered yet"
    if here is not None and standing.rung == to:
        message, steps = f"already at {to.name}", ["runbook status"]
    elif following is not None and to.index > following.index:
        message = f"{to.name} is not the next step: {where}, the next step is {following.name}"
        steps = [f"runbook ramp {following.percent:g}"]
    else:
        message = f"{to.name} is not above: {where}"
        steps = [f"runbook rollback --to {to.name}"]
    problems = [Problem(f"drift: {drift}") for drift in standing.drift]
    if problems:
        steps = [*ways_out_of_drift(standing), *steps]
    raise Refusal(message, exit_=Exit.NO_GO, problems=problems, next_steps=steps)


def plan_to(site: Site, standing: Standing, to: Rung) -> Plan:
    """The plan of the step. Raises `FlagTrouble`."""
    flags = site.playbook.flags
    present = site.shown_flags().get(flags.percent) if flags and flags.percent else None
    values = flags_at(site.playbook, to, present)
    return ramp_plan(site, standing.position.name if standing.position else "", to.name, values)


def required(site: Site, standing: Standing, to: Rung) -> list[Check]:
    """The checks of the lists that entering the stage requires; none for a step within a stage."""
    if standing.position is not None and standing.position.stage == to.stage.name:
        return []
    return [check for name in to.stage.requires for check in site.playbook.checklists.get(name, ())]


def allowed(decision: Decision, override: str | None) -> bool:
    """Whether the step may be made: go, or every row against it may be overridden and is."""
    if decision.verdict is Verdict.GO:
        return True
    if not override:
        return False
    against = decision.against()
    checks_hold = Decision(decision.came_from, decision.to, (), decision.checks).verdict is Verdict.GO
    return checks_hold and bool(against) and all(row.can_override for row in against)


def carry_out(site: Site, proposal: Proposal, listener: Listener, *, reason: str = "", wait: float = 0.0) -> Ended:
    """Lock, look again at what matters, act. A failure restores and redeploys."""
    operation = new_operation()
    with site.interruptions, service_locked(site, operation, "ramp", wait=wait) as lock:
        plan = _looked_again(site, proposal)
        state = site.state()
        number = state.rollout or (state.rollouts + 1)
        aim = Aim(
            stage=proposal.to.stage.name,
            percent=proposal.to.percent,
            flags=flags_at(site.playbook, proposal.to),
            reason=reason,
            rollout=number,
            decision=proposal.decision.receipt(),
        )
        leave_kit(site, plan.came_from)
        journal = begin(site, plan, aim, lock, operation, store_needed=True)
        means = means_of(site, lock, operation, listener, {"percent": f"{aim.percent:g}", "stage": aim.stage})
        back = means_of(site, lock, operation, listener, context_of(proposal.standing.position))
        try:
            note_leaving(site, journal, proposal.standing, proposal.facts)
            results = walk(plan, journal, means)
            if all(one.well for one in results) and len(results) == len(plan.steps):
                return _done(site, proposal, journal, plan, results)
            return taken_back(site, journal, plan, results, back)
        except TakenOver:
            return overtaken(operation)
        except FileTrouble as trouble:  # the journal's disk: without it nothing more may be begun
            journal.insist = site.insist = True
            return taken_back(site, journal, plan, [], back, f"{trouble.path}: {trouble.reason}")


def overtaken(operation: str) -> Ended:
    """The end of an operation that an emergency took away: nothing more is touched by us."""
    return Ended(
        "taken-over", Exit.BUSY, "an emergency took over; this operation stopped and touches nothing more", operation
    )


def _looked_again(site: Site, proposal: Proposal) -> Plan:
    """Under the lock: position, hold and files must be what the decision was made on."""
    site.forget_state()
    refuse_if_underway(site)
    state = site.state()
    if site.store is None:
        raise store_is_needed(site.store_trouble)
    before = proposal.standing.position
    now = state.position
    moved = proposal.standing.entered and (now is None or before is None or now.since != before.since)
    if moved or (not proposal.standing.entered and now is not None):
        raise Refusal(
            "somebody moved the service since the look: nothing was changed",
            exit_=Exit.NO_GO,
            next_steps=["runbook status"],
        )
    if now is not None and before is not None and now.baking_since != before.baking_since:
        raise Refusal("a new build came in since the look", exit_=Exit.NO_GO, next_steps=["runbook gate"])
    refuse_what_came_up(site, proposal.standing, proposal.decision)
    try:
        return plan_to(site, proposal.standing, proposal.to)
    except FlagTrouble as trouble:
        raise refuse_flags(site, trouble) from trouble


def _done(site: Site, proposal: Proposal, journal: Journal, plan: Plan, results: Sequence[StepResult]) -> Ended:
    state = site.state()
    events: list[Event] = []
    operation = journal.header.operation
    if state.rollout is None and proposal.to.index > 0:
        told = {"number": journal.header.rollout}
        events.append(site.event("rollout.started", told, operation=operation, epoch=journal.header.epoch))
    begun = state.rollout is not None or proposal.to.index > 0
    events += left_events(site, journal, journal.header.rollout if begun else None)
    verified = True if site.verify else None
    events.append(entered_event(site, journal, how="ramp", verified=verified))
    message = f"{site.playbook.service} is at {plan.to}" + ("" if verified else " (not verified)")
    finish(site, journal, "done", message, results, events)
    return Ended("done", Exit.GO, message, operation, results, seconds=site.clock.wall() - journal.header.began)


def context_of(position: Position | None) -> dict[str, str]:
    """What `${percent}` and `${stage}` mean at a position."""
    return {"percent": f"{position.percent:g}", "stage": position.stage} if position else {}


def taken_back(
    site: Site, journal: Journal, plan: Plan, results: Sequence[StepResult], back: Means, why: str = ""
) -> Ended:
    """A failure on the way: restore, redeploy, verify, and say what is true now. `back` looks from the old position."""
    failed = results[-1] if results else None
    interrupted = site.interruptions.stopping
    why = why or (f"{failed.record.title}: {failed.message}" if failed else "you asked to stop" if interrupted else "")
    undoing = undo(plan, journal, back)
    outcome = "undone" if undoing.over else "half-done"
    exit_ = Exit.FAILED
    if interrupted and undoing.over:
        exit_ = Exit.TERMINATED if site.interruptions.signal == signal.SIGTERM else Exit.INTERRUPTED
    where = plan.came_from or "where it was"
    told = (f"{why}. " if why else "") + ("; ".join(undoing.said) or "nothing had been changed")
    message = (
        f"{told}. {site.playbook.service} is at {where}, as before" if undoing.over else f"{told}. It stands half done"
    )
    finish(site, journal, outcome, message, results)
    return Ended(outcome, exit_, message, journal.header.operation, results, tuple(undoing.by_hand))
