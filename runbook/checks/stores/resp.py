"""RESP, the protocol of Redis, version 2 (redis.io/docs/reference/protocol-spec): one command, one reply, bounded."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from runbook.checks.findings import NotTaken

Reply = str | int | bytes | list["Reply"] | None
"""A status line, a number, a text, a list of replies, or nothing there."""

LARGEST = 5 << 20  # bytes of one reply
_MOST_ENTRIES = 10_000  # of all lists in a reply together
_DEEPEST = 8  # lists in lists
_NUMBER = re.compile(rb"[-+]?\d{1,19}\Z")
_BEGINNINGS = b"+-:$*"


class RedisError(Exception):
    """The server answered with an error: its first word (`NOAUTH`) and all that it said."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.word = said.partition(" ")[0]


def encoded(words: Sequence[str]) -> bytes:
    """A command as it is sent: each word with its length, so that none can hold another one."""
    parts = [word.encode("utf-8", "surrogateescape") for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


class Replies:
    """The replies that come in on a connection. What is no RESP or too large raises NotTaken."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._bytes = 0
        self._entries = 0

    async def next(self) -> Reply:
        """The next reply. Raises RedisError where it is an error, NotTaken, OSError where the connection ends."""
        self._bytes = self._entries = 0
        try:
            return await self._reply(0)
        except asyncio.IncompleteReadError:
            raise ConnectionError("it closed the connection before its reply was whole") from None
        except asyncio.LimitOverrunError:
            raise _no_redis() from None

    async def _reply(self, depth: int) -> Reply:
        line = await self._line()
        if line[:1] == b"+":
            return line[1:].decode("utf-8", "replace")
        if line[:1] == b"-":
            raise RedisError(line[1:].decode("utf-8", "replace"))
        number = self._number(line[1:])
        if line[:1] == b":":
            return number
        if number == -1:
            return None
        if number < 0:
            raise _no_redis()
        return await (self._text(number) if line[:1] == b"$" else self._list(number, depth))

    async def _line(self) -> bytes:
        first = await self._reader.readexactly(1)
        if first not in _BEGINNINGS:
            raise _no_redis()
        line = first + await self._reader.readuntil(b"\r\n")
        self._count(len(line))
        return line[:-2]

    async def _text(self, length: int) -> bytes:
        self._count(length)
        text = await self._reader.readexactly(length + 2)
        if text[-2:] != b"\r\n":
            raise _no_redis()
        return text[:-2]

    async def _list(self, length: int, depth: int) -> list[Reply]:
        self._entries += length
        if self._entries > _MOST_ENTRIES or depth >= _DEEPEST:
            raise NotTaken("its reply is a list longer or deeper than is read here; ask for a count")
        return [await self._reply(depth + 1) for _ in range(length)]

    def _count(self, size: int) -> None:
        self._bytes += size
        if self._bytes > LARGEST:
            raise NotTaken(f"its reply is larger than {LARGEST >> 20} MiB; ask for a part of it, or its length")

    @staticmethod
    def _number(text: bytes) -> int:
        if _NUMBER.match(text) is None:
            raise _no_redis()
        return int(text)


def _no_redis() -> NotTaken:
    return NotTaken("what answers there does not speak as Redis does; check host and port, and redis:// or rediss://")
