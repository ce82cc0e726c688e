"""Local servers that answer as a test tells them, down to the byte. All on loopback, on ports the system chooses."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Script = Callable[[socket.socket, str], None]


@dataclass
class Scripted:
    """A server that reads a request and hands the connection to the script of its path.

    `asked` are all requests so far. A connection serves one request.
    """

    scripts: dict[str, Script] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    port: int = 0
    ending: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(20)
            head = b""
            while b"\r\n\r\n" not in head:
                data = connection.recv(65536)
                if not data:
                    return
                head += data
            announced = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
            while announced and len(head.partition(b"\r\n\r\n")[2]) < int(announced[1]):
                head += connection.recv(65536)
            text = head.decode("latin-1")
            self.asked.append(text)
            path = text.split(" ")[1].partition("?")[0]
            self.scripts.get(path, answer(b"not found", status="404 Not Found"))(connection, text)


def answer(body: bytes | str, *, status: str = "200 OK", headers: str = "") -> Script:
    """A script that sends a whole, honest answer."""
    data = body.encode() if isinstance(body, str) else body

    def send(connection: socket.socket, request: str) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(data)}\r\nConnection: close\r\n{headers}\r\n"
        connection.sendall(head.encode("latin-1") + data)

    return send


def raw(data: bytes) -> Script:
    """A script that sends these bytes and closes."""
    return lambda connection, request: connection.sendall(data)


@contextlib.contextmanager
def scripted(scripts: dict[str, Script]) -> Iterator[Scripted]:
    """A running server; it and all its connections end with the block."""
    server = Scripted(scripts=dict(scripts))
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        server.port = listener.getsockname()[1]
        listener.settimeout(0.05)
        threads: list[threading.Thread] = []

        def accept() -> None:
            while not server.ending.is_set():
                with contextlib.suppress(TimeoutError):
                    connection, _ = listener.accept()
                    thread = threading.Thread(target=server.serve, args=(connection,), daemon=True)
                    threads.append(thread)
                    thread.start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            server.ending.set()
            accepting.join()
            for thread in threads:
                thread.join(timeout=5)


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A port on which nobody listens while the block runs."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]
