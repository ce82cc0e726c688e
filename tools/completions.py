"""Writes the completion scripts of bash, zsh and fish into completions/, as the installed command prints them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "completions"
COMMAND = Path(sys.executable).with_name("runbook")
FILES = {"bash": "runbook.bash", "zsh": "_runbook", "fish": "runbook.fish"}


def printed(shell: str) -> str:
    """The script that the command prints for a shell. Raises `CalledProcessError` when it does not."""
    done = subprocess.run(
        [COMMAND],
        env={**os.environ, "_RUNBOOK_COMPLETE": f"source_{shell}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout.strip() + "\n"


def kept(shell: str) -> str:
    """The script in completions/; empty where there is none."""
    path = FOLDER / FILES[shell]
    return path.read_text("utf-8") if path.is_file() else ""


def main() -> None:
    """Write those that differ."""
    FOLDER.mkdir(exist_ok=True)
    for shell, name in FILES.items():
        script = printed(shell)
        if script != kept(shell):
            (FOLDER / name).write_text(script, "utf-8")


if __name__ == "__main__":
    main()
