"""Up, restart, fault, down: with real processes."""

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

from runbook.sandbox import control
from runbook.sandbox.record import process_birth
from runbook.sandbox.trouble import SandboxTrouble
from tests.sandbox.conftest import SHIPPED, Practice


def test_up_returns_when_it_answers_and_quickly(tmp_path: Path) -> None:
    practice = Practice(tmp_path / "box")
    began = time.monotonic()
    running = practice.up()
    took = time.monotonic() - began
    try:
        assert practice.ask("/health").status == 200
        assert running.env_file == practice.env_file
        assert practice.env_file.read_text() == control.initial_env_file(SHIPPED)
        assert took < 2.0  # 0.2 s on an idle machine
    finally:
        practice.end()


def test_everything_it_writes_is_private(practice: Practice) -> None:
    for path in [practice.folder, *practice.folder.rglob("*")]:
        mode = stat.S_IMODE(path.lstat().st_mode)
        assert mode & 0o077 == 0, f"{path} has mode {mode:o}"


def test_up_twice_is_one_process(practice: Practice) -> None:
    first = practice.state()["pid"]
    assert practice.up().pid == first


def test_up_from_several_at_once_is_one_process(tmp_path: Path) -> None:
    practice = Practice(tmp_path / "box")
    found: list[int] = []
    callers = [threading.Thread(target=lambda: found.append(practice.up().pid)) for _ in range(4)]
    try:
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        assert len(found) == 4
        assert len(set(found)) == 1
    finally:
        practice.end()


def test_an_env_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    practice = Practice(tmp_path / "box")
    practice.env_file = tmp_path / "mine.env"
    practice.env_file.write_bytes(b"ENRICHMENT_ROLLOUT_PERCENTAGE=50\r\n")
    try:
        practice.up()
        assert practice.env_file.read_bytes() == b"ENRICHMENT_ROLLOUT_PERCENTAGE=50\r\n"
        assert practice.state()["percent"] == 50
    finally:
        practice.end()


def test_the_env_file_is_read_at_a_restart_alone(practice: Practice) -> None:
    port, before = practice.port(), practice.state()
    practice.set(ENRICHMENT_ROLLOUT_PERCENTAGE=10, ENABLE_MULTI_HOP="true", MAX_HOPS=1)
    assert practice.ask("/api/query/enrichment/config").json()["rollout_percentage"] == 0
    running = control.restart(practice.folder)
    after = practice.ask("/api/query/enrichment/config").json()
    assert after == {
        "multi_hop_enabled": True,
        "reasoning_enabled": False,
        "max_hops": 1,
        "rollout_percentage": 10,
    }
    assert practice.port() == port
    assert running.pid != before["pid"]
    assert practice.state()["started_at"] > before["started_at"]


