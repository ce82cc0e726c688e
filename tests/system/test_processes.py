"""Processes: output kept and handed on, and everything that was started gone when its time is over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runbook.system.processes import (
    MARKER,
    Finished,
    child_environment,
    end_marked,
    names_in_shell,
    process_identity,
    run_process,
)
from runbook.system.variables import Variables

ENV = {"PATH": os.environ["PATH"]}

# Ignores TERM, forks a child that does as well and holds the pipe, and one that leaves the process group.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for leave in (False, True):
    if os.fork() == 0:
        if leave:
            os.setsid()
            if os.fork():
                os._exit(0)
        with open(f"pid-{leave}", "w") as file:
            file.write(str(os.getpid()))
        os.rename(f"pid-{leave}", f"child-{leave}")
        time.sleep(60)
        os._exit(0)
print("started", flush=True)
time.sleep(60)
"""


def run(*argv: str, folder: Path, timeout: float = 10.0, **more: object) -> Finished:
    return run_process(argv, cwd=folder, env=ENV, timeout=timeout, **more)  # type: ignore[arg-type]


def sh(script: str, folder: Path, **more: object) -> Finished:
    return run("/bin/sh", "-c", script, folder=folder, **more)  # type: ignore[arg-type]


def is_alive(pid: int) -> bool:
    return process_identity(pid) is not None


def gone(pid: int, within: float = 10.0) -> bool:
    until = time.monotonic() + within
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return not is_alive(pid)


def test_status_and_output(tmp_path: Path) -> None:
    finished = sh("echo out; echo err >&2; exit 3", tmp_path)
    assert (finished.exit, finished.ok, finished.how_it_ended) == (3, False, "exit 3")
    assert sorted(finished.output.splitlines()) == ["err", "out"]
    apart = sh("echo out; echo err >&2", tmp_path, merge=False)
    assert (apart.output, apart.errors, apart.ok) == ("out\n", "err\n", True)


def test_no_standard_input_no_open_files_own_session(tmp_path: Path) -> None:
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        code = "import os; print(os.read(0, 1), sorted(os.listdir('/proc/self/fd'))[:3], os.getsid(0) == os.getpid())"
        finished = run(
            sys.executable, "-c", code + f"; print(os.path.exists('/proc/self/fd/{file.fileno()}'))", folder=tmp_path
        )
    assert finished.output.split("\n")[:2] == ["b'' ['0', '1', '2'] True", "False"]


def test_started_comes_before_lines_and_lines_come_as_they_are_written(tmp_path: Path) -> None:
    heard: list[object] = []

    def line(text: str) -> None:
        heard.append(text)
        if text == "one":
            (tmp_path / "go").touch()

    script = "echo one; while ! test -e go; do sleep 0.01; done; printf 'two\\r\\nth\\377ree'"
    finished = sh(script, tmp_path, started=heard.append, on_line=line)
    assert finished.ok
    assert isinstance(heard[0], int)
    assert heard[1:] == ["one", "two", "th\ufffdree"]


def test_a_reader_that_is_gone_does_not_stop_the_work(tmp_path: Path) -> None:
    def line(text: str) -> None:
        raise BrokenPipeError

    assert sh("for i in 1 2 3; do echo $i; done; touch done", tmp_path, on_line=line).ok
    assert (tmp_path / "done").exists()


def test_output_over_the_limit_keeps_both_ends(tmp_path: Path) -> None:
    finished = sh("echo first; yes | head -c 30000000; echo last", tmp_path, limit=10_000)
    assert finished.output.startswith("first\ny\n")
    assert finished.output.endswith("y\nlast\n")
    assert "bytes left out" in finished.output
    assert finished.cut
    assert len(finished.output) < 10_100


def test_a_stubborn_family_is_gone_after_the_timeout(tmp_path: Path) -> None:
    began = time.monotonic()
    finished = run(sys.executable, "-c", STUBBORN, folder=tmp_path, timeout=1.0)
    took = time.monotonic() - began
    assert finished.timed_out
    assert not finished.ok
    assert finished.output == "started\n"
    assert finished.how_it_ended.startswith("timed out after")
    assert 1.0 < took < 6.0
    for child in ("child-False", "child-True"):
        assert gone(int((tmp_path / child).read_text())), child


