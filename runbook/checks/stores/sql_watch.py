"""A watch over a connection whose library reads on its own: it is cut when it is late, unwanted, or brings too much.

libpq reads whatever comes into memory of its own, a gigabyte for one row if the server says so, and does not return
meanwhile. Only the socket can be told to stop.
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import sys
import threading
import time
from collections.abc import Callable

from runbook.checks.findings import NotTaken
from runbook.checks.stores.cells import LARGEST, too_large
from runbook.checks.stores.sql_question import Question

_TICK = 0.01  # seconds between two looks
_AFTER = 0.05  # seconds for the server to say itself that the time is over
_BYTES_RECEIVED = slice(128, 136)  # tcpi_bytes_received in struct tcp_info, linux/tcp.h
_MORE_MEMORY = 64 << 20  # bytes; where the system does not count what came in


class Watch:
    """While the block runs, a thread looks at the socket. Afterwards `reason` says why it was cut, if it was.

    `cancel` is called before a connection is cut that nobody wants any more.
    """

    def __init__(self, descriptor: int, question: Question, stop: threading.Event, cancel: Callable[[], None]) -> None:
        self.reason = ""
        self._socket = socket.socket(fileno=os.dup(descriptor))
        self._question = question
        self._stop = stop
        self._cancel = cancel
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True, name="runbook-watch")
        self._at_first = _memory()

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._socket.close()

    def trouble(self) -> NotTaken | None:
        """What is to be told of a connection that was cut."""
        return NotTaken(self.reason) if self.reason else None

    def _look(self) -> None:
        while not self._ended.wait(_TICK):
            self.reason = self._why()
            if self.reason:
                if self._stop.is_set():
                    with contextlib.suppress(Exception):
                        self._cancel()
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
                return

    def _why(self) -> str:
        if self._stop.is_set():
            return "nobody waits for it any more"
        if time.monotonic() > self._question.until + _AFTER:
            return self._question.late
        received = _received(self._socket)
        much = _memory() - self._at_first > _MORE_MEMORY if received is None else received > LARGEST
        return too_large() if much else ""


def _received(connection: socket.socket) -> int | None:
    """The bytes that came in since the beginning; None where the system does not count them."""
    if not hasattr(socket, "TCP_INFO") or connection.family not in (socket.AF_INET, socket.AF_INET6):
        return None
    try:
        told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
    except OSError:
        return None
    return int.from_bytes(told[_BYTES_RECEIVED], sys.byteorder) if len(told) >= _BYTES_RECEIVED.stop else None


def _memory() -> int:
    """The most memory that this process ever had, in bytes. macOS counts bytes, others KiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most << 10
