"""A host with several addresses: the next is tried before the one that says nothing has used up the time."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from runbook.system.http_timing import Timing

T = TypeVar("T")
# Seconds that an address gets to take a connection before the next is tried, round by round: a quarter of a second as
# in RFC 8305, then time for a packet that is sent again, in the end a fair share of what is left.
_HEAD_STARTS = (0.25, 1.5, math.inf)


@dataclass(frozen=True)
class Addresses:
    """The addresses of a host in the order in which they are tried, until a time on the monotonic clock.

    `refusal` is what is raised where one does not take a connection.
    """

    each: Sequence[str]
    refusal: type[Exception]
    until: float


async def first_to_connect(addresses: Addresses, timing: Timing, ask: Callable[[str], Awaitable[T]]) -> tuple[T, str]:
    """What `ask` gives at the first address that takes a connection, and which that is.

    Raises the refusal where all refuse, TimeoutError where the rest says nothing, and whatever comes of an address that
    took a connection: from there on no other is tried.
    """
    silent, refused = list(addresses.each), addresses.refusal("it has no address")
    for head_start in _HEAD_STARTS:
        for left, address in zip(range(len(silent), 0, -1), tuple(silent), strict=True):
            share = (addresses.until - time.monotonic()) / left
            try:
                async with timing.connected_within(min(head_start, share)):
                    return await ask(address), address
            except TimeoutError:
                continue
            except addresses.refusal as trouble:
                if timing.phase != "connect":
                    raise
                silent.remove(address)
                refused = trouble
    raise refused if not silent else TimeoutError
