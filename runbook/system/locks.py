"""Locks between processes: `flock` on a file of its own, which the kernel frees when the holder dies.

The data file itself is never locked: once it is renamed over, the lock would lie on a file nobody sees any more.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from runbook.system.clock import MachineClock, rfc3339
from runbook.system.files import PRIVATE, Modes, ensure_folder, ensure_regular, told_in_words

RETRY = 0.02  # seconds between two tries; flock with a time-out does not exist


class Locked(Exception):  # noqa: N818 - it is told, not a fault of ours
    """Somebody else holds the lock. `holder_text` tells who, for display only."""

    def __init__(self, path: Path, holder_text: str) -> None:
        super().__init__(f"{path} is held by {holder_text or 'another process'}")
        self.path = path
        self.holder_text = holder_text


@contextlib.contextmanager
def file_locked(path: Path, wait: float = 0.0, modes: Modes = PRIVATE) -> Iterator[None]:
    """The state in which this process holds the lock file `path`; made as needed and never removed.

    Waits at most `wait` seconds. Raises `Locked` when another holds it, `FileTrouble` when the file cannot be used.
    """
    ensure_folder(path.parent, modes)
    descriptor = _open(path, modes)
    try:
        _take(descriptor, path, time.monotonic() + wait)
        _write_holder(descriptor, _myself())
        try:
            yield
        finally:
            _write_holder(descriptor, "")
    finally:
        os.close(descriptor)


def holder_text(path: Path) -> str:
    """Who wrote themselves into the lock file last and did not leave in order; empty when nobody."""
    with contextlib.suppress(OSError):
        return path.read_bytes()[:500].decode("utf-8", "replace").strip()
    return ""


def _open(path: Path, modes: Modes) -> int:
    with told_in_words(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, modes.file)
        try:
            status = os.fstat(descriptor)
            ensure_regular(path, status)
            if status.st_size == 0 and status.st_uid == os.geteuid():
                os.fchmod(descriptor, modes.file)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor


def _take(descriptor: int, path: Path, deadline: float) -> None:
    with told_in_words(path):
        while True:
            try:
                return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise Locked(path, holder_text(path)) from None
            time.sleep(RETRY)


def _write_holder(descriptor: int, text: str) -> None:
    """A full disk must not keep anybody from the lock, so the text is best effort."""
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)


def _myself() -> str:
    clock = MachineClock()
    since = rfc3339(clock.wall())
    return f"process {os.getpid()} since {since} (start {_start_ticks()}, boot {clock.boot_id()})\n"


def _start_ticks() -> str:
    """When this process started, in the kernel's ticks since boot: tells two processes with one number apart."""
    with contextlib.suppress(OSError, IndexError):
        return Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    return "unknown"
