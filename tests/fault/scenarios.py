"""What is killed: commands, each with the state it starts from and where it may lead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.fault.calls import inject, record
from tests.fault.practice import Practice, copy, make
from tests.fault.warm import run_warm


@dataclass(frozen=True)
class Scenario:
    """One command. `before` and `after` are what the flag file may show when it is killed.

    After a kill the ways out are tried in turn; `ends` names the position to which each leads (without it: `undo` to
    `before`, `finish` to `after`, and the emergency always to the first stage). `again` is the exit status of the
    command where it is done already.
    """

    name: str
    argv: tuple[str, ...]
    before: str
    after: str
    prepare: Callable[[Practice], None]
    ends: tuple[tuple[str, str], ...] = ()
    in_place: bool = False
    again: int = 1

    @property
    def command(self) -> str:
        return self.argv[0] if "--emergency" not in self.argv else "emergency"

    @property
    def is_emergency(self) -> bool:
        """Whether the command itself goes on where it was cut off, so that nothing else has to be typed."""
        return self.command == "emergency"

    def may_show(self) -> set[str]:
        """What the flag file may show after anything: a resume that fails may have taken the operation back."""
        return {self.before, self.after, *(position for _, position in self.ends)}

    def end_of(self, way: str) -> str:
        """The position at which a way out ends."""
        return {"undo": self.before, "finish": self.after, "emergency": "dark@0", **dict(self.ends)}[way]


WAYS = ("undo", "finish", "emergency")


RAMP = ("ramp", "50", "--yes")
BACK = ("rollback", "--to", "10", "--yes")
PARTIAL = ("rollback", "--partial", "--yes")
FALLBACK = ("rollback", "--fallback", "--yes")
EMERGENCY = ("rollback", "--emergency", "--yes")
FINISH = ("resume", "--finish")
UNDO = ("resume", "--undo")
RAMPED = (("undo", "tasters@10"), ("finish", "tables@50"))


def _nothing(practice: Practice) -> None:
    """A project without any history."""


def _at_10(practice: Practice) -> None:
    _went(practice, "ramp", "10", "--yes")


def _at_50(practice: Practice) -> None:
    _at_10(practice)
    _went(practice, "ramp", "50", "--yes")


def _went(practice: Practice, *argv: str) -> None:
    ran = run_warm(practice, *argv)
    assert ran.code == 0, f"runbook {' '.join(argv)} should have worked: {ran}"


def cut_off(argv: tuple[str, ...], place: str, start: Callable[[Practice], None]) -> Callable[[Practice], None]:
    """A state in which a command was killed at the last call that touches `place`."""

    def prepare(practice: Practice) -> None:
        start(practice)
        rehearsal = copy(practice, practice.root.with_name(f"{practice.root.name}-rehearsal"))
        calls, ran = record(rehearsal, *argv)
        assert ran.code == 0, f"{argv}: {ran}"
        at = [call for call in calls if call.place.endswith(place)][-1]
        hit = inject(practice, at, "signal=KILL", *argv)
        assert hit.place == at.place, f"{argv} was to be killed at {at}, not at {hit.place}"

    return prepare


def _store_away(start: Callable[[Practice], None]) -> Callable[[Practice], None]:
    """The store's file holds something else; its own bytes lie beside, to be put back."""

    def prepare(practice: Practice) -> None:
        start(practice)
        hide_store(practice)

    return prepare


def hide_store(practice: Practice) -> None:
    """Make the store unreadable: every one of its files is moved aside, and something else stands there."""
    for path in sorted(practice.state.glob("state.db*")):
        path.rename(path.with_name(f"hidden-{path.name}"))
    (practice.state / "state.db").write_bytes(b"this is no database\n" * 200)


def is_store_hidden(practice: Practice) -> bool:
    """Whether `hide_store` was called and not yet undone."""
    return any(practice.state.glob("hidden-state.db*"))


def give_store_back(practice: Practice) -> None:
    """Undo `hide_store`; nothing happens where nothing is hidden."""
    hidden = sorted(practice.state.glob("hidden-state.db*"))
    if hidden:
        for path in practice.state.glob("state.db*"):
            path.unlink()
    for path in hidden:
        path.rename(path.with_name(path.name.removeprefix("hidden-")))


FLAGS_WRITTEN = "locks/*.lock"  # the lock of the flag file is let go: its new bytes stand, the service has the old ones
VERIFIED = "*.jsonl ended"  # everything is done, and the end is about to be written down
JOURNALLED = "conf/.menu.env.runbook-*"  # the new file was about to be written

_in_ramp = cut_off(RAMP, FLAGS_WRITTEN, _at_10)
_in_its_undo = cut_off(UNDO, FLAGS_WRITTEN, _in_ramp)

SCENARIOS = [
    Scenario("ramp", RAMP, "tasters@10", "tables@50", _at_10),
    Scenario("ramp, the first", ("ramp", "10", "--yes"), "dark@0", "tasters@10", _nothing),
    Scenario("rollback", BACK, "tables@50", "tasters@10", _at_50),
    Scenario("fallback", FALLBACK, "tables@50", "tables@20", _at_50, again=0),
    Scenario("emergency", EMERGENCY, "tables@50", "dark@0", _at_50),
    Scenario("emergency over a ramp", EMERGENCY, "tables@50", "dark@0", _in_ramp),
    Scenario("emergency, no store", EMERGENCY, "tables@50", "dark@0", _store_away(_at_50)),
    Scenario("ramp, in place", RAMP, "tasters@10", "tables@50", _at_10, in_place=True),
    Scenario("emergency, in place", EMERGENCY, "tables@50", "dark@0", _at_50, in_place=True),
    Scenario("resume --finish, flags", FINISH, "tables@50", "tables@50", _in_ramp, RAMPED),
    Scenario("resume --undo, flags", UNDO, "tables@50", "tasters@10", _in_ramp, RAMPED),
    Scenario("resume --finish, begun", FINISH, "tasters@10", "tables@50", cut_off(RAMP, JOURNALLED, _at_10), RAMPED),
    Scenario("resume --undo, ended", UNDO, "tables@50", "tasters@10", cut_off(RAMP, VERIFIED, _at_10), RAMPED),
    Scenario("resume, the second time", FINISH, "tasters@10", "tables@50", _in_its_undo, RAMPED),
    Scenario("resume --undo, in place", UNDO, "tables@50", "tasters@10", _in_ramp, RAMPED, in_place=True),
    Scenario("resume --finish, rollback", FINISH, "tasters@10", "tasters@10", cut_off(BACK, FLAGS_WRITTEN, _at_50),
             (("undo", "tables@50"), ("finish", "tasters@10"))),
    Scenario("resume --finish, partial", FINISH, "tables@25", "tables@25", cut_off(PARTIAL, FLAGS_WRITTEN, _at_50),
             (("undo", "tables@50"), ("finish", "tables@25"))),
    Scenario("resume --undo, emergency", UNDO, "dark@0", "tables@50", cut_off(EMERGENCY, FLAGS_WRITTEN, _at_50),
             (("undo", "tables@50"), ("finish", "dark@0"))),
]  # fmt: skip


def template(scenario: Scenario, root: Path) -> Practice:
    """A project in the state from which a scenario starts."""
    practice = make(root, in_place=scenario.in_place)
    scenario.prepare(practice)
    return practice
