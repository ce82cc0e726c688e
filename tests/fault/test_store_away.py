"""The store away: the emergency does its work all the same, and its events are in the history once it is back."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fault import acceptance
from tests.fault.practice import RUNBOOK, SHOWN, Practice, Ran
from tests.fault.scenarios import EMERGENCY, RAMP, give_store_back, hide_store

PATIENCE = 15.0  # seconds that an emergency may take, whatever the store does


def run(practice: Practice, *argv: str, **more: str) -> Ran:
    return practice.run(*argv, **more)


def garbage(practice: Practice) -> None:
    hide_store(practice)


def folder(practice: Practice) -> None:
    hide_store(practice)
    (practice.state / "state.db").unlink()
    (practice.state / "state.db").mkdir()


def pipe(practice: Practice) -> None:
    hide_store(practice)
    (practice.state / "state.db").unlink()
    os.mkfifo(practice.state / "state.db")


def half(practice: Practice) -> None:
    """The first half of a whole database."""
    hide_store(practice)
    with sqlite3.connect(practice.state / "whole.db") as whole:
        whole.execute("create table filler (text)")
        whole.executemany("insert into filler values (?)", [("x" * 900,)] * 200)
    whole.close()
    data = (practice.state / "whole.db").read_bytes()
    (practice.state / "state.db").write_bytes(data[: len(data) // 2])
    (practice.state / "whole.db").unlink()


def from_the_future(practice: Practice) -> None:
    hide_store(practice)
    with sqlite3.connect(practice.state / "state.db.new") as newer:
        newer.execute("pragma user_version = 9999")
    newer.close()
    (practice.state / "state.db.new").rename(practice.state / "state.db")


def back(practice: Practice) -> None:
    for path in practice.state.glob("state.db*"):
        if path.is_dir():
            path.rmdir()
    give_store_back(practice)


WAYS_TO_LOSE_IT = [garbage, folder, pipe, half, from_the_future]


@pytest.mark.parametrize("lose", WAYS_TO_LOSE_IT, ids=lambda lose: lose.__name__)
def test_an_emergency_without_the_store(
    project_at: Callable[[str], Practice], lose: Callable[[Practice], None]
) -> None:
    practice = project_at("tables@50")
    lose(practice)
    began = time.monotonic()
    ran = practice.run(*EMERGENCY)
    assert ran.code == 0, ran
    assert time.monotonic() - began < PATIENCE
    assert practice.flags.read_bytes() == practice.running.read_bytes() == SHOWN["dark@0"]
    assert practice.run("status").code == 0
    back(practice)
    assert acceptance.settled(run, practice, "dark@0") == []
    events = acceptance.document(practice.run("history", "-f", "json"))["events"]
    last = events[-1]["operation"]
    told = sorted(event["kind"] for event in events if event["operation"] == last)
    assert [kind for kind in told if kind != "rollout.ended"] == [
        "incident.opened", "operation.ended", "operation.started", "position.entered",
    ]  # fmt: skip


@pytest.mark.parametrize("lose", WAYS_TO_LOSE_IT, ids=lambda lose: lose.__name__)
def test_a_ramp_without_the_store_changes_nothing(
    project_at: Callable[[str], Practice], lose: Callable[[Practice], None]
) -> None:
    practice = project_at("tasters@10")
    lose(practice)
    ran = practice.run(*RAMP)
    assert ran.code in (3, 4), ran
    assert "store" in ran.said
    assert "adopt" not in ran.said, "where we are is not known: nothing can be adopted"
    assert practice.flags.read_bytes() == SHOWN["tasters@10"]
    back(practice)
    assert acceptance.settled(run, practice, "tasters@10") == []


@contextmanager
def locked(practice: Practice, *, shut: bool) -> Iterator[None]:
    """Another process's transaction holds the store: against writers, or (`shut`) against readers as well."""
    holder = sqlite3.connect(practice.state / "state.db", isolation_level=None)
    try:
        if shut:
            holder.execute("pragma locking_mode = exclusive")
        holder.execute("begin exclusive")
        holder.execute("create table held (at)")
        yield
        holder.execute("rollback")
    finally:
        holder.close()


@pytest.mark.parametrize("shut", [False, True], ids=["writers", "everybody"])
def test_an_emergency_while_the_store_is_locked(project_at: Callable[[str], Practice], shut: bool) -> None:
    practice = project_at("tables@50")
    with locked(practice, shut=shut):
        began = time.monotonic()
        ran = practice.run(*EMERGENCY)
        assert ran.code == 0, ran
        assert time.monotonic() - began < PATIENCE
        assert practice.flags.read_bytes() == practice.running.read_bytes() == SHOWN["dark@0"]
    assert acceptance.settled(run, practice, "dark@0") == []


@pytest.mark.parametrize("shut", [False, True], ids=["writers", "everybody"])
def test_a_ramp_while_the_store_is_locked_changes_nothing(project_at: Callable[[str], Practice], shut: bool) -> None:
    practice = project_at("tasters@10")
    with locked(practice, shut=shut):
        ran = practice.run(*RAMP)
        assert ran.code in (3, 4), ran
        assert "store" in ran.said
        assert practice.flags.read_bytes() == SHOWN["tasters@10"]
    assert acceptance.settled(run, practice, "tasters@10") == []


def read_only(practice: Practice, *argv: str) -> Ran:
    """A command for which `.runbook` cannot be written: by a mount where we are root, else by its mode."""
    if os.geteuid() != 0:
        practice.state.chmod(0o500)
        try:
            return practice.run(*argv)
        finally:
            practice.state.chmod(0o700)
    if shutil.which("unshare") is None:
        pytest.skip("only root can mount, and unshare is not here: not tried")
    shell = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$0" "$@"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", shell, str(RUNBOOK), str(practice.state), *argv],
        cwd=practice.root, env=practice.environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if "permission denied" in done.stderr or "not permitted" in done.stderr:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
    return Ran(done.returncode, done.stdout, done.stderr)


def test_an_emergency_where_the_state_cannot_be_written(project_at: Callable[[str], Practice]) -> None:
    practice = project_at("tables@50")
    before = sorted(path.name for path in practice.state.rglob("*"))
    ran = read_only(practice, *EMERGENCY)
    assert ran.code == 0, ran
    home = Path(practice.environment()["XDG_STATE_HOME"])
    assert str(home) in ran.said, "where the state is kept instead is not said"
    assert practice.flags.read_bytes() == practice.running.read_bytes() == SHOWN["dark@0"]
    assert sorted(path.name for path in practice.state.rglob("*")) == before
    assert [path for path in home.rglob("*") if path.is_file()], "nothing was kept anywhere"
    assert read_only(practice, "status").code == 0
