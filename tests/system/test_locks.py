"""A lock between processes: one holder, freed by its death, never by a deleted file."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from runbook.system.files import FileTrouble
from runbook.system.locks import Locked, file_locked, holder_text
from tests.places import PROJECT

HOLD = """
import sys, pathlib
from runbook.system.locks import file_locked
with file_locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold_elsewhere(path: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock until its input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=20)


def test_held_by_another_process_then_free(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "a.lock"
    other = hold_elsewhere(path)
    with pytest.raises(Locked) as caught, file_locked(path):
        pytest.fail("two holders")
    assert f"process {other.pid} since 2" in caught.value.holder_text
    assert "boot" in caught.value.holder_text
    end(other)
    with file_locked(path):
        assert f"process {os.getpid()} " in holder_text(path)
    assert holder_text(path) == ""


def test_freed_by_the_death_of_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    other = hold_elsewhere(path)
    other.send_signal(signal.SIGKILL)
    end(other)
    assert f"process {other.pid}" in holder_text(path)
    with file_locked(path):
        assert f"process {os.getpid()} " in holder_text(path)


def test_waiting_until_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    other = hold_elsewhere(path)
    ending = threading.Timer(0.2, end, [other])
    ending.start()
    with file_locked(path, wait=20):
        assert f"process {os.getpid()} " in holder_text(path)
    ending.join()


def test_waiting_no_longer_than_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with file_locked(path):
        began = time.monotonic()
        with pytest.raises(Locked), file_locked(path, wait=0.2):
            pytest.fail("two holders")
        assert 0.2 <= time.monotonic() - began < 5


def test_never_two_holders_among_many(tmp_path: Path) -> None:
    path, inside, seen = tmp_path / "a.lock", [0], [0]

    def work() -> None:
        for _ in range(10):
            with file_locked(path, wait=30):
                inside[0] += 1
                assert inside[0] == 1
                seen[0] += 1
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [40]


def test_private_and_kept(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with file_locked(tmp_path / "locks" / "a.lock"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "locks" / "a.lock").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "locks").stat().st_mode) == 0o700


def test_freed_when_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), file_locked(tmp_path / "a.lock"):
        raise RuntimeError
    with file_locked(tmp_path / "a.lock"):
        pass


def test_a_link_or_a_pipe_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("elsewhere")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(FileTrouble), file_locked(tmp_path / name):
            pytest.fail("held")
    assert not (tmp_path / "elsewhere").exists()


def test_children_do_not_inherit_it(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with file_locked(path):
        child = subprocess.Popen(["sleep", "30"], close_fds=False)
    with file_locked(path):
        assert child.poll() is None
    child.kill()
    child.wait()
