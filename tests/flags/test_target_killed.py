"""An edit that is killed at each system call leaves the old bytes or the new, and the next edit clears up."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from runbook.flags.changes import FlagTrouble
from runbook.flags.target import FlagFile
from tests.places import PROJECT

CALLS = "write,fsync,rename,renameat,renameat2,fchmod,fchown,ftruncate,flock,unlink,unlinkat,mkdir,pwrite64"
OLD = b"# flags\nMODE='off' # main\nPERCENT=0"
NEW = b"# flags\nMODE='a longer value' # main\nPERCENT=25\nNEW=1\n"
WANTED = {"MODE": "a longer value", "PERCENT": "25", "NEW": "1"}
EDIT = f"""
import sys, pathlib
from runbook.flags.target import FlagFile
project = pathlib.Path(sys.argv[1])
flags = FlagFile(project, ".env", sys.argv[2] == "in place", project / "state")
flags.apply(flags.prepare({WANTED!r}))
"""


def traced(project: Path, way: str, *options: str) -> subprocess.CompletedProcess[str]:
    """One edit under strace, in a fresh state."""
    shutil.rmtree(project, ignore_errors=True)
    project.mkdir()
    (project / ".env").write_bytes(OLD)
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = ["strace", "-f", "-qq", "-e", f"trace={CALLS}", *options, sys.executable, "-c", EDIT, str(project), way]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("way", ["renamed", "in place"])
def test_killed_at_each_call_that_changes_something(tmp_path: Path, way: str) -> None:
    project = tmp_path.resolve() / "project"
    if shutil.which("strace") is None:
        pytest.skip("strace is not here: not tried")
    whole = traced(project, way)
    if whole.returncode != 0:
        pytest.skip(f"nothing can be traced here: {whole.stderr[-200:]}")
    assert (project / ".env").read_bytes() == NEW
    made = re.findall(r"^(?:\[pid +\d+\] )?(\w+)\(", whole.stderr, re.MULTILINE)
    outcomes: set[bytes] = set()
    for name in sorted(set(made)):
        for turn in range(1, made.count(name) + 1):
            killed = traced(project, way, "-e", f"inject={name}:signal=KILL:when={turn}")
            assert killed.returncode != 0, (name, turn)
            flags = FlagFile(project, ".env", way == "in place", project / "state")
            flags.recover()
            outcomes.add((project / ".env").read_bytes())
            assert sorted(path.name for path in project.iterdir()) == [".env", "state"]
            assert not list((project / "state").rglob("*.backup"))
            flags.apply(flags.prepare(WANTED))
            assert (project / ".env").read_bytes() == NEW, (name, turn)
    print(f"{len(made)} kills ({way}), all recovered")
    assert outcomes == {OLD, NEW}
    assert len(made) >= 10


@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "EDQUOT"])
def test_an_error_of_the_disk_leaves_the_old_bytes(tmp_path: Path, error: str) -> None:
    project = tmp_path.resolve() / "project"
    if shutil.which("strace") is None or traced(project, "renamed").returncode != 0:
        pytest.skip("nothing can be traced here: not tried")
    for name in ("write", "fsync", "rename"):
        pattern = "rename,renameat,renameat2" if name == "rename" else name
        done = traced(project, "renamed", "-e", f"inject={pattern}:error={error}:when=1+")
        assert "FlagTrouble" in done.stderr
        assert (project / ".env").read_bytes() == OLD
        assert sorted(path.name for path in project.iterdir()) == [".env", "state"]


def test_no_edit_of_two_operators_is_lost(tmp_path: Path) -> None:
    """Each thread counts its own key up; whoever comes second plans again."""
    project = tmp_path.resolve()
    (project / ".env").write_bytes(b"".join(b"KEY_%d=0\n" % number for number in range(4)))

    def count(key: str) -> None:
        flags = FlagFile(project, ".env", False, project / "state")
        done = 0
        while done < 15:
            try:
                flags.apply(flags.prepare({key: str(done + 1)}))
                done += 1
            except FlagTrouble as refused:
                assert "somebody else" in str(refused)

    threads = [threading.Thread(target=count, args=(f"KEY_{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (project / ".env").read_bytes() == b"".join(b"KEY_%d=15\n" % number for number in range(4))
