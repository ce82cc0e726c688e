"""A shipped playbook, practised on in a folder that has none of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.command.project import RUNBOOK, environment


def typed(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [RUNBOOK, *args, "-p", "enrichment"], cwd=folder, env=environment(), capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def test_a_look_before_the_first_step_does_not_lose_it(tmp_path: Path) -> None:
    """A look keeps samples and notes before any event says which playbook they are of."""
    try:
        assert typed(tmp_path, "sandbox", "up").returncode == 0
        assert typed(tmp_path, "gate").returncode == 0
        ended = typed(tmp_path, "ramp", "0", "--yes")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert "-p enrichment" in ended.stdout
    finally:
        down = typed(tmp_path, "sandbox", "down")
    assert down.returncode == 0, down.stderr
