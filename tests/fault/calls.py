"""System calls of one process: which of them touch state, and how to kill or fail the process at any one of them.

Only the main thread is traced: it does all writing, and so the count of a call does not depend on what threads or
children do meanwhile. A kill takes the whole process and leaves its children, as in real life.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fault.practice import RUNBOOK, Practice, Ran, ended, until

OPENS = ("openat", "open", "creat")
WRITES = ("write", "pwrite64", "writev", "pwritev", "sendfile", "copy_file_range")
SYNCS = ("fsync", "fdatasync", "ftruncate", "fchmod", "fchown", "fsetxattr", "flock")
NAMES = ("rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "link", "linkat", "symlink", "mkdir",
         "mkdirat", "chmod", "fchmodat", "chown", "fchownat")  # fmt: skip
PROCESSES = ("vfork", "fork", "clone", "clone3", "kill", "exit_group")
TRACED = (*OPENS, *WRITES, *SYNCS, *NAMES, *PROCESSES)
ELSEWHERE = "elsewhere"  # where a call struck that was not the one meant
_LINE = re.compile(r"^(?P<name>\w+)\((?P<told>.*)$")
_MADE_UP = re.compile(r"[0-9a-f]{8,}")  # names of operations and of temporary files differ from run to run


@dataclass(frozen=True)
class Call:
    """The `ordinal`-th call of this name in the main thread, counted from 1. `place` is what it touched, for people."""

    name: str
    ordinal: int
    place: str

    def __str__(self) -> str:
        return f"{self.name} {self.ordinal} ({self.place})"


@dataclass(frozen=True)
class Hit:
    """A run with something injected: where it struck (None: the call was never reached), and how the run ended."""

    place: str | None
    ran: Ran


def record(practice: Practice, *argv: str, **more: str) -> tuple[list[Call], Ran]:
    """Run a command to its end; the calls that touch the project from its first touch on, in order."""
    log = practice.root.with_name(f"{practice.root.name}.strace")
    ran = _traced(practice, ["-e", f"trace={_known(TRACED)}"], log, argv, more)
    counts: Counter[str] = Counter()
    found: list[Call] = []
    for line in log.read_text(errors="replace").splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        name = match["name"]
        counts[name] += 1
        place = _touches(name, match["told"], practice.root)
        if place or (found and name in PROCESSES):
            found.append(Call(name, counts[name], place or "a process"))
    return found, ran


def first(calls: Sequence[Call], place: str, name: str = "") -> Call:
    """The first call (of this name, if one is given) that touches `place`."""
    found = [call for call in calls if call.place == place and call.name in (name or call.name)]
    assert found, f"{name or 'no call'} never touches {place}"
    return found[0]


def inject(practice: Practice, call: Call, fault: str, *argv: str, onwards: bool = False, **more: str) -> Hit:
    """Run a command with `fault` (`signal=KILL`, `error=ENOSPC`) at a call, and at all later ones with `onwards`."""
    log = practice.root.with_name(f"{practice.root.name}.strace")
    when = f"{call.ordinal}{'+' if onwards else ''}"
    what = ["-e", f"trace={call.name}", "-e", f"inject={call.name}:{fault}:when={when}"]
    ran = _traced(practice, what, log, argv, more)
    lines = [line for line in log.read_text(errors="replace").splitlines() if _LINE.match(line)]
    if len(lines) < call.ordinal:
        return Hit(None, ran)
    told = lines[call.ordinal - 1].partition("(")[2]
    return Hit(_touches(call.name, told, practice.root) or ELSEWHERE, ran)


def delayed(practice: Practice, call: Call, seconds: float, *argv: str, **more: str) -> subprocess.Popen[str]:
    """A command that waits so long before it makes a call, and is running on."""
    log = practice.root.with_name(f"{practice.root.name}.strace")
    injected = f"inject={call.name}:delay_enter={int(seconds * 1e6)}:when={call.ordinal}"
    return _start(practice, ["-e", f"trace={call.name}", "-e", injected], log, argv, more)


@contextlib.contextmanager
def stopped(practice: Practice, call: Call, *argv: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """A command that stands still (SIGSTOP) at a call; it goes on when the block is left, and is then waited for."""
    log = practice.root.with_name(f"{practice.root.name}.strace")
    log.unlink(missing_ok=True)
    what = ["-e", f"trace={call.name}", "-e", f"inject={call.name}:signal=STOP:when={call.ordinal}"]
    tracer = _start(practice, what, log, argv, more)
    try:
        until(lambda: tracer.poll() is not None or "stopped by SIGSTOP" in _text(log), f"{argv} stands still at {call}")
        assert tracer.poll() is None, f"{argv} ended and never came to {call}: {ended(tracer)}"
        children = Path(f"/proc/{tracer.pid}/task/{tracer.pid}/children").read_text().split()
        yield tracer
        for pid in children:
            with contextlib.suppress(ProcessLookupError):  # somebody ended it meanwhile
                os.kill(int(pid), signal.SIGCONT)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(tracer.pid, signal.SIGKILL)
        raise


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def _traced(practice: Practice, what: list[str], log: Path, argv: tuple[str, ...], more: dict[str, str]) -> Ran:
    return ended(_start(practice, what, log, argv, more))


def _start(
    practice: Practice, what: list[str], log: Path, argv: tuple[str, ...], more: dict[str, str]
) -> subprocess.Popen[str]:
    return practice.start_any(["strace", "-q", "-y", "-s", "160", "-o", str(log), *what, str(RUNBOOK), *argv], **more)


def _known(names: tuple[str, ...]) -> str:
    """A question mark lets strace pass over a call that this machine does not have."""
    return ",".join(f"?{name}" for name in names)


def _touches(name: str, told: str, root: Path) -> str:
    """What of the project a call touches, in a few words; empty when it touches nothing of it."""
    if name in PROCESSES:
        return "the end" if name == "exit_group" else "a process"
    arguments = told.partition(") = ")[0]
    inside = [part for part in _paths(arguments, name) if part.startswith(str(root))]
    if not inside or (name in OPENS and not re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", arguments)):
        return ""
    relative = inside[-1].removeprefix(str(root)).lstrip("/") or "."
    state = re.search(r'\\"state\\":\\"(\w+)', arguments)
    return _MADE_UP.sub("*", relative) + (f" {state[1]}" if state else "")


def _paths(arguments: str, name: str) -> list[str]:
    """The paths in a call's arguments: what a descriptor stands for, and names, joined to the folder they start at."""
    if name in WRITES or name in SYNCS:
        return re.findall(r"^\d+<([^>]*)>", arguments)
    found: list[str] = []
    folder = ""
    for opened, named in re.findall(r'(?:AT_FDCWD|\d+)<([^>]*)>|"([^"]*)"', arguments):
        if opened:
            folder = opened
        else:
            found.append(named if named.startswith("/") else f"{folder}/{named}")
    return found
