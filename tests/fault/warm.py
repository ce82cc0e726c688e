"""The commands that follow a kill, each in a fork of a process that has the tool's modules loaded already.

They are the same code and a process each, but need a fifth of the time. What is killed is always the installed command.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pkgutil
import sys
import time
from pathlib import Path
from typing import NoReturn

from tests.fault.practice import LONGEST, Practice, Ran

ASIDE = ("httpx", "asyncio", "jinja2", "rich.console", "yaml", "sqlite3", "msgspec.json")


def load() -> None:
    """Load what commands load, once, before the first fork."""
    import runbook

    for found in pkgutil.walk_packages(runbook.__path__, "runbook."):
        if not found.name.endswith("__main__"):
            with contextlib.suppress(ImportError):
                importlib.import_module(found.name)
    for name in ASIDE:
        importlib.import_module(name)
    gc.freeze()


def run_warm(practice: Practice, *argv: str, **more: str) -> Ran:
    """As `Practice.run`, in a fork. One that hangs is ended."""
    files = [practice.root.with_name(f"{practice.root.name}.{name}") for name in ("stdout", "stderr")]
    child = os.fork()
    if child == 0:
        _become(practice, argv, practice.environment(**more), files)
    until = time.monotonic() + LONGEST
    code: int | None = None
    while time.monotonic() < until:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            code = os.waitstatus_to_exitcode(status)
            break
        time.sleep(0.002)
    else:
        os.kill(child, 9)
        os.waitpid(child, 0)
    return Ran(code, *(file.read_text(errors="replace") for file in files))


def _become(practice: Practice, argv: tuple[str, ...], environment: dict[str, str], files: list[Path]) -> NoReturn:
    try:
        os.setsid()
        os.chdir(practice.root)
        os.environ.clear()
        os.environ.update(environment)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, file in enumerate(files, start=1):
            os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
        sys.argv = ["runbook", *argv]
        from runbook.cli.boundary import run

        run()
    finally:
        os._exit(99)  # only reached when the tool did not end by itself
