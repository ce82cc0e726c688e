"""Signals, closed terminals and broken outputs: a ramp is undone, an emergency goes on, talk never stops work."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fault import acceptance
from tests.fault.practice import RUNBOOK, SHOWN, Practice, Ran, ended, until
from tests.fault.scenarios import EMERGENCY, RAMP
from tests.fault.test_kill import strike


def run(practice: Practice, *argv: str, **more: str) -> Ran:
    return practice.run(*argv, **more)


def after(argv: tuple[str, ...]) -> str:
    return "tables@50" if argv == RAMP else "dark@0"


def slowly(practice: Practice, seconds: float) -> dict[str, str]:
    """The first restart takes so long."""
    return {"RESTART_TAKES": str(seconds), "RESTART_LOG": str(practice.restarts)}


def in_redeploy(practice: Practice, argv: tuple[str, ...], seconds: float) -> subprocess.Popen[str]:
    """A command whose redeploy has begun and takes so many seconds."""
    process = practice.start(*argv, **slowly(practice, seconds))
    until(practice.restarts.exists, f"{argv} redeploys")
    return process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_ramp_that_is_interrupted_is_undone(
    project_at: Callable[[str], Practice], number: signal.Signals, code: int
) -> None:
    practice = project_at("tasters@10")
    process = in_redeploy(practice, RAMP, 30)
    process.send_signal(number)
    assert ended(process).code == code
    assert acceptance.settled(run, practice, "tasters@10") == []


@pytest.mark.parametrize("argv", [RAMP, EMERGENCY])
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGPIPE])
def test_hang_up_and_gone_readers_stop_nothing(
    project_at: Callable[[str], Practice], argv: tuple[str, ...], number: signal.Signals
) -> None:
    practice = project_at("tasters@10")
    process = in_redeploy(practice, argv, 0.5)
    process.send_signal(number)
    ran = ended(process)
    assert ran.code == 0, ran
    assert acceptance.settled(run, practice, after(argv)) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_interruption_of_an_emergency_only_asks(
    project_at: Callable[[str], Practice], number: signal.Signals
) -> None:
    practice = project_at("tables@50")
    process = in_redeploy(practice, EMERGENCY, 0.5)
    process.send_signal(number)
    ran = ended(process)
    assert ran.code == 0, ran
    assert "still working" in ran.err
    assert acceptance.settled(run, practice, "dark@0") == []


def test_the_second_interruption_stops_an_emergency_and_says_so(project_at: Callable[[str], Practice]) -> None:
    practice = project_at("tables@50")
    process = in_redeploy(practice, EMERGENCY, 30)
    process.send_signal(signal.SIGINT)
    told = iter(process.stderr or ())
    assert any("still working" in line for line in told)
    process.send_signal(signal.SIGINT)
    assert ended(process).code in (4, 130)
    assert acceptance.is_cut_off(acceptance.document(practice.run("status", "-f", "json")))
    practice.went(*EMERGENCY)
    assert acceptance.settled(run, practice, "dark@0") == []


@pytest.mark.needs("setsid")
@pytest.mark.parametrize("argv", [RAMP, EMERGENCY])
def test_a_closed_terminal_stops_nothing(project_at: Callable[[str], Practice], argv: tuple[str, ...]) -> None:
    practice = project_at("tasters@10")
    master, slave = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", str(RUNBOOK), *argv], cwd=practice.root, stdin=slave, stdout=slave, stderr=slave,
        env=practice.environment(**slowly(practice, 0.5)), text=True,
    )  # fmt: skip
    os.close(slave)
    until(practice.restarts.exists, f"{argv} redeploys")
    os.close(master)
    assert process.wait(timeout=60) == 0
    assert acceptance.settled(run, practice, after(argv)) == []


@pytest.mark.parametrize("argv", [RAMP, EMERGENCY])
@pytest.mark.parametrize(
    "output", [">&-", "2>&-", ">&- 2>&-", ">/dev/full", "2>/dev/full", ">/dev/full 2>&1", "<&-", "2>&1 | head -c 0"]
)
def test_broken_outputs_stop_nothing(
    project_at: Callable[[str], Practice], tmp_path: Path, argv: tuple[str, ...], output: str
) -> None:
    practice = project_at("tasters@10")
    code = tmp_path / "code"
    line, _, reader = output.partition("|")
    shell = f'{{ "$0" "$@" {line}; echo $? > {code}; }} {"|" + reader if reader else ""}'
    subprocess.run(
        ["sh", "-c", shell, str(RUNBOOK), *argv], cwd=practice.root, env=practice.environment(), timeout=60,
        capture_output=True, check=False,
    )  # fmt: skip
    assert code.read_text().strip() == "0"
    assert practice.flags.read_bytes() == practice.running.read_bytes() == SHOWN[after(argv)]
    assert list(practice.flags.parent.glob(".*")) == []


@pytest.mark.needs("strace")
def test_a_signal_at_thirty_calls(tmp_path: Path) -> None:
    options = ("--faults", "HUP,INT,TERM,PIPE", "--kills", "30", "--commands", "ramp,emergency")
    reports = strike(tmp_path / "report.json", *options, seconds=300)
    assert sum(len(report["tried"]) for report in reports) == 30


@pytest.mark.fault
@pytest.mark.needs("strace")
@pytest.mark.parametrize("name", ["HUP", "INT", "TERM", "PIPE"])
def test_a_signal_at_every_call(tmp_path: Path, name: str) -> None:
    strike(tmp_path / "report.json", "--faults", name, "--all", seconds=6 * 3600)
