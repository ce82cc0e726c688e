"""`machine`: the numbers of the machine that the tests run on."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from runbook.judge.verdicts import Reason, Status
from tests.checks.looking import a_check, looked, looked_all, measured

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("check", "status"),
    [
        ({"machine": "cpu", "expect": "<= 100%"}, Status.PASS),
        ({"machine": "cpu", "expect": "cpu >= 0 and memory > 0 and load >= 0"}, Status.PASS),
        ({"machine": "memory", "expect": "> 0"}, Status.PASS),
        ({"machine": "memory", "expect": "< 0.0001%"}, Status.FAIL),
        ({"machine": "memory", "expect": "memory <= 100% and swap <= 100%"}, Status.PASS),
        ({"machine": "swap", "expect": "<= 100%"}, Status.PASS),
        ({"machine": "load", "expect": ">= 0"}, Status.PASS),
        ({"machine": "load", "expect": "< 100000"}, Status.PASS),
        # What would always hold is a slip, and never judged.
        ({"machine": "memory", "expect": "< 90"}, Status.UNKNOWN),
        ({"machine": "cpu", "expect": "cpu < 90"}, Status.UNKNOWN),
        ({"machine": "memory", "expect": "< 3GiB"}, Status.UNKNOWN),
        ({"machine": "memory", "expect": "cpu < 90%"}, Status.UNKNOWN),
    ],
)
def test_what_it_says(check: dict[str, Any], status: Status) -> None:
    row = looked(check)
    assert row.status is status, row
    assert "fault of the tool" not in row.message


def test_the_shares_are_those_of_the_system() -> None:
    memory = psutil.virtual_memory()
    row = measured({"machine": "memory"})
    assert row.value == pytest.approx(1 - memory.available / memory.total, abs=0.1)
    assert row.observed.endswith(" %")
    load = measured({"machine": "load"})
    assert load.value == pytest.approx(os.getloadavg()[0] / (os.cpu_count() or 1), abs=0.5)
    assert load.observed.endswith(" a processor")


def test_a_machine_at_work_is_seen_to_be() -> None:
    """A thread that works all the time keeps one processor busy."""
    ending = threading.Event()
    busy = threading.Thread(target=lambda: all(not ending.is_set() for _ in iter(int, 1)))
    busy.start()
    try:
        at_work = measured({"machine": "cpu"})
    finally:
        ending.set()
        busy.join()
    assert isinstance(at_work.value, float)
    assert at_work.value >= 0.6 / (os.cpu_count() or 1)
    assert at_work.value <= 1


def test_several_are_looked_at_at_once() -> None:
    began = time.monotonic()
    rows = looked_all([{"machine": "cpu", "expect": ">= 0"}] * 20)
    assert {row.status for row in rows} == {Status.PASS}
    assert time.monotonic() - began < 2


def test_without_the_library_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "psutil.py").write_text("raise ImportError('not for this machine')\n")
    code = """
from tests.checks.looking import looked
row = looked({"machine": "cpu", "expect": "< 90%"})
print(row.status, row.reason, row.message, sep="|")
"""
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    status, reason, message = done.stdout.strip().split("|")
    assert (status, reason) == (str(Status.UNKNOWN), str(Reason.ERROR))
    assert message.endswith("pip install psutil")


def test_what_it_asserts() -> None:
    options = a_check({"machine": "cpu"}).options
    assert not options.asserts()
    assert options.takes_value()
    assert options.only_looks()
