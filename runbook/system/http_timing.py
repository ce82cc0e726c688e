"""How long each part of a request takes, taken from the steps that the client under it tells of."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from runbook.system.http_messages import PHASES

_SEND = "http11.send_request_headers.started"
_BEGINS = {
    "connection.connect_tcp.started": "connect",
    "connection.connect_unix_socket.started": "connect",
    "connection.start_tls.started": "tls",
    "proxy.start_tls.started": "tls",
    _SEND: "send",
    "http11.receive_response_headers.started": "wait",
    "http11.receive_response_body.started": "read",
}
_AWAITED = {"resolve": "address", "connect": "connection", "tls": "TLS handshake", "read": "end of the answer"}
_COUNTED_AS = {name: name for name in PHASES} | {"send": "wait"}


class Timing:
    """In which phase one request is, and the seconds of each so far.

    `resolve` is the name, `connect` the connection (with a proxy also its consent to pass it on), `tls` the handshake,
    `wait` from the sending of the request to the head of the answer, `read` its body. A connection that was open
    already has neither `connect` nor `tls`. Over redirects and several addresses they add up; `before` are those of
    what went before.
    """

    def __init__(self, before: Mapping[str, float] | None = None) -> None:
        self.phase = "refuse"
        self.unsecured: Any = None  # the connection before TLS
        self._seconds = dict(before or {})
        self._counted = ""
        self._since = 0.0
        self._limit: asyncio.Timeout | None = None
        self._tunnelling = False

    def enter(self, phase: str) -> None:
        """A phase begins, and the one before it is over."""
        self._stop()
        self.phase, self._counted = phase, _COUNTED_AS.get(phase, "")

    def expect(self, phase: str) -> None:
        """A phase comes next, unless it is spared; its time counts from when it really begins."""
        self._stop()
        self.phase, self._counted = phase, ""

    def awaited(self) -> str:
        """What is waited for in this phase, in words."""
        return _AWAITED.get(self.phase, "answer")

    def seconds(self) -> dict[str, float]:
        """What was counted so far, that of the phase under way with it."""
        self._stop()
        return {name: self._seconds[name] for name in PHASES if name in self._seconds}

    @asynccontextmanager
    async def connected_within(self, seconds: float) -> AsyncIterator[None]:
        """Raises TimeoutError where no connection is taken in this time; what comes after it is not bounded by it."""
        async with asyncio.timeout(seconds) as self._limit:
            yield
        self._limit = None

    async def trace(self, event: str, details: Mapping[str, Any]) -> None:
        """What the client calls at each of its steps."""
        if event == "connection.connect_tcp.complete":
            self.unsecured = details["return_value"]
        phase = _BEGINS.get(event)
        if phase is None:
            return
        if self._limit is not None and phase != "connect":
            self._limit.reschedule(None)
            self._limit = None
        if event == _SEND:
            self._tunnelling = details["request"].method == b"CONNECT"
        if not self._tunnelling or phase == "tls":
            self.enter(phase)

    def _stop(self) -> None:
        now = time.monotonic()
        if self._counted:
            self._seconds[self._counted] = self._seconds.get(self._counted, 0.0) + now - self._since
        self._since = now
