"""One script for whatever is asked, on a port of loopback and on a Unix socket at once."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers import Script

LONGEST = 20.0  # seconds that a script lives at most


@dataclass
class Peer:
    """A running other side. `asked` is what was sent to it first, one entry a connection."""

    script: Script
    reads: bool
    port: int = 0
    path: Path | None = None
    asked: list[str] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(LONGEST)
            head = connection.recv(65536) if self.reads else b""
            if self.reads and not head:
                return
            while self.reads and b"\r\n\r\n" not in head:
                more = connection.recv(65536)
                if not more:
                    break
                head += more
            self.asked.append(head.decode("latin-1"))
            self.script(connection, self.asked[-1])

    def accept(self, listener: socket.socket) -> None:
        while not self.ending.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = listener.accept()
                thread = threading.Thread(target=self.serve, args=(connection,), daemon=True)
                self.threads.append(thread)
                thread.start()


@contextlib.contextmanager
def peer(script: Script, folder: Path | None = None, *, reads: bool = True, host: str = "127.0.0.1") -> Iterator[Peer]:
    """A peer that hands every connection to `script`: behind a whole head of a request, or (`reads` false) at once.

    With a folder it also listens on a Unix socket in there.
    """
    made = Peer(script, reads)
    with contextlib.ExitStack() as ending:
        listeners = [ending.enter_context(socket.create_server((host, 0), backlog=256))]
        made.port = listeners[0].getsockname()[1]
        if folder is not None:
            made.path = folder / "peer.sock"
            made.path.unlink(missing_ok=True)
            listeners.append(ending.enter_context(socket.socket(socket.AF_UNIX)))
            listeners[1].bind(str(made.path))
            listeners[1].listen(64)
        accepting = []
        for listener in listeners:
            listener.settimeout(0.02)
            accepting.append(threading.Thread(target=made.accept, args=(listener,), daemon=True))
            accepting[-1].start()
        try:
            yield made
        finally:
            made.ending.set()
            for thread in accepting:
                thread.join()


def in_turn(scripts: Sequence[Script]) -> Script:
    """A script that hands each connection to the next of these, and every later one to the last."""
    left = list(scripts)

    def next_one(connection: socket.socket, request: str) -> None:
        script = left.pop(0) if len(left) > 1 else left[0]
        script(connection, request)

    return next_one
