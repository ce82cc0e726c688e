"""Many equal requests, so many at a time: sent until all are answered, or until they cannot be in time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from runbook.system.addresses import Resolver
from runbook.system.http import Connection, HttpTrouble, Request, Response, fetch

LONGEST_REQUEST = 30.0  # seconds
_JUDGED_FROM = 0.2  # share of the time, after which what is left to send is weighed against what is left of it
_OPTIMISM = 3.0  # how much faster than so far the rest may become


@dataclass(frozen=True)
class Volley:
    """What to send: `count` equal requests, at most `slots` at a time and `rate` of them a second.

    Nothing is sent, and nothing waited for, after `until` (on the monotonic clock). `meant` says of a status whether
    it is the one that is wanted.
    """

    request: Request
    count: int
    slots: int
    until: float
    meant: Callable[[int], bool]
    rate: float | None = None


@dataclass
class Tally:
    """What came of a volley. `times` are seconds from the sending of a request to the end of an answer as it was meant.

    `troubles` counts everything else, in words. `elapsed` is in seconds, and `busy` the seconds that this thread was
    at work in them. `hopeless` is true where it was given up before its time, `refused` why nothing could be sent.
    """

    sent: int = 0
    times: list[float] = field(default_factory=list)
    troubles: Counter[str] = field(default_factory=Counter)
    elapsed: float = 0.0
    busy: float = 0.0
    hopeless: bool = False
    refused: str = ""

    @property
    def ended(self) -> int:
        """How many requests were answered, or are known not to be."""
        return len(self.times) + self.troubles.total()


async def send(volley: Volley) -> Tally:
    """Send them, each slot over a connection of its own that stays open. Raises nothing for what the world does."""
    return await _Sending(volley).whole()


class _Sending:
    """A volley on its way."""

    def __init__(self, volley: Volley) -> None:
        self._volley = volley
        self._tally = Tally()
        self._resolver = Resolver()
        self._began = time.monotonic()
        self._unsent = volley.count
        self._next = self._began  # when the next request may be sent, where there is a rate
        self._over = asyncio.Event()

    async def whole(self) -> Tally:
        worked = time.thread_time()
        slots = {asyncio.create_task(self._slot()) for _ in range(self._volley.slots)}
        over = asyncio.create_task(self._over.wait())
        all_sent = asyncio.create_task(asyncio.wait(slots))
        try:
            left = max(0.0, self._volley.until - time.monotonic())
            await asyncio.wait((over, all_sent), timeout=left, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._tally.elapsed = time.monotonic() - self._began
            self._tally.busy = time.thread_time() - worked
            self._over.set()
            results = await _ended({over, all_sent, *slots})
            self._resolver.close()
        for broken in results:
            raise broken
        return self._tally

    async def _slot(self) -> None:
        connection = Connection()
        try:
            while await self._may_send():
                self._tally.sent += 1
                answer = await fetch(
                    self._volley.request, LONGEST_REQUEST, connection=connection, resolver=self._resolver
                )
                if self._over.is_set():
                    break
                self._count(answer)
        finally:
            with contextlib.suppress(OSError, RuntimeError):
                await connection.close()

    async def _may_send(self) -> bool:
        """Whether there is one more to send, once the rate lets it go."""
        if not self._unsent or self._over.is_set() or time.monotonic() >= self._volley.until:
            return False
        self._unsent -= 1
        if self._volley.rate is not None:
            turn = max(self._next, time.monotonic())
            self._next = turn + 1 / self._volley.rate
            await asyncio.sleep(turn - time.monotonic())
        return not self._over.is_set() and time.monotonic() < self._volley.until

    def _count(self, answer: Response | HttpTrouble) -> None:
        if isinstance(answer, HttpTrouble):
            self._tally.troubles[answer.message] += 1
            if answer.phase == "refuse":
                self._tally.refused = answer.message
                self._over.set()
        elif self._volley.meant(answer.status):
            self._tally.times.append(answer.elapsed)
        else:
            self._tally.troubles[f"status {answer.status}"] += 1
        if self._is_hopeless(time.monotonic()):
            self._tally.hopeless = True
            self._over.set()

    def _is_hopeless(self, now: float) -> bool:
        """Whether the rest does not end in time even if it goes several times as fast as so far."""
        volley, ended = self._volley, self._tally.ended
        passed, left = now - self._began, volley.until - now
        if not self._unsent or ended < volley.slots or passed < _JUDGED_FROM * (passed + left):
            return False
        fastest = _OPTIMISM * ended / passed
        return (volley.count - ended) / min(fastest, volley.rate or fastest) > left


async def _ended(tasks: set[asyncio.Task[Any]]) -> list[Exception]:
    """What the tasks raised, once they are ended."""
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    return [result for result in results if isinstance(result, Exception)]
