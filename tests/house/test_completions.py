"""The completion scripts: they are what the command prints, and a shell that reads them completes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.places import PROJECT
from tools.completions import FILES, FOLDER, kept, printed

IN_BASH = r"""
source "$SCRIPT"
COMP_WORDS=(runbook "$WORD")
COMP_CWORD=1
_runbook_completion runbook
printf '%s\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize("shell", FILES)
def test_the_script_is_what_the_command_prints(shell: str) -> None:
    assert kept(shell) == printed(shell), "next: make completions"


def test_nothing_else_lies_there() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(FILES.values())


@pytest.mark.parametrize(
    ("word", "expected"),
    [("rol", ["rollback"]), ("h", ["hold", "health-check", "health", "history"]), ("nothing", [])],
)
def test_bash_completes_a_command(tmp_path: Path, word: str, expected: list[str]) -> None:
    if shutil.which("bash") is None:
        pytest.skip("bash is not on this machine")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", IN_BASH],
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "SCRIPT": str(PROJECT / "completions/runbook.bash"), "WORD": word},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == expected