def test_the_restart_command_runs_in_the_project_without_its_environment(practice: Practice) -> None:
    project = practice.folder.parents[2]
    lent = control.environment(SHIPPED, practice.folder, project=project)
    before = practice.state()["pid"]
    done = subprocess.run(
        lent.restart_argv,
        cwd=project,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert practice.state()["pid"] != before
    assert lent.restart_argv == ("sh", ".runbook/sandbox/enrichment/restart")


def test_the_module_entry_says_what_is_wrong(tmp_path: Path) -> None:
    for arguments, status, told in (
        (["restart", str(tmp_path)], 1, "no sandbox is up"),
        (["restart"], 2, "usage"),
        (["stop", str(tmp_path)], 2, "usage"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "runbook.sandbox.control", *arguments],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert (done.returncode, told in done.stderr) == (status, True), done.stderr
        assert "Traceback" not in done.stderr


def test_requests_during_a_restart_are_answered_or_refused(practice: Practice) -> None:
    """By the old process or the new one; never with half an answer or a wrong status."""
    stop, wrong, answered = threading.Event(), [], []

    def keep_asking() -> None:
        while not stop.is_set():
            try:
                answered.append(practice.ask("/health").status)
            except (ConnectionError, OSError):
                continue
            except Exception as trouble:
                wrong.append(trouble)

    asker = threading.Thread(target=keep_asking)
    asker.start()
    for _ in range(3):
        control.restart(practice.folder)
    stop.set()
    asker.join()
    assert set(answered) == {200}
    assert all("BadStatusLine" in repr(each) or "RemoteDisconnected" in repr(each) for each in wrong), wrong


def test_a_killed_process_is_seen_and_started_again_with_port_and_fault(practice: Practice) -> None:
    control.set_fault(practice.folder, "error_rate=8%")
    port = practice.port()
    practice.kill()
    state = control.status(practice.folder)
    assert state is not None
    assert (state.alive, state.up, state.fault) == (False, True, "error_rate=8%")
    practice.up()
    assert practice.port() == port
    assert practice.metrics()["error_rate"] == 0.08


def test_restart_starts_a_killed_one(practice: Practice) -> None:
    practice.kill()
    assert control.environment(SHIPPED, practice.folder).url.endswith(str(practice.port()))
    control.restart(practice.folder)
    assert practice.ask("/health").status == 200


def test_down_ends_the_process_and_forgets_faults(practice: Practice) -> None:
    control.set_fault(practice.folder, "garbage")
    pid = practice.state()["pid"]
    assert control.down(practice.folder) is True
    assert process_birth(pid) is None
    assert control.down(practice.folder) is False
    state = control.status(practice.folder)
    assert state is not None
    assert (state.alive, state.up, state.fault) == (False, False, "none")
    with pytest.raises(SandboxTrouble, match="no sandbox is up"):
        control.environment(SHIPPED, practice.folder)


def test_up_replaces_a_process_that_is_there_and_does_not_answer(practice: Practice) -> None:
    """It does not react to a request to end either, so it is killed."""
    pid, port = practice.state()["pid"], practice.port()
    os.kill(pid, signal.SIGSTOP)
    assert practice.up().pid != pid
    assert process_birth(pid) is None
    assert practice.port() == port


def test_it_survives_its_caller_and_the_end_of_its_terminal(tmp_path: Path) -> None:
    practice = Practice(tmp_path / "box")
    script = (
        "import sys; from pathlib import Path; from runbook.sandbox import control;"
        "print(control.up(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])).pid)"
    )
    caller = subprocess.run(
        [sys.executable, "-c", script, str(SHIPPED), str(practice.folder), str(practice.env_file)],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        start_new_session=True,
    )
    try:
        pid = int(caller.stdout)
        assert os.getsid(pid) != os.getsid(0)
        os.kill(pid, signal.SIGHUP)
        assert practice.ask("/health").status == 200
        assert practice.state()["pid"] == pid
    finally:
        practice.end()


def test_it_carries_nothing_of_its_callers_environment(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "linux":
        pytest.skip("reads /proc")
    monkeypatch.setenv("RUNBOOK_OPERATION", "17")
    monkeypatch.setenv("DEPLOY_TOKEN", "s3cret-value")
    pid = control.restart(practice.folder).pid
    carried = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"RUNBOOK_OPERATION" not in carried
    assert b"s3cret-value" not in carried


def test_two_sandboxes_at_once_do_not_meet(practice: Practice, tmp_path: Path) -> None:
    other = Practice(tmp_path / "other")
    try:
        other.up()
        control.set_fault(other.folder, "error_rate=8%")
        other.set(ENRICHMENT_ROLLOUT_PERCENTAGE=50)
        control.restart(other.folder)
        assert other.port() != practice.port()
        assert other.metrics()["error_rate"] == 0.08
        assert practice.metrics()["error_rate"] < 0.01
        assert practice.state()["percent"] == 0
        control.down(other.folder)
        assert practice.ask("/health").status == 200
    finally:
        other.end()
