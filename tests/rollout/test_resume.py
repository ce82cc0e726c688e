"""An operation that was killed, ended or undone from its journal, wherever the journal broke off.

A child process does a whole operation and is killed. Its folder is copied once for each place where the journal may
have broken off, and the flag file and what runs are put to what they can have been at that moment: a step that was
begun has happened, or it has not.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from runbook.actions.journal import Entry
from runbook.rollout.operation import Ended
from runbook.rollout.ramp import propose
from runbook.rollout.resume import finish_cut_off, reopen, undo_cut_off
from runbook.rollout.underway import underway
from runbook.system.refusals import Exit, Refusal
from tests.clocks import SetClock
from tests.places import PROJECT
from tests.rollout.site import PLAYBOOK, STAGES, House, make_house, open_house

KINDS = ("ramp", "rollback", "emergency")
TEXT = PLAYBOOK + STAGES.replace("rollback: {", "rollback: {steps: [{do: Note it, run: echo noted >> notes.log}], ")
GOES = {"ramp": ("canary@5", "canary@10"), "rollback": ("canary@5", "off@0"), "emergency": ("canary@5", "off@0")}


@dataclass(frozen=True)
class World:
    """A moment at which the process may have died: after so many entries, with the file and the service old or new."""

    kind: str
    entries: int
    flags_new: bool
    live_new: bool
    torn: bool = False
    kept: tuple[Entry, ...] = ()


def killed_in(folder: Path, kind: str) -> None:
    """Do it in a process of its own, which is killed when its last step is done."""
    argv = [sys.executable, "-m", "tests.rollout.cut_off", str(folder), kind]
    ended = subprocess.run(argv, cwd=PROJECT, capture_output=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One folder a kind, in which the operation was walked to its end and the process killed before it told."""
    folders = {}
    for kind in KINDS:
        folder = tmp_path_factory.mktemp(kind)
        house = make_house(folder, TEXT)
        house.stand_at(GOES[kind][0])
        shutil.copy(house.file(".env"), house.file("before.env"))
        house.store.close()
        killed_in(folder, kind)
        shutil.copy(house.file(".env"), house.file("after.env"))
        folders[kind] = folder
    return folders


def entries_of(folder: Path) -> list[Entry]:
    [path] = (folder / ".runbook" / "journal").glob("*/*.jsonl")
    return [msgspec.json.decode(line, type=Entry) for line in path.read_bytes().splitlines()[1:]]


def worlds(kind: str, folder: Path) -> Iterator[World]:
    entries = entries_of(folder)
    for count in range(len(entries) + 1):
        for flags_new in may_be(entries[:count], 0):
            for live_new in may_be(entries[:count], 1):
                if flags_new or not live_new:
                    yield World(kind, count, flags_new, live_new, kept=tuple(entries[:count]))


def may_be(entries: list[Entry], step: int) -> tuple[bool, ...]:
    states = [entry.state for entry in entries if entry.step == step]
    return (True,) if "done" in states else (False, True) if states else (False,)


