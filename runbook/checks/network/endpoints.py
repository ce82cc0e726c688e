"""A host and a port, as a playbook names them, and a connection to them."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from runbook.checks.base import Finding
from runbook.checks.findings import unanswered
from runbook.system.addresses import resolve
from runbook.system.http_addresses import Addresses, first_to_connect
from runbook.system.http_messages import HttpTrouble
from runbook.system.http_timing import Timing
from runbook.system.http_wire import in_words, with_place

LONGEST = 64 << 10  # bytes that are kept of what is sent to us

_WRITTEN = re.compile(
    r"(?:[a-z]+://)?(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s/:\[\]@]+))(?::(?P<port>\d{1,5}))?/?\Z"
)


@dataclass(frozen=True)
class Endpoint:
    """Where somebody listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Connected:
    """A connection, the address that took it, and the seconds of `resolve` and `connect`."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    address: str
    phases: dict[str, float]


class NotConnected(Exception):  # noqa: N818 - it is told, not a fault of ours
    """No connection, and in which phase (`resolve`, `connect`, `tls`) it ended."""

    def __init__(self, trouble: HttpTrouble) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble

    def finding(self) -> Finding:
        """What a check says of it."""
        return unanswered(self.trouble)


def endpoint(text: str, port: int | None = None) -> Endpoint:
    """The endpoint that `HOST:PORT`, `[::1]:PORT` or a URL without a path names; `port` is used where it names none.

    Raises ValueError, saying what to write.
    """
    found = _WRITTEN.match(text.strip())
    if found is None and text.count(":") > 1:
        raise ValueError(f"{text} is no host and port: an IPv6 address stands in brackets, [::1]:5432")
    if found is None or (found["port"] is None and port is None):
        raise ValueError(f"{text or 'an empty text'} is no host and port: write HOST:PORT, as in localhost:5432")
    number = int(found["port"]) if found["port"] else port or 0
    if not 0 < number < 65536:
        raise ValueError(f"there is no port {number}")
    return Endpoint(found["six"] or found["host"], number)


@contextlib.asynccontextmanager
async def connection(place: Endpoint, until: float) -> AsyncIterator[Connected]:
    """A TCP connection while the block runs, had until a time on the monotonic clock, else NotConnected is raised."""
    connected = await _connected(place, until)
    try:
        yield connected
    finally:
        connected.writer.transport.abort()


async def _connected(place: Endpoint, until: float) -> Connected:
    await asyncio.sleep(0)  # the other checks of the look load what they need first, which is no time of this one
    timing = Timing()
    timing.enter("resolve")
    seconds = max(0.001, until - time.monotonic())
    try:
        async with asyncio.timeout(seconds):
            addresses = await resolve(place.host, place.port)
            timing.enter("connect")
            streams, address = await first_to_connect(
                Addresses(addresses, OSError, until),
                timing,
                lambda one: asyncio.open_connection(one, place.port, limit=LONGEST),
            )
    except TimeoutError:
        message = with_place(str(place), timing.phase, f"no {timing.awaited()} within {seconds:.3g} s")
        raise not_connected(timing, message, timed_out=True) from None
    except (OSError, ValueError) as trouble:
        message = with_place(str(place), timing.phase, in_words(trouble, timing.phase))
        raise not_connected(timing, message) from None
    return Connected(*streams, address, timing.seconds())


def not_connected(timing: Timing, message: str, timed_out: bool = False) -> NotConnected:
    """What to raise where it ended in the phase that `timing` is in."""
    return NotConnected(HttpTrouble(timing.phase, message, timed_out=timed_out, phases=timing.seconds()))
