"""Resume: finish or undo an operation that was cut off. It works from the journal, not from the playbook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from runbook.actions.journal import Entry, Header, Journal, TakenOver
from runbook.actions.listener import Listener
from runbook.actions.runner import Means, StepResult, walk
from runbook.actions.steps import Act, Plan, SetFlags, Step
from runbook.flags.changes import FlagTrouble
from runbook.flags.target import FlagFile
from runbook.playbook.load import from_plain
from runbook.rollout.aftermath import aftermath, hold_after_robot
from runbook.rollout.baseline import left_events
from runbook.rollout.lock import Lock, service_locked
from runbook.rollout.operation import Ended, entered_event, finish, means_of
from runbook.rollout.planning import steps_to, way_steps
from runbook.rollout.ramp import overtaken, taken_back
from runbook.rollout.rollback import end_of_way_back
from runbook.rollout.site import Site
from runbook.rollout.underway import Underway
from runbook.store.events import Event
from runbook.store.fold import WAYS_DOWN
from runbook.system.processes import end_marked
from runbook.system.refusals import Exit, Refusal


@dataclass(frozen=True)
class CutOff:
    """A cut-off operation, made whole again: the site as it was meant then, its plan, and its journal."""

    site: Site
    plan: Plan
    journal: Journal


def reopen(site: Site, found: Underway) -> CutOff:
    """Rebuild the operation from its header. Raises `Refusal` when the header cannot be read by this version."""
    header = found.header
    loaded = from_plain(header.sections, f"journal of {header.operation}")
    environment = loaded.playbook.environments.get(header.environment) if loaded.playbook else None
    if loaded.playbook is None or environment is None:
        raise Refusal(
            "the journal of the operation cannot be read by this version of the tool",
            exit_=Exit.FAILED,
            problems=loaded.problems,
            next_steps=["runbook rollback --emergency"],
        )
    site.playbook, site.environment = loaded.playbook, environment
    journal = found.journal or Journal.begin(site.journals, site.slug, header)
    steps = (*_flag_steps(site, header), *_other_steps(site, header))
    return CutOff(site, Plan(header.kind, header.came_from, header.to, steps), journal)


def _flag_steps(site: Site, header: Header) -> list[Step]:
    """The flag edits, as they were wanted; what is to be written is worked out anew."""
    return [
        SetFlags(
            FlagFile(site.project, record.place, record.in_place, site.state_folder),
            None,
            record.values,
            insist=record.insist,
        )
        for record in header.steps
        if record.kind == "set"
    ]


def _other_steps(site: Site, header: Header) -> tuple[Step, ...]:
    """Redeploy, what else there was to do, verify: made again from the header's own sections, in the same order."""
    recorded = [(one.kind, one.title) for one in header.steps if one.kind != "set"]
    for steps in _as_planned(site, header):
        records = [step.record() for step in steps]
        if [(one.kind, one.title) for one in records] == recorded:
            return steps
    raise Refusal(
        "the journal of the operation tells of other steps than its sections",
        exit_=Exit.FAILED,
        next_steps=["runbook rollback --emergency"],
    )


def _as_planned(site: Site, header: Header) -> Iterator[tuple[Step, ...]]:
    """The ways in which an operation of this kind is planned, but for its flags."""
    if header.kind not in WAYS_DOWN:
        yield steps_to(site, [])
        return
    flags = [step for step in _flag_steps(site, header) if isinstance(step, SetFlags)]
    for action in (None, *(stage.fallback.action for stage in site.playbook.stages if stage.fallback)):
        steps = way_steps(site, flags, action)
        yield steps[len(flags) :]


def finish_cut_off(cut: CutOff, listener: Listener, *, wait: float = 0.0) -> Ended:
    """Do what was not done: the flags as planned, redeploy, the rest, verify."""
    site, journal, header = cut.site, cut.journal, cut.journal.header
    with site.interruptions, service_locked(site, header.operation, "resume", wait=wait) as lock:
        _end_what_runs(journal)
        try:
            plan = Plan(cut.plan.kind, cut.plan.came_from, cut.plan.to, tuple(_prepared(s) for s in cut.plan.steps))
        except FlagTrouble as trouble:
            return _left(site, journal, f"{trouble.path}: {trouble.reason}")
        means = _means(site, lock, header, listener, going_on=True)
        try:
            results = walk(plan, journal, means, go_on=header.kind != "ramp", skip=_nothing_to_do(plan, journal))
        except TakenOver:
            return overtaken(header.operation)
        if header.kind == "adopt":
            return _restored(site, journal, results)
        if header.kind != "ramp":
            return _way_back_finished(site, journal, plan, results)
        if all(result.well for result in results):
            return _finished(site, journal, results)
        return _taken_back(site, journal, plan, results, lock, listener)


