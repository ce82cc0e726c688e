"""A server that says what a test tells it, to whoever connects, down to the byte. On loopback."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

Saying = Callable[[socket.socket], None]


@contextlib.contextmanager
def speaking(say: Saying) -> Iterator[int]:
    """The port of a server that hands each connection to `say`, and closes it after that."""
    ending = threading.Event()

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(20)
            say(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)

        def accept() -> None:
            while not ending.is_set():
                with contextlib.suppress(TimeoutError):
                    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            ending.set()
            accepting.join()


def heard(connection: socket.socket) -> bytes:
    """What came in at once."""
    return connection.recv(1 << 16)


def silent(connection: socket.socket) -> None:
    """Says nothing until the other side goes."""
    while connection.recv(1 << 16):
        pass


def pour(connection: socket.socket, data: bytes, seconds: float = 10.0) -> None:
    """Send the same over and over, until the other side goes or the time is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        connection.sendall(data)


def drip(connection: socket.socket, data: bytes) -> None:
    """Send one byte after the other, each in good time."""
    for byte in data:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def postgres_message(kind: bytes, body: bytes = b"", length: int | None = None) -> bytes:
    """A message of PostgreSQL's protocol, version 3; `length` is what it claims, where that is not so."""
    return kind + struct.pack(">i", len(body) + 4 if length is None else length) + body


# What a server says once it has let somebody in without a password: AuthenticationOk, a parameter, ReadyForQuery.
POSTGRES_WELCOME = (
    postgres_message(b"R", struct.pack(">i", 0))
    + postgres_message(b"S", b"server_version\0" + b"15.0\0")
    + postgres_message(b"S", b"client_encoding\0UTF8\0")
    + postgres_message(b"Z", b"I")
)
POSTGRES_DONE = postgres_message(b"C", b"SET\0") + postgres_message(b"Z", b"T")


def welcome(connection: socket.socket) -> None:
    """Let a client of PostgreSQL in, and answer its first query."""
    if heard(connection)[4:8] == struct.pack(">i", 80877103):  # it asks for TLS
        connection.sendall(b"N")
        heard(connection)
    connection.sendall(POSTGRES_WELCOME)
    heard(connection)
    connection.sendall(POSTGRES_DONE)
    heard(connection)
