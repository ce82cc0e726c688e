"""Starting a real server for a test: on a port the system chose, waited for until it answers, ended by its id."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

STARTS_WITHIN = 30.0  # seconds; on a quiet machine each takes well under five
ENDS_WITHIN = 10.0


def free_port() -> int:
    """A port on which nobody listens now."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port: int = holder.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def wait_until(ready: Callable[[], bool], what: str, within: float = STARTS_WITHIN) -> None:
    """Ask until it is so; the test fails, saying what did not come, when it takes too long."""
    until = time.monotonic() + within
    while not ready():
        if time.monotonic() > until:
            raise AssertionError(f"{what} within {within:g} s")
        time.sleep(0.02)


@contextlib.contextmanager
def started(
    argv: Sequence[str],
    folder: Path,
    ready: Callable[[], bool],
    *,
    env: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program of the system that runs while the block does; its output goes to `output.txt` in `folder`.

    The whole process group is ended: by a signal that lets it put its things in order, and if need be by force.
    """
    log = folder / "output.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(argv),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    try:
        wait_until(lambda: _is_up(process, log, ready), f"{argv[0]} did not answer; see {log}")
        yield process
    finally:
        _end(process)


def _is_up(process: subprocess.Popen[bytes], log: Path, ready: Callable[[], bool]) -> bool:
    if process.poll() is not None:
        raise AssertionError(f"{process.args!r} ended with {process.returncode}:\n{log.read_text('utf-8', 'replace')}")
    return ready()


def _end(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(ENDS_WITHIN)
            return
