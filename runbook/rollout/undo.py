"""Undo: put back what an operation wrote, redeploy, verify; and say what is true after it."""

from __future__ import annotations

from dataclasses import dataclass, field

from runbook.actions.journal import Entry, Journal
from runbook.actions.runner import Means, noting_processes, perform, undo_flags, verify
from runbook.actions.steps import Act, Plan, Redeploy, SetFlags, StepRecord, Verify

TOUCHED = ("begun", "done", "failed", "left")


@dataclass
class Undoing:
    """How an undo came out.

    `over` tells that the old values stand and the service runs with them, as far as verify can tell: the operation is
    ended. `said` are sentences for people, `by_hand` what is left to do for them.
    """

    over: bool = True
    changed: bool = False
    said: list[str] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)


def undo(plan: Plan, journal: Journal, means: Means) -> Undoing:
    """Undo last-in first-out, each step once; one that fails does not stop the rest. Signals wait.

    Flags and the undo of actions first, then one redeploy for all of them, then verify. An undo of flags is applied
    only where the present value is still the one that this operation wrote.
    """
    undoing = Undoing()
    means.hands.stopping = lambda: False
    # Also where an undo before this one was cut off after its redeploy: only verify tells whether it is over.
    before = any(journal.state_of(number) == "undone" for number in range(len(plan.steps)))
    touched = [number for number in range(len(plan.steps)) if journal.state_of(number) in TOUCHED]
    restored = True
    for number in reversed(touched):
        step = plan.steps[number]
        if isinstance(step, SetFlags):
            restored = _flags(step, number, journal, means, undoing) and restored
        elif isinstance(step, Act) and step.action.undo is not None:
            _action(step, number, journal, means, undoing)
    deployed = _redeploy(plan, touched, journal, means, undoing)
    holds = _verify(plan, means, undoing) if undoing.changed or before or deployed is not None else None
    if holds is False and deployed is None:  # it was never redeployed by us, and does not run with the old values
        deployed = _redeploy(plan, list(range(len(plan.steps))), journal, means, undoing)
        holds = _verify(plan, means, undoing) if deployed is not None else holds
    undoing.over = restored and (holds is True or (holds is None and deployed is not False))
    return undoing


def _flags(step: SetFlags, number: int, journal: Journal, means: Means, undoing: Undoing) -> bool:
    means.fence("undo of the flags")
    done = undo_flags(step, journal.changes_of(number))
    undoing.changed = undoing.changed or done.changed
    for key, present in done.left:
        undoing.said.append(f"{key} in {done.place} is {present} by somebody else's hand, and was left")
    record = journal.header.steps[number]
    if done.trouble:
        undoing.said.append(f"{done.place} could not be put back: {done.trouble}")
        old = {change.key: change.old for change in journal.changes_of(number) if change.old is not None}
        undoing.by_hand += step.file.by_hand(old)
        means.listener.ended(_undo_record(record), "NO", done.trouble, 0.0)
        return False
    journal.note(Entry(state="undone", at=means.wall(), step=number))
    if done.changed:
        undoing.said.append(f"restored {', '.join(done.restored)} in {done.place}")
        means.listener.ended(_undo_record(record), "ok", f"restored {len(done.restored)} in {done.place}", 0.0)
    return True


def _undo_record(record: StepRecord) -> StepRecord:
    return StepRecord(kind=record.kind, title=f"undo {record.title}", detail=record.undo, by_hand=record.by_hand)


def _action(step: Act, number: int, journal: Journal, means: Means, undoing: Undoing) -> None:
    action = step.action.undo
    assert action is not None  # the caller looked
    done = perform(action, noting_processes(means.hands, journal, number, means.wall))
    undoing.changed = True
    record = _undo_record(journal.header.steps[number])
    means.listener.ended(record, "ok" if done.ok else "NO", done.message, done.duration)
    if not done.ok:
        undoing.said.append(f"the undo of {step.action.title!r} failed: {done.message}")
        undoing.by_hand.append(action.options.by_hand())
    journal.note(Entry(state="undone" if done.ok else "left", at=means.wall(), step=number, message=done.message))


def _redeploy(plan: Plan, touched: list[int], journal: Journal, means: Means, undoing: Undoing) -> bool | None:
    """Redeploy once more when the redeploy was begun; None when it never was."""
    begun = [number for number in touched if isinstance(plan.steps[number], Redeploy)]
    if not begun:
        return None
    step = plan.steps[begun[-1]]
    assert isinstance(step, Redeploy)  # filtered above
    record = _undo_record(journal.header.steps[begun[-1]])
    means.fence("undo: redeploy")
    means.listener.begun(record)
    done = perform(step.action, noting_processes(means.hands, journal, begun[-1], means.wall))
    means.listener.ended(record, "ok" if done.ok else "NO", done.message, done.duration)
    journal.note(Entry(state="undone" if done.ok else "left", at=means.wall(), step=begun[-1], message=done.message))
    if not done.ok:
        undoing.said.append(f"the redeploy of the undo failed: {done.message}")
        undoing.by_hand.append(step.action.options.by_hand())
    return done.ok


def _verify(plan: Plan, means: Means, undoing: Undoing) -> bool | None:
    """Verify with the old values; None where the playbook has no verify."""
    steps = [step for step in plan.steps if isinstance(step, Verify)]
    if not steps:
        return None
    record = steps[-1].record()
    means.listener.begun(record)
    result = verify(steps[-1], record, means)
    means.listener.ended(record, "ok" if result.ok else "NO", result.message, result.seconds)
    if not result.ok:
        undoing.said.append(f"verify does not hold after the undo: {result.message}")
    return result.ok