def house_in(world: World, killed: dict[str, Path], folder: Path) -> House:
    """A copy of the folder as it was at that moment."""
    shutil.copytree(killed[world.kind], folder, symlinks=True)
    [path] = (folder / ".runbook" / "journal").glob("*/*.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    kept = lines[: 1 + world.entries]
    if world.torn:
        kept.append(lines[1 + world.entries][: len(lines[1 + world.entries]) // 2])
    path.write_bytes(b"".join(kept))
    for name, new in ((".env", world.flags_new), ("live.env", world.live_new)):
        shutil.copy(folder / ("after.env" if new else "before.env"), folder / name)
    return open_house(folder, SetClock(), operator="ben")


def resume(house: House, way: str) -> Ended | None:
    found = underway(house.site)
    if found is None:
        return None
    assert not found.alive
    cut = reopen(house.site, found)
    return finish_cut_off(cut, house.heard) if way == "finish" else undo_cut_off(cut, house.heard)


def check_end(house: House, world: World, ended: Ended | None, way: str) -> None:
    before, after = GOES[world.kind]
    name, file = (after, "after.env") if way == "finish" else (before, "before.env")
    assert ended is not None
    assert (ended.exit, ended.outcome) == (Exit.GO, "done" if way == "finish" else "undone")
    assert house.env() == house.file(file).read_text()
    assert house.file("live.env").read_text() == house.env()
    assert house.at() == name
    assert house.site.state().operation is None
    kinds = house.kinds()
    assert kinds.count("operation.ended") == 1
    if world.entries:
        assert kinds.count("operation.started") == 1
    assert house.journals() == []
    if world.kind != "ramp" and way == "finish":
        noted = "done" in [entry.state for entry in world.kept if entry.step == 2]
        assert len(house.file("notes.log").read_text().splitlines()) == (1 if noted else 2)  # one is of the child
    again = open_house(house.folder, house.clock)
    assert underway(again.site) is None


@pytest.mark.parametrize("way", ["finish", "undo"])
@pytest.mark.parametrize("kind", KINDS)
def test_wherever_it_broke_off_it_can_be_finished_and_undone(
    kind: str, way: str, killed: dict[str, Path], tmp_path: Path
) -> None:
    moments = list(worlds(kind, killed[kind]))
    assert len(moments) >= 12
    for number, world in enumerate(moments):
        house = house_in(world, killed, tmp_path / str(number))
        ended = resume(house, way)
        assert ended is not None, world
        try:
            check_end(house, world, ended, way)
        except AssertionError as wrong:
            raise AssertionError(f"after {world.entries} entries: {world}: {ended}") from wrong
        house.store.close()


@pytest.mark.parametrize("way", ["finish", "undo"])
@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_a_torn_last_line_is_a_write_that_never_took_effect(
    count: int, way: str, killed: dict[str, Path], tmp_path: Path
) -> None:
    flags_new = "done" in [entry.state for entry in entries_of(killed["ramp"])[:count]]
    world = World("ramp", count, flags_new=flags_new, live_new=False, torn=True)
    house = house_in(world, killed, tmp_path / "torn")
    check_end(house, world, resume(house, way), way)


def test_a_header_that_was_not_written_whole_announces_nothing(killed: dict[str, Path], tmp_path: Path) -> None:
    house = house_in(World("rollback", 0, False, False), killed, tmp_path / "no-header")
    [path] = house.journals()
    path.write_bytes(path.read_bytes()[:200])
    assert underway(house.site) is None
    assert house.rollback().outcome == "done"


@pytest.mark.parametrize("way", ["finish", "undo"])
@pytest.mark.parametrize(("flags_new", "live_new"), [(False, False), (True, False), (True, True)])
def test_a_lost_journal_is_made_again_from_the_store(
    way: str, flags_new: bool, live_new: bool, killed: dict[str, Path], tmp_path: Path
) -> None:
    world = World("ramp", 1, flags_new, live_new)
    house = house_in(world, killed, tmp_path / "lost")
    for path in house.journals():
        path.unlink()
    check_end(house, world, resume(house, way), way)


def test_until_then_others_are_refused_and_told_how_far_it_got(killed: dict[str, Path], tmp_path: Path) -> None:
    house = house_in(World("ramp", 4, True, False), killed, tmp_path / "refused")
    with pytest.raises(Refusal) as refused:
        propose(house.site, None, deadline=5.0, dry_run=False)
    assert refused.value.exit is Exit.FAILED
    assert "an operation was cut off: ramp to canary@10 by ana" in refused.value.message
    assert "flags: done, redeploy: not begun, verify: not begun" in refused.value.message
    with pytest.raises(Refusal):
        house.rollback()


def test_an_undo_lets_alone_what_somebody_wrote_after_the_kill(killed: dict[str, Path], tmp_path: Path) -> None:
    house = house_in(World("ramp", 4, True, False), killed, tmp_path / "edited")
    house.file(".env").write_text(house.env().replace("PERCENT=10", "PERCENT=7"))
    ended = resume(house, "undo")
    assert ended is not None
    assert house.flags()["PERCENT"] == "7"
    assert house.file("live.env").read_text() == house.file("before.env").read_text()


def test_a_finished_emergency_has_its_incident_as_an_unbroken_one_has(killed: dict[str, Path], tmp_path: Path) -> None:
    house = house_in(World("emergency", 3, True, False), killed, tmp_path / "incident")
    ended = resume(house, "finish")
    assert ended is not None
    [incident] = house.site.state().open_incidents()
    assert (incident.severity, incident.operations) == ("P0", [ended.operation])
