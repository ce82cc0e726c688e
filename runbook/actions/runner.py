"""The runner: walks a plan; each undo is written down before the step, each step verified by what it returns."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from runbook.actions.base import Action, Done, Hands
from runbook.actions.journal import Entry, Journal
from runbook.actions.listener import Listener
from runbook.actions.steps import Act, Plan, SetFlags, Step, StepRecord, Verify
from runbook.checks.base import Check, CheckResult
from runbook.flags.changes import FlagChange, FlagTrouble
from runbook.judge.verdicts import Judged, Reason, Status, Truth
from runbook.system.secrets import VariableTrouble

POLL = 0.2  # seconds between two looks of a verify that does not hold yet


@dataclass(frozen=True)
class StepResult:
    """How one step came out. `checks` are the rows of a verify's last look."""

    record: StepRecord
    ok: bool
    message: str = ""
    seconds: float = 0.0
    interrupted: bool = False
    checks: Sequence[CheckResult] = ()
    critical: bool = True

    @property
    def well(self) -> bool:
        """Whether the operation may count it as done: it worked, or the playbook says that it need not."""
        return self.ok or not self.critical


@dataclass
class Means:
    """What a walk needs of the world.

    `look` asks checks once, within the seconds given; `fence` raises when somebody else took over; `holds` judges the
    `when` of an action; `wall` is the time in seconds since the epoch.
    """

    hands: Hands
    look: Callable[[Sequence[Check], float], list[CheckResult]]
    fence: Callable[[str], None]
    wall: Callable[[], float]
    holds: Callable[[str], Judged] = lambda _: Judged(Truth.UNKNOWN, Reason.ERROR, message="nothing can judge it here")
    listener: Listener = field(default_factory=Listener)


def walk(
    plan: Plan, journal: Journal, means: Means, *, go_on: bool = False, skip: frozenset[int] = frozenset()
) -> list[StepResult]:
    """Walk the steps in order. Stops at the first that fails, unless `go_on` (the way back does all it can).

    `skip` are the steps that an earlier walk has done. Raises `TakenOver` when the operation was taken away.
    """
    results: list[StepResult] = []
    for number, step in enumerate(plan.steps):
        if number in skip:
            continue
        record = journal.header.steps[number]
        means.fence(f"step {number + 1} of {len(plan.steps)}, {record.title}")
        if means.hands.stopping():
            results.append(StepResult(record, False, "not begun: you asked to stop", interrupted=True))
            break
        result = _left_out(step, number, record, journal, means) or _one(step, number, record, journal, means)
        results.append(result)
        if not result.well and not go_on:
            break
    return results


def _left_out(step: Step, number: int, record: StepRecord, journal: Journal, means: Means) -> StepResult | None:
    """An action whose `when` does not hold, or cannot be judged, is left out, and that is said."""
    if not isinstance(step, Act) or step.action.when is None:
        return None
    judged = means.holds(step.action.when)
    if judged.holds:
        return None
    why = f"left out: {step.action.when} " + (
        f"is {judged.observed or 'not so'}" if judged.reason is None else f"could not be judged: {judged.message}"
    )
    journal.note(Entry(state="skipped", at=means.wall(), step=number, message=why))
    means.listener.ended(record, "--" if judged.reason is None else "??", why, 0.0)
    return StepResult(record, True, why)


def _one(step: Step, number: int, record: StepRecord, journal: Journal, means: Means) -> StepResult:
    changes = tuple(step.prepared.changes) if isinstance(step, SetFlags) and step.prepared else ()
    journal.note(Entry(state="begun", at=means.wall(), step=number, changes=changes))
    means.listener.begun(record)
    began = time.monotonic()
    if isinstance(step, SetFlags):
        result = _set(step, record, began)
    elif isinstance(step, Verify):
        result = verify(step, record, means)
    else:
        done = perform(step.action, noting_processes(means.hands, journal, number, means.wall))
        result = StepResult(record, done.ok, done.message, done.duration, done.interrupted)
    if isinstance(step, Act):
        result = replace(result, critical=step.action.critical)
    journal.note(Entry(state="done" if result.ok else "failed", at=means.wall(), step=number, message=result.message))
    means.listener.ended(record, "ok" if result.ok else "NO", result.message, result.seconds)
    return result