def _restored(site: Site, journal: Journal, results: Sequence[StepResult]) -> Ended:
    """An `adopt --restore` moves nothing: the bake of the rung we are on runs on."""
    header = journal.header
    failed = [f"{one.record.title}: {one.message}" for one in results if not one.well]
    if failed:
        return _left(site, journal, "; ".join(failed))
    message = f"the recorded values of {header.to} are restored"
    finish(site, journal, "done", message, results)
    return Ended("done", Exit.GO, message, header.operation, results)


def _way_back_finished(site: Site, journal: Journal, plan: Plan, results: Sequence[StepResult]) -> Ended:
    header, opened = journal.header, list[int]()
    emergency = header.kind == "emergency"
    safe = _is_first(site, header) or (emergency and not site.playbook.stages)
    extra = (lambda: aftermath(site, journal, opened)) if emergency else lambda: hold_after_robot(site, journal)
    ended = end_of_way_back(site, journal, plan, results, how=header.kind, safe=safe, extra=extra)
    return replace(ended, incident=opened[0] if opened else None)


def _end_what_runs(journal: Journal) -> None:
    """End the processes that the cut-off steps left running."""
    for mark in journal.unfinished():
        end_marked(mark)


def _prepared(step: Step) -> Step:
    if not isinstance(step, SetFlags) or not step.values:
        return step
    try:
        return SetFlags(step.file, step.file.prepare(step.values), step.values, step.insist)
    except FlagTrouble:
        if not step.insist:
            raise
        return step


def _nothing_to_do(plan: Plan, journal: Journal) -> frozenset[int]:
    """The actions that were done already. Flags are looked at again, redeploy and verify run all the same."""
    return frozenset(
        number for number, step in enumerate(plan.steps) if isinstance(step, Act) and journal.state_of(number) == "done"
    )


def _is_first(site: Site, header: Header) -> bool:
    stages = site.playbook.stages
    return bool(stages) and stages[0].name == header.stage and stages[0].rungs[0].percent == header.percent


def _finished(site: Site, journal: Journal, results: Sequence[StepResult]) -> Ended:
    header, state = journal.header, site.state()
    events: list[Event] = []
    rollout = state.rollout
    if rollout is None and not _is_first(site, header):
        rollout = header.rollout
        events.append(
            site.event("rollout.started", {"number": rollout}, operation=header.operation, epoch=header.epoch)
        )
    events += left_events(site, journal, rollout)
    events.append(entered_event(site, journal, how="ramp", verified=True if site.verify else None))
    message = f"finished: {header.service} is at {header.to}"
    finish(site, journal, "done", message, results, events)
    return Ended("done", Exit.GO, message, header.operation, results)


def undo_cut_off(cut: CutOff, listener: Listener, *, wait: float = 0.0) -> Ended:
    """Take back what was done: the old values, redeploy, verify. Done is exit 0, since it is what was asked for."""
    site, journal, header = cut.site, cut.journal, cut.journal.header
    with site.interruptions, service_locked(site, header.operation, "resume", wait=wait) as lock:
        _end_what_runs(journal)
        try:
            ended = _taken_back(site, journal, cut.plan, [], lock, listener)
        except TakenOver:
            return overtaken(header.operation)
    if ended.outcome != "undone":
        return ended
    message = f"undone: {header.service} is at {header.came_from or 'where it was'}"
    return Ended("undone", Exit.GO, message, header.operation, ended.results)


def _taken_back(
    site: Site, journal: Journal, plan: Plan, results: Sequence[StepResult], lock: Lock, listener: Listener
) -> Ended:
    # A journal that came from the store alone does not know how far it got: every step may have been begun.
    if not journal.entries:
        for number in range(len(plan.steps)):
            journal.note(Entry(state="begun", at=site.clock.wall(), step=number))
    return taken_back(site, journal, plan, results, _means(site, lock, journal.header, listener, going_on=False))


def _means(site: Site, lock: Lock, header: Header, listener: Listener, *, going_on: bool) -> Means:
    position = site.state().position
    if going_on:
        context = {"percent": f"{header.percent:g}", "stage": header.stage}
    else:
        context = {"percent": f"{position.percent:g}", "stage": position.stage} if position else {}
    return means_of(site, lock, header.operation, listener, context)


def _left(site: Site, journal: Journal, message: str) -> Ended:
    finish(site, journal, "half-done", message, [])
    return Ended("half-done", Exit.FAILED, message, journal.header.operation)
