"""Commands started by forking a process that has everything imported: the same code, a tenth of the start-up time.

Each command is a process of its own, in a session of its own, with its own arguments, environment, folder and streams.
Where the start itself is what a test is about, it runs the installed command instead (`Project.installed`); with
RUNBOOK_TEST_INSTALLED=1 all tests do.
"""

from __future__ import annotations

import functools
import importlib
import io
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Protocol

PROJECT = Path(__file__).resolve().parents[2]


class Process(Protocol):
    """What the tests need of a process."""

    pid: int
    returncode: Any

    def communicate(self, input: Any = None, timeout: float | None = None) -> tuple[str, str]: ...  # noqa: A002
    def send_signal(self, sig: int) -> None: ...
    def wait(self, timeout: float | None = None) -> int: ...


class Forked:
    """A command that was started by the forking process; used like a `subprocess.Popen`."""

    def __init__(self, args: list[str], cwd: Path, environment: Mapping[str, str]) -> None:
        self.args = args
        self.returncode: int | None = None
        self._printed: tuple[str, str] | None = None
        self._files = (tempfile.TemporaryFile(), tempfile.TemporaryFile())  # noqa: SIM115 - closed when it has ended
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(str(_server()))
        request = json.dumps({"args": args, "cwd": str(cwd), "environment": dict(environment)}).encode()
        socket.send_fds(self._connection, [b"%d\n" % len(request)], [file.fileno() for file in self._files])
        self._connection.sendall(request)
        self._told = self._connection.makefile("r")
        self.pid = int(self._told.readline())

    def send_signal(self, sig: int) -> None:
        os.kill(self.pid, sig)

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, negative for a signal. Raises TimeoutExpired."""
        if self.returncode is None:
            self._connection.settimeout(timeout)
            try:
                self.returncode = os.waitstatus_to_exitcode(int(self._told.readline()))
            except TimeoutError as error:
                os.killpg(self.pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(self.args, timeout or 0.0) from error
            self._told.close()
            self._connection.close()
        return self.returncode

    def communicate(self, input: Any = None, timeout: float | None = None) -> tuple[str, str]:  # noqa: A002
        """Wait, and give what was printed."""
        self.wait(timeout)
        if self._printed is None:
            out, err = self._files
            self._printed = (_text(out), _text(err))
        return self._printed


def _text(file: IO[bytes]) -> str:
    """All that a file holds; it is closed."""
    with file:
        file.seek(0)
        return file.read().decode()


@functools.cache
def _server() -> Path:
    """The socket of the forking process, which ends when this process does: its standard input ends then."""
    path = Path(tempfile.mkdtemp(prefix="runbook-")) / "start"
    command = [sys.executable, "-m", "tests.command.quick_start", str(path)]
    server = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    _KEPT.append(server)
    assert server.stdout is not None and server.stdout.readline() == b"ready\n"
    server.stdout.close()
    return path


_KEPT: list[subprocess.Popen[bytes]] = []


def _serve(path: Path) -> None:
    import runbook

    for module in pkgutil.walk_packages(runbook.__path__, "runbook."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(64)
        os.write(1, b"ready\n")
        while True:
            ready, _, _ = select.select([listener.fileno(), 0], [], [], 1.0)
            if 0 in ready:
                break
            _reap()
            if ready:
                connection, _ = listener.accept()
                if os.fork() == 0:
                    listener.close()
                    try:
                        _attend(connection)
                    finally:  # whoever asked may be gone, and this copy of the server must not clear its place away
                        os._exit(1)
                connection.close()
    path.unlink()
    path.parent.rmdir()


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        return


def _attend(connection: socket.socket) -> None:
    """Start one command, tell its number, wait for it, tell how it ended."""
    head, streams, _, _ = socket.recv_fds(connection, 16, 2)
    size, _, body = head.partition(b"\n")
    while len(body) < int(size):
        body += connection.recv(1 << 20)
    request = json.loads(body)
    pid = os.fork()
    if pid == 0:
        connection.close()
        _become(request["args"], request["cwd"], request["environment"], streams)
    for stream in streams:
        os.close(stream)
    connection.sendall(b"%d\n" % pid)
    _, status = os.waitpid(pid, 0)
    connection.sendall(b"%d\n" % status)
    os._exit(0)


def _become(args: list[str], cwd: str, environment: dict[str, str], streams: list[int]) -> None:
    """What the installed command does when it is started."""
    os.setsid()
    for target, source in enumerate([os.open(os.devnull, os.O_RDONLY), *streams]):
        os.dup2(source, target)
    os.closerange(3, 256)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    command = Path(sys.executable).with_name("runbook")
    sys.argv = [str(command), *args]
    sys.path[0] = str(command.parent)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - they are this process's streams
    sys.stdout = io.TextIOWrapper(open(1, "wb", closefd=False), "utf-8")  # noqa: SIM115
    sys.stderr = io.TextIOWrapper(open(2, "wb", closefd=False), "utf-8", "backslashreplace", line_buffering=True)  # noqa: SIM115
    from runbook.cli.boundary import run

    try:
        run()
    finally:
        os._exit(99)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