def test_one_that_listens_ends_at_once(tmp_path: Path) -> None:
    began = time.monotonic()
    assert sh("sleep 60", tmp_path, timeout=0.2).timed_out
    assert time.monotonic() - began < 1.5


def test_stopping_ends_it_early(tmp_path: Path) -> None:
    pids: list[int] = []
    began = time.monotonic()
    finished = sh("sleep 60 & sleep 60", tmp_path, started=pids.append, stopping=lambda: bool(pids))
    assert finished.interrupted
    assert not finished.timed_out
    assert time.monotonic() - began < 2.0
    assert gone(pids[0])


def test_what_it_leaves_running_stays_after_a_normal_end(tmp_path: Path) -> None:
    began = time.monotonic()
    finished = sh("sleep 60 & echo $!", tmp_path)
    pid = int(finished.output)
    assert finished.ok
    assert time.monotonic() - began < 2.0
    assert is_alive(pid)
    os.kill(pid, signal.SIGKILL)
    assert gone(pid)


def test_an_exception_in_a_callback_ends_the_group(tmp_path: Path) -> None:
    pids: list[int] = []

    def line(text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sh("echo one; sleep 60", tmp_path, started=pids.append, on_line=line)
    assert gone(pids[0])


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (("no-such-program-here",), "no-such-program-here is not found"),
        (("/etc",), "/etc may not be run"),
        (("echo", "a\0b"), "embedded null byte"),
        (("echo", "x" * 3_000_000), "Argument list too long"),
    ],
)
def test_what_cannot_be_started_is_told(argv: tuple[str, ...], reason: str, tmp_path: Path) -> None:
    finished = run(*argv, folder=tmp_path)
    assert finished.exit is None
    assert not finished.ok
    assert reason in finished.how_it_ended


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    assert "is not there" in run("true", folder=tmp_path / "gone").how_it_ended


def test_the_environment_of_children() -> None:
    process = {
        "PATH": "/bin",
        "HOME": "/root",
        "LD_PRELOAD": "x",
        "DYLD_INSERT_LIBRARIES": "x",
        "PYTHONPATH": "x",
        "GIT_DIR": "x",
        "BASH_ENV": "x",
        "ENV": "x",
        "BASH_FUNC_ls%%": "() { touch canary; }",
        "ENVIRONMENT": "kept",
        "MY_TOKEN": "secret",
        "OTHER_TOKEN": "secret",
        "DATABASE_URL": "postgres://u:p@h/d",
    }
    assert child_environment(Variables(process=process), named={"MY_TOKEN"}, additions={MARKER: "op-1"}) == {
        "PATH": "/bin",
        "HOME": "/root",
        "ENVIRONMENT": "kept",
        "MY_TOKEN": "secret",
        MARKER: "op-1",
    }


def test_names_in_a_shell_line() -> None:
    assert names_in_shell("a=$TOKEN; b=${KEY:-x}; c='$D' $1 $$ ${#E}") == {"TOKEN", "KEY", "D"}


def test_an_identity_tells_a_process_from_a_later_one(tmp_path: Path) -> None:
    identity = process_identity(os.getpid())
    assert identity is not None
    assert identity == process_identity(os.getpid())
    process = subprocess.Popen(["sleep", "60"])
    other = process_identity(process.pid)
    assert other is not None
    assert other[0] >= identity[0]
    assert other[1:] == identity[1:]
    process.kill()
    assert gone(process.pid)
    process.wait()
    assert process_identity(process.pid) is None


def test_marked_processes_are_ended_however_they_were_left(tmp_path: Path) -> None:
    marked = {**ENV, MARKER: "op-77"}
    ignoring = "trap '' TERM; touch ready; while :; do sleep 0.1; done"
    with (
        subprocess.Popen(["setsid", "/bin/sh", "-c", ignoring], env=marked, cwd=tmp_path) as stubborn,
        subprocess.Popen(["sleep", "60"], env={**ENV, MARKER: "op-7"}) as other,
    ):
        while not (tmp_path / "ready").exists():
            time.sleep(0.01)
        assert end_marked("op-77", wait=0.3) >= 1
        assert gone(stubborn.pid)
        assert is_alive(other.pid)
        assert end_marked("op-77") == 0
        assert end_marked("op-7") == 1
