"""Python run in a world that is broken on purpose: other mounts, another user, a file limit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.places import PROJECT

NOBODY = 65534


def run_python(code: str, *prefix: str, arguments: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run `code` in a new process, behind `prefix`; the package is importable, arguments are in `sys.argv`."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [*prefix, sys.executable, "-W", "error", "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)


def run_with_mounts(commands: str, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `code` where the shell `commands` (`mount ...`) hold; `$1`, `$2` are the arguments. Root only."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("only root can mount: not tried")
    shell = ["unshare", "-m", "sh", "-c", f'set -e\n{commands}\nexec "$0" -W error -c "$CODE" "$@"', sys.executable]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONDONTWRITEBYTECODE": "1", "CODE": code}
    done = subprocess.run(
        [*shell, *arguments], capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    if "permission denied" in done.stderr or "Operation not permitted" in done.stderr:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
    return done


def run_as_nobody(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `code` as a user without rights. Skipped where we are not root."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user: not tried")
    lead = f"import os; os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
    preload = "import runbook.flags.target, runbook.system.in_place\n"  # the project may lie where nobody cannot read
    return run_python(preload + lead + code, arguments=arguments)


def names(folder: Path) -> list[str]:
    """Every name in a folder, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())
