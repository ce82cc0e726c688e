"""What is killed: commands, each with the state it starts from and where it may lead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.fault.calls import inject, record
from tests.fault.practice import Practice, copy, make


@dataclass(frozen=True)
class Scenario:
    """One command. `before` and `after` are positions; `ways` are the ways out that are tried in turn after a kill."""

    name: str
    argv: tuple[str, ...]
    before: str
    after: str
    prepare: Callable[[Practice], None]
    ways: tuple[str, ...] = ("undo", "finish", "emergency")
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def command(self) -> str:
        return self.argv[0] if "--emergency" not in self.argv else "emergency"

    @property
    def repeats(self) -> bool:
        """Whether the command itself goes on where it was cut off, so that nothing else has to be typed."""
        return self.command in ("emergency", "resume")


RAMP = ("ramp", "50", "--yes")
BACK = ("rollback", "--to", "10", "--yes")
EMERGENCY = ("rollback", "--emergency", "--yes")


def _nothing(practice: Practice) -> None:
    """A project without any history."""


def _at_10(practice: Practice) -> None:
    practice.went("ramp", "10", "--yes")


def _at_50(practice: Practice) -> None:
    _at_10(practice)
    practice.went("ramp", "50", "--yes")


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

SCENARIOS = [
    Scenario("ramp", RAMP, "tasters@10", "tables@50", _at_10),
    Scenario("ramp, the first", ("ramp", "10", "--yes"), "dark@0", "tasters@10", _nothing),
    Scenario("rollback", BACK, "tables@50", "tasters@10", _at_50),
    Scenario("emergency", EMERGENCY, "tables@50", "dark@0", _at_50),
    Scenario("emergency over a ramp", EMERGENCY, "tables@50", "dark@0", cut_off(RAMP, FLAGS_WRITTEN, _at_10)),
    Scenario("emergency, no store", EMERGENCY, "tables@50", "dark@0", _store_away(_at_50)),
    Scenario("resume --finish, flags", ("resume", "--finish"), "tables@50", "tables@50",
             cut_off(RAMP, FLAGS_WRITTEN, _at_10)),
    Scenario("resume --undo, flags", ("resume", "--undo"), "tables@50", "tasters@10",
             cut_off(RAMP, FLAGS_WRITTEN, _at_10)),
    Scenario("resume --finish, begun", ("resume", "--finish"), "tasters@10", "tables@50",
             cut_off(RAMP, JOURNALLED, _at_10)),
    Scenario("resume --undo, ended", ("resume", "--undo"), "tables@50", "tasters@10",
             cut_off(RAMP, VERIFIED, _at_10)),
    Scenario("resume --finish, rollback", ("resume", "--finish"), "tasters@10", "tasters@10",
             cut_off(BACK, FLAGS_WRITTEN, _at_50)),
    Scenario("resume --undo, emergency", ("resume", "--undo"), "dark@0", "tables@50",
             cut_off(EMERGENCY, FLAGS_WRITTEN, _at_50)),
]  # fmt: skip


def template(scenario: Scenario, folder: Path) -> Practice:
    """A project in the state from which a scenario starts."""
    practice = make(folder / scenario.name.replace(", ", "-").replace(" ", "_"))
    scenario.prepare(practice)
    return practice
