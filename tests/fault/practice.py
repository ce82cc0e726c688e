"""A project to break: a flag file, a service that reads it when restarted, and a playbook that needs no network.

The service is a file: its redeploy copies the flag file over `running.env`, and verify compares the two. So a whole
ramp takes as long as the tool itself, and what the service runs with can be read at any moment.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

RUNBOOK = Path(sys.executable).with_name("runbook")
LONGEST = 60.0  # seconds that any one command may take before it counts as hanging
MODE = 0o640  # of the flag file: neither what a new file gets nor what is private

PLAYBOOK = """\
runbook: 1
service: menu
flags:
  percent: MENU_PERCENT
  safe: {MENU_PERCENT: 0, MENU_MODEL: none}
environments:
  local:
    flags_in: {env: conf/menu.env}
    redeploy: {command: [sh, conf/restart.sh], timeout: 20s, verify_within: 1s}
verify:
  - {check: The service runs with the file's flags, command: [cmp, conf/menu.env, conf/running.env], reads: true}
stages:
  - {stage: dark, percent: 0, set: {MENU_MODEL: none}}
  - {stage: tasters, percent: 10, set: {MENU_MODEL: small}}
  - {stage: tables, percent: [50, 100], fallback: 20}
rollback: {set: safe, objective: 1m, incident: P1, partial: {ladder: [50, 25], bake: 1h}}
"""
FLAGS = """\
# the kitchen's file
MENU_PERCENT = {percent}
export MENU_MODEL='{model}'  # none, small, large
MENU_LANGUAGES="de fr"
"""
# How long the first restart takes, and how it ends, is told from outside; each that begins leaves a line.
RESTART = """\
#!/bin/sh
log="${RESTART_LOG:-/dev/null}"
echo "$$" >> "$log"
[ -z "$RESTART_TAKES" ] || [ "$(wc -l < "$log")" -gt 1 ] || sleep "$RESTART_TAKES"
cp conf/menu.env conf/running.env
"""
SHOWN = {
    "dark@0": FLAGS.format(percent=0, model="none").encode(),
    "tasters@10": FLAGS.format(percent=10, model="small").encode(),
    "tables@20": FLAGS.format(percent=20, model="small").encode(),
    "tables@25": FLAGS.format(percent=25, model="small").encode(),
    "tables@50": FLAGS.format(percent=50, model="small").encode(),
    "tables@100": FLAGS.format(percent=100, model="small").encode(),
}


STARTED: list[subprocess.Popen[str]] = []


@dataclass(frozen=True)
class Ran:
    """How a command ended; `code` is negative for a signal's number, None when it had to be ended by us."""

    code: int | None
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.err + self.out

    def __str__(self) -> str:
        return f"exit {self.code}: {' '.join(self.said.split())[-300:]}"


@dataclass(frozen=True)
class Practice:
    """One project in a folder of its own."""

    root: Path

    @property
    def flags(self) -> Path:
        return self.root / "conf/menu.env"

    @property
    def running(self) -> Path:
        return self.root / "conf/running.env"

    @property
    def state(self) -> Path:
        return self.root / ".runbook"

    @property
    def restarts(self) -> Path:
        """Where restarts leave their lines when a command is told so; outside the project, which stays as it is."""
        return self.root.with_name(f"{self.root.name}.restarts")

    def environment(self, **more: str) -> dict[str, str]:
        """Nothing of whoever runs the tests reaches the tool, and nothing that it keeps leaves the folder."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNBOOK_", "RESTART_"))}
        away = {f"XDG_{name}_HOME": str(self.root.parent / f"{self.root.name}-home") for name in ("STATE", "CONFIG")}
        return {**kept, "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1", **away, **more}

    def start(self, *argv: str, **more: str) -> subprocess.Popen[str]:
        """The installed command, in a session of its own."""
        return self.start_any([str(RUNBOOK), *argv], **more)

    def start_any(self, command: list[str], **more: str) -> subprocess.Popen[str]:
        """Any command, as an operator would start it, in a session of its own."""
        process = subprocess.Popen(
            command, cwd=self.root, env=self.environment(**more), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        STARTED.append(process)
        return process

    def run(self, *argv: str, **more: str) -> Ran:
        """The installed command, to its end."""
        return ended(self.start(*argv, **more))

    def went(self, *argv: str, **more: str) -> Ran:
        """As `run`, for what must work before anything can be tried."""
        ran = self.run(*argv, **more)
        if ran.code != 0:
            raise AssertionError(f"runbook {' '.join(argv)} should have worked: {ran}")
        return ran


def ended(process: subprocess.Popen[str], seconds: float = LONGEST) -> Ran:
    """Wait for a process of ours; one that hangs is ended with its whole group."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        out, err = process.communicate()
        return Ran(None, out or "", err or "")
    return Ran(process.returncode, out or "", err or "")


def end_started() -> None:
    """End what was started and is still there: a test that failed half way leaves nothing running."""
    while STARTED:
        process = STARTED.pop()
        if process.poll() is None:
            ended(process, 0.0)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def until(holds: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    """Wait until something holds that another process brings about."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds:g} s")
        time.sleep(0.01)


def make(root: Path, *, in_place: bool = False) -> Practice:
    """A new project at its first stage, without any history; `in_place` is how its flag file is to be written."""
    practice = Practice(root)
    (root / "playbooks").mkdir(parents=True)
    (root / "conf").mkdir()
    written = ", write: in_place" if in_place else ""
    (root / "playbooks/menu.yaml").write_text(PLAYBOOK.replace("conf/menu.env}", f"conf/menu.env{written}}}", 1))
    (root / "conf/restart.sh").write_text(RESTART)
    practice.flags.write_bytes(SHOWN["dark@0"])
    practice.flags.chmod(MODE)
    practice.running.write_bytes(SHOWN["dark@0"])
    with contextlib.suppress(OSError):  # not every file system has them
        os.setxattr(practice.flags, "user.kept", b"yes")
    return practice


def copy(practice: Practice, root: Path) -> Practice:
    """The same project, history and all, somewhere else; what stood there before is removed."""
    home = root.parent / f"{root.name}-home"
    for folder in (root, home):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(practice.root, root, symlinks=True)
    with contextlib.suppress(OSError):
        os.setxattr(root / "conf/menu.env", "user.kept", b"yes")
    return Practice(root)
