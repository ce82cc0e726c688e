"""Killed at any system call that touches state, the tool comes to rest by the next commands: N of N."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fault import kill_everywhere

pytestmark = pytest.mark.needs("strace")


def strike(report: Path, *options: str, seconds: float) -> list[dict[str, Any]]:
    """Run the kill script; its report, one entry a command. What was not recovered fails the test, call by call."""
    command = [sys.executable, kill_everywhere.__file__, "--report", str(report), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=os.environ, check=False)
    assert report.exists(), f"the script came to no end: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    assert done.returncode == 0, done.stdout
    print(done.stdout)
    found = json.loads(report.read_text())
    assert isinstance(found, list)
    return found


def test_killed_at_forty_calls_spread_over_all_commands(tmp_path: Path) -> None:
    reports = strike(tmp_path / "report.json", "--kills", "40", seconds=300)
    tried = [one for report in reports for one in report["tried"]]
    assert len(tried) == 40
    assert len([one for one in tried if one["code"] == -9]) >= 38, "most of them were not killed at all"


@pytest.mark.fault
def test_killed_at_every_call(tmp_path: Path) -> None:
    reports = strike(tmp_path / "report.json", "--all", seconds=6 * 3600)
    assert sum(len(report["tried"]) for report in reports) >= 300
