"""The process of a sandbox as seen from outside: started detached and heard from, told of changes, ended."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.sandbox.record import LOG, Serving, read_serving, write_private
from runbook.sandbox.trouble import PortTaken, SandboxTrouble

if TYPE_CHECKING:
    import subprocess

UP = "runbook sandbox up"
RESTART = "restart"  # a script in the sandbox's folder: what a redeploy runs, and what can be typed by hand
STOP_WITHIN = 2.0  # seconds an engine may take to end before it is killed
LOG_LIMIT = 1 << 20  # bytes; a longer log is begun anew at a start
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")


def start_engine(folder: Path, wait: float) -> Serving:
    """Starts the engine for `folder` and returns what it wrote about itself once it serves.

    Raises SandboxTrouble with the engine's own reason, or when it said nothing within `wait` seconds.
    """
    hears, tells = os.pipe()
    try:
        process = _spawn(folder, tells)
    finally:
        os.close(tells)
    try:
        told = _hear(hears, wait)
    finally:
        os.close(hears)
    if told is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise SandboxTrouble(f"the sandbox did not answer within {wait:g} s", f"look at {folder / LOG}")
    process.wait()  # the engine runs on as its child, so that no caller has to wait for it
    if told.get("trouble"):
        kind = PortTaken if told.get("taken") else SandboxTrouble
        raise kind(told["trouble"], told["hint"])
    serving = read_serving(folder)
    if serving is None or not told:
        raise SandboxTrouble("the sandbox ended before it answered", f"look at {folder / LOG}")
    return serving


def stop_engine(serving: Serving) -> None:
    """Ends the process and waits until it is gone. Raises SandboxTrouble when even a kill does not end it."""
    for ending, patience in ((signal.SIGTERM, STOP_WITHIN), (signal.SIGKILL, STOP_WITHIN)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(serving.pid, ending)
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if not serving.alive():
                return
            time.sleep(0.005)  # a process that is not our child can only be looked at
    raise SandboxTrouble(f"process {serving.pid} of the sandbox does not end", f"kill -9 {serving.pid}")


def tell_engine(serving: Serving) -> None:
    """Has the process read its faults again; they hold when it has answered."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", serving.control_port, timeout=2)
    try:
        connection.request("POST", "/_sandbox/reload")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException) as trouble:
        raise SandboxTrouble(f"process {serving.pid} of the sandbox does not answer: {trouble}", UP) from None
    finally:
        connection.close()


def answers(serving: Serving) -> bool:
    """Whether a process that is there also answers; a stopped one does not."""
    try:
        tell_engine(serving)
    except SandboxTrouble:
        return False
    return True


def write_restart_script(folder: Path) -> None:
    """A short command for plans, that needs neither an installation nor the caller's environment."""
    python, package, place = (shlex.quote(str(path)) for path in (sys.executable, Path(__file__).parents[2], folder))
    line = f"PYTHONPATH={package} exec {python} -P -m runbook.sandbox.control restart {place}"
    write_private(
        folder / RESTART, f"#!/bin/sh\n# Restarts the practice service, which reads its env file anew.\n{line}\n"
    )


def _spawn(folder: Path, tells: int) -> subprocess.Popen[bytes]:
    import subprocess

    log = folder / LOG
    anew = os.O_TRUNC if log.exists() and log.stat().st_size > LOG_LIMIT else 0
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | anew, 0o600)
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "runbook.sandbox.engine", str(folder), str(tells)],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(tells,),
            start_new_session=True,
        )
    finally:
        os.close(output)


def _environment() -> dict[str, str]:
    """Little of the caller's: a service that outlives its operator must not carry his secrets or his markers."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUNBUFFERED": "1"}


def _hear(hears: int, wait: float) -> dict[str, Any] | None:
    """The one line that the engine tells; empty when it ended without one, None when time was up."""
    end, told = time.monotonic() + wait, b""
    with selectors.DefaultSelector() as selector:
        selector.register(hears, selectors.EVENT_READ)
        while not told.endswith(b"\n"):
            if not selector.select(max(0.0, end - time.monotonic())):
                return None
            piece = os.read(hears, 65536)
            if not piece:
                return {}
            told += piece
    answer: dict[str, Any] = json.loads(told)
    return answer
