"""What a command imports before it answers: the dear libraries stay away from the commands that do not need them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DEAR = {"httpx", "questionary", "jinja2", "asyncio", "pydantic"}
PLAYBOOK = """\
runbook: 1
service: kitchen
title: A service with one flag
flags: {percent: KITCHEN_PERCENT, safe: {KITCHEN_PERCENT: 0}}
environments:
  local: {url: "http://127.0.0.1:9", flags_in: {env: kitchen.env}, redeploy: {command: ["true"], timeout: 5s}}
metrics: {error_rate: {http: /numbers, jq: .error_rate, unit: ratio, critical: "> 5%"}}
stages:
  - {stage: dark, percent: 0}
  - {stage: some, percent: [10, 50], bake: 1h, gates: ["error_rate < 1%"]}
rollback: {set: safe, objective: 1m}
"""
IMPORTED = re.compile(r"^import time:\s+\d+ \|\s+\d+ \|\s+(\S+)$", re.MULTILINE)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one playbook and a flag file at the safe values."""
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks/kitchen.yaml").write_text(PLAYBOOK, "utf-8")
    (tmp_path / "kitchen.env").write_text("KITCHEN_PERCENT=0\n", "utf-8")
    return tmp_path


def imported_by(folder: Path, *arguments: str) -> set[str]:
    """The top-level names of all modules that a command imports; it must end with 0."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "runbook", *arguments],
        cwd=folder,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + IMPORTED.sub("", done.stderr)[-2000:]
    names = {name.partition(".")[0] for name in IMPORTED.findall(done.stderr)}
    assert "typer" in names  # else the list was not read
    return names


@pytest.mark.parametrize(
    "arguments",
    [
        ("--version",),
        ("--help",),
        ("status",),
        ("status", "--format", "plain"),
        ("status", "--format", "json"),
        ("now",),
        ("now", "--short"),
        ("now", "--format", "json"),
        ("contacts",),
    ],
    ids=" ".join,
)
def test_the_quick_commands_import_nothing_dear(project: Path, arguments: tuple[str, ...]) -> None:
    assert imported_by(project, *arguments) & DEAR == set()


@pytest.mark.parametrize("arguments", [("status", "--format", "plain"), ("status", "--format", "json")], ids=" ".join)
def test_status_needs_no_drawing(project: Path, arguments: tuple[str, ...]) -> None:
    assert imported_by(project, *arguments) & {"rich", "tabulate"} == set()


def test_completing_a_command_imports_nothing_dear(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", str(Path(sys.executable).with_name("runbook"))],
        cwd=project,
        env={**os.environ, "_RUNBOOK_COMPLETE": "complete_bash", "COMP_WORDS": "runbook sta", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["status"]
    assert {name.partition(".")[0] for name in IMPORTED.findall(done.stderr)} & {*DEAR, "yaml"} == set()
