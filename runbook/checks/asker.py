"""Asks over HTTP for all checks of a look: equal requests once, and no more at a time than is good for a host."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import math
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlsplit

from runbook.system.addresses import Resolver
from runbook.system.http import Connection, HttpTrouble, Request, Response, fetch, get_ready

PER_HOST = 32  # requests in flight at one host
IN_ALL = 256


@dataclass
class _Host:
    """The connection slots of one host: those that rest, and how many may work at once."""

    free: asyncio.Semaphore
    resting: list[Connection] = field(default_factory=list)


@dataclass
class _Slots:
    """All connections of a look."""

    resolver: Resolver = field(default_factory=Resolver)
    hosts: dict[str, _Host] = field(default_factory=dict)
    in_all: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(IN_ALL))


class Asker:
    """Used by one look at a time; after `close` it may serve another, with fresh connections.

    Each slot has a small client of its own: the pool of one shared client takes time that grows with the square of the
    requests that wait in it.
    """

    def __init__(self, per_host: int = PER_HOST) -> None:
        self._per_host = per_host
        self._slots = _Slots()
        self._asked: dict[tuple[int, bytes, int], asyncio.Task[Response | HttpTrouble]] = {}
        self._round = 0
        self._rounds = count(1)

    async def ask(self, request: Request, timeout: float) -> Response | HttpTrouble:
        """The answer to a request; to an equal one that was asked in this look already, the same answer.

        `timeout` is in seconds and counts from when a slot is free.
        """
        key = (self._round, request.key(), math.ceil(timeout))
        task = self._asked.get(key)
        if task is None:
            get_ready(request)
            task = self._asked[key] = asyncio.create_task(self._fetch(request, timeout))
        return await asyncio.shield(task)

    def afresh(self) -> Asker:
        """An asker over the same connections for which nothing was asked yet: for another attempt."""
        again = copy.copy(self)
        again._round = next(self._rounds)
        return again

    async def close(self) -> None:
        """End what is under way and close every connection."""
        tasks = [*self._asked.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        slots, self._slots = self._slots, _Slots()
        self._asked.clear()
        slots.resolver.close()
        for host in slots.hosts.values():
            for connection in host.resting:
                with contextlib.suppress(OSError, RuntimeError):
                    await connection.close()

    async def _fetch(self, request: Request, timeout: float) -> Response | HttpTrouble:
        parts = urlsplit(request.url)
        host = self._slots.hosts.setdefault(f"{parts.scheme}//{parts.netloc}", _Host(asyncio.Semaphore(self._per_host)))
        async with host.free, self._slots.in_all:
            used = bool(host.resting)
            connection = host.resting.pop() if used else Connection()
            try:
                answer = await self._on(connection, request, timeout)
                if used and _was_stale(request, answer):
                    await connection.close()
                    answer = await self._on(connection, request, timeout)
                return answer
            finally:
                host.resting.append(connection)

    async def _on(self, connection: Connection, request: Request, timeout: float) -> Response | HttpTrouble:
        return await fetch(request, timeout, connection=connection, resolver=self._slots.resolver)


def _was_stale(request: Request, answer: Response | HttpTrouble) -> bool:
    """Whether the other side may just have closed a connection that rested; harmless to ask again."""
    return (
        isinstance(answer, HttpTrouble)
        and not answer.timed_out
        and answer.phase in ("send", "wait")
        and request.method in ("GET", "HEAD")
    )