def _set(step: SetFlags, record: StepRecord, began: float) -> StepResult:
    try:
        message = _write(step)
    except FlagTrouble as trouble:
        told = f"{trouble.path}: {trouble.reason}" + (f" ({trouble.hint})" if trouble.hint else "")
        return StepResult(record, False, told, time.monotonic() - began)
    return StepResult(record, True, message, time.monotonic() - began)


def _write(step: SetFlags) -> str:
    if step.prepared is not None and not step.prepared.changes:
        step.file.recover()  # an edit that was cut off may have left its temporary file
        return "the file shows the values already"
    try:
        if step.prepared is not None:
            step.file.apply(step.prepared)
            return ""
    except FlagTrouble:
        if not step.insist:
            raise
    written = step.file.force(step.values)
    return f"{len(written.changes)} written over what stood there"


def noting_processes(hands: Hands, journal: Journal, number: int, wall: Callable[[], float]) -> Hands:
    """The same hands, with each process group written into the journal as soon as it exists."""

    def started(pid: int) -> None:
        journal.note(Entry(state="started", at=wall(), step=number, pid=pid))
        hands.started(pid)

    return replace(hands, operation=f"{hands.operation}/{number}", started=started)


def perform(action: Action, hands: Hands) -> Done:
    """Do an action, up to `attempts` times."""
    done = Done(False, "never tried")
    for _ in range(max(1, action.attempts)):
        try:
            done = action.options.act(hands, action.timeout)
        except VariableTrouble as trouble:
            return Done(False, str(trouble))
        if done.ok or done.interrupted:
            break
    return done


def verify(step: Verify, record: StepRecord, means: Means) -> StepResult:
    """Ask until everything holds `passes` times in a row, and once more after `settle`; or until `within` has passed.

    A verify that never answered has failed: only passing rows end it well.
    """
    began = time.monotonic()
    until = began + step.within
    in_a_row, settled = 0, step.settle <= 0
    while True:
        rows = means.look(step.checks, max(0.5, until - time.monotonic()))
        in_a_row = in_a_row + 1 if _all_hold(rows) else 0
        if in_a_row >= step.passes:
            if settled:
                return StepResult(record, True, _said(rows), time.monotonic() - began, checks=rows)
            settled, in_a_row, until = True, 0, until + step.settle
            _pause(step.settle, means)
        if time.monotonic() >= until:
            return StepResult(record, False, _said(rows), time.monotonic() - began, checks=rows)
        if means.hands.stopping():
            return StepResult(record, False, "you asked to stop", time.monotonic() - began, True, rows)
        _pause(POLL, means)


def _pause(seconds: float, means: Means) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0 and not means.hands.stopping():
        time.sleep(min(left, 0.1))


def _all_hold(rows: Sequence[CheckResult]) -> bool:
    counted = [row for row in rows if row.status is not Status.SKIPPED and row.check.level != "warn"]
    return bool(counted) and all(row.status in (Status.PASS, Status.WAIVED) for row in counted)


def _said(rows: Sequence[CheckResult]) -> str:
    """What the rows saw; only those that do not hold, when there are some."""
    wrong = [row for row in rows if row.status in (Status.FAIL, Status.UNKNOWN) and row.check.level != "warn"]
    if wrong:
        return "; ".join(f"{row.check.title}: {row.message or row.observed or row.status}" for row in wrong)
    return "; ".join(f"{row.check.title} {row.observed}".strip() for row in rows if row.status is Status.PASS)


@dataclass(frozen=True)
class FlagsUndone:
    """What became of the values of one flag file: restored keys, and keys left with the value that stands there."""

    place: str
    restored: tuple[str, ...]
    left: tuple[tuple[str, str | None], ...]
    trouble: str = ""
    changed: bool = False  # the file was written; a key whose old value stood there already needs no writing


def undo_flags(step: SetFlags, changes: Sequence[FlagChange]) -> FlagsUndone:
    """Put the old values back, only where the present value is still the one that this operation wrote."""
    try:
        undone = step.file.undo(changes)
    except FlagTrouble as trouble:
        return FlagsUndone(step.file.shown, (), (), f"{trouble.reason}")
    return FlagsUndone(step.file.shown, tuple(undone.restored), tuple(undone.left), changed=bool(undone.diff))
