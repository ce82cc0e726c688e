"""Steps of an operation, as data: planning, running, explaining and showing are separate readers of the same list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from runbook.actions.base import Action
from runbook.checks.base import Check
from runbook.flags.changes import FlagChange
from runbook.flags.target import FlagFile, Prepared


class StepRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step as it is shown, journalled and sent to the store: enough to undo it on another machine.

    `place`, `changes`, `values` and `insist` belong to a step that sets flags: the file as the playbook names it, what
    was planned, what is wanted, and whether it is written also where an exact edit is refused.
    """

    kind: str
    title: str
    detail: str = ""
    undo: str = ""
    by_hand: str = ""
    diff: tuple[str, ...] = ()
    place: str = ""
    in_place: bool = False
    changes: tuple[FlagChange, ...] = ()
    values: dict[str, str] = {}
    insist: bool = False


@dataclass(frozen=True)
class SetFlags:
    """Set the values of declared keys in one flag file; with `insist` also where an exact edit is refused."""

    file: FlagFile
    prepared: Prepared | None
    values: dict[str, str]
    insist: bool = False

    def record(self) -> StepRecord:
        changes = self.prepared.changes if self.prepared else ()
        count = len(changes)
        detail = f"{count} value{'' if count == 1 else 's'} in {self.file.shown}"
        if not count and not self.insist:
            detail = f"no value changes; {self.file.shown} shows them already"
        return StepRecord(
            kind="set",
            title="flags",
            detail=detail,
            undo=f"restore {count} value{'' if count == 1 else 's'}" if count else "",
            by_hand="; ".join(self.file.by_hand(self.values)),
            diff=self.prepared.diff if self.prepared else (),
            place=self.file.shown,
            in_place=self.file.in_place,
            changes=tuple(changes),
            values=dict(self.values),
            insist=self.insist,
        )


@dataclass(frozen=True)
class Redeploy:
    """Make the service read its flags."""

    action: Action

    def record(self) -> StepRecord:
        preview = self.action.options.preview()
        return StepRecord(
            kind="redeploy",
            title="redeploy",
            detail=preview,
            undo="the same, after the flags",
            by_hand=self.action.options.by_hand(),
        )


@dataclass(frozen=True)
class Act:
    """One more thing to do on the way; relative URLs start at `url`."""

    action: Action
    url: str | None = None

    def record(self) -> StepRecord:
        undo = self.action.undo
        return StepRecord(
            kind="do",
            title=self.action.title,
            detail=self.action.options.preview(),
            undo=undo.options.preview() if undo else "",
            by_hand=self.action.options.by_hand(self.url),
        )


@dataclass(frozen=True)
class Verify:
    """Look until every check holds `passes` times in a row, once more after `settle`, for `within` seconds at most."""

    checks: Sequence[Check]
    within: float = 30.0
    settle: float = 0.0
    passes: int = 1
    url: str = ""

    def record(self) -> StepRecord:
        titles = "; ".join(check.title for check in self.checks)
        return StepRecord(kind="verify", title="verify", detail=f"{titles}   up to {self.within:g} s")


Step = SetFlags | Redeploy | Act | Verify


@dataclass(frozen=True)
class Plan:
    """What an operation would do, from where to where. `kind` is ramp, rollback, emergency, adopt or resume."""

    kind: str
    came_from: str
    to: str
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = field(default=())

    def records(self) -> tuple[StepRecord, ...]:
        return tuple(step.record() for step in self.steps)
