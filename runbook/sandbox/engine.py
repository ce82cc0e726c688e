"""The process of a sandbox: `python -m runbook.sandbox.engine FOLDER FD`.

It reads the folder's setup and the env file once, serves until it is told to end, and writes one line of JSON to the
file descriptor FD as soon as it serves, or why it cannot. A change of the env file shows after a restart alone.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from runbook.sandbox import faults as fault_file
from runbook.sandbox.definition import Definition
from runbook.sandbox.env_file import read_env
from runbook.sandbox.numbers import read_flags
from runbook.sandbox.practice_files import write_practice_files
from runbook.sandbox.reading import read_definition
from runbook.sandbox.record import Serving, process_birth, read_setup, write_serving
from runbook.sandbox.server import Server
from runbook.sandbox.service import Service
from runbook.sandbox.trouble import PortTaken, SandboxTrouble

PATIENCE = 0.5  # seconds that requests at work get when the service ends
ENV_FILE_LIMIT = 1 << 20  # bytes


class Engine:
    """The service on its port, and a control port that answers even while the service's own refuses."""

    def __init__(self, folder: Path) -> None:
        setup = read_setup(folder)
        if setup is None:
            raise SandboxTrouble(f"no sandbox was set up in {folder}", "runbook sandbox up")
        self.folder = folder
        self.definition = read_definition(Path(setup.definition))
        flags = read_flags(self.definition, read_env(_text(Path(setup.env_file))))
        write_practice_files(folder, self.definition.files)
        self.service = Service(self.definition, flags, fault_file.kept(folder), os.getpid())
        self.front = self._bound(setup.port)
        self.control = Server(0, self.service, self.reload)
        self._reloading = threading.Lock()

    def begin(self) -> Serving:
        """Serves from here on, and returns what is to be known about it."""
        self.control.serve()
        if not self._refusing():
            self.front.serve()
        return Serving(
            service=self.definition.service,
            pid=os.getpid(),
            birth=process_birth(os.getpid()) or "",
            port=self.front.server_port,
            control_port=self.control.server_port,
            started_at=self.service.started_at,
            flags=dict(self.service.flags),
            variables=_variables(self.definition, self.front.server_port),
        )

    def reload(self) -> None:
        """Takes the faults as they stand in the folder; the port is shut or opened as they say."""
        with self._reloading:
            refused = self._refusing()
            self.service.take(fault_file.kept(self.folder))
            _log(f"faults: {self.service.faults}")
            if self._refusing() and not refused:
                port = self.front.server_port
                self.front.stop(patience=0)
                # Bound and not listening: clients are refused, and nobody else can take the port meanwhile.
                self.front = self._bound(port)
            elif refused and not self._refusing():
                self.front.serve()

    def end(self) -> None:
        self.front.stop(PATIENCE)

    def _refusing(self) -> bool:
        return "*" in self.service.faults.down

    def _bound(self, port: int) -> Server:
        try:
            return Server(port, self.service)
        except (OSError, OverflowError) as trouble:
            raise PortTaken(f"port {port} is taken: {trouble}", "choose another, or end what holds it") from None


def main(arguments: list[str]) -> int:
    folder, told = Path(arguments[0]), int(arguments[1])
    os.umask(0o077)
    if os.fork():
        os._exit(0)  # the caller waits for this parent only; the engine belongs to nobody
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: ending.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        engine = Engine(folder)
        serving = engine.begin()
        write_serving(folder, serving)
    except SandboxTrouble as trouble:
        _log(trouble.reason)
        _tell(told, {"trouble": trouble.reason, "hint": trouble.hint, "taken": isinstance(trouble, PortTaken)})
        return 1
    _log(f"process {serving.pid} serves {serving.service} at {serving.url} with {dict(serving.flags)}")
    _tell(told, {"url": serving.url})
    ending.wait()
    engine.end()
    _log(f"process {serving.pid} ends")
    return 0


def _text(env_file: Path) -> str:
    if not env_file.is_file():
        raise SandboxTrouble(f"there is no env file {env_file}", "write it, or remove the sandbox and set it up again")
    try:
        with env_file.open("rb") as file:
            return file.read(ENV_FILE_LIMIT).decode(errors="replace")
    except OSError as trouble:
        raise SandboxTrouble(f"the env file {env_file} cannot be read: {trouble.strerror}") from None


def _variables(definition: Definition, port: int) -> dict[str, str]:
    """`{port}` is filled in here; `{place}`, the folder as the project sees it, where the project is known."""
    folder = str(Path.cwd())
    return {
        name: text.replace("{port}", str(port)).replace("{folder}", folder)
        for name, text in definition.variables.items()
    }


def _log(text: str) -> None:
    sys.stderr.write(time.strftime("%Y-%m-%dT%H:%M:%SZ ", time.gmtime()) + text + "\n")


def _tell(descriptor: int, words: dict[str, Any]) -> None:
    try:
        os.write(descriptor, json.dumps(words).encode() + b"\n")
    except OSError as trouble:
        _log(f"nobody waits any more: {trouble}")
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
