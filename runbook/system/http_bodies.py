"""Bodies of answers: unpacked within limits, whatever the other side sends."""

from __future__ import annotations

import asyncio
import zlib
from typing import Any

LIMIT = 5 << 20  # decoded bytes
_RATIO = 100  # decoded to received
_RATIO_FROM = 256 << 10  # below this many decoded bytes no ratio is too high
_PIECES = 100_000  # chunks of one body
_IN_ONE_GO = 128
_MEMBERS = 64  # parts of one gzip body


class BodyTrouble(Exception):  # noqa: N818 - it is told, not a fault of ours
    """A body that is too large, packed like a bomb, cut off, or packed in a way that was not asked for."""


class Body:
    """Takes the bytes as they come and gives the decoded body. `encoding` is the Content-Encoding header."""

    def __init__(self, encoding: str, limit: int = LIMIT) -> None:
        self._encoding = encoding.strip().lower()
        if self._encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise BodyTrouble(f"the body is packed as {self._encoding[:40]}, which was not asked for")
        self._limit = limit
        self._received = 0
        self._decoded = bytearray()
        self._members = 0
        self._unpacking = self._unpacker() if self._encoding not in ("", "identity") else None

    def add(self, data: bytes) -> None:
        """Take more bytes. Raises BodyTrouble."""
        self._received += len(data)
        if self._unpacking is None:
            self._keep(data)
            return
        while data:
            data = self._unpack(data)

    def whole(self) -> bytes:
        """The decoded body. Raises BodyTrouble if it was cut off."""
        if self._unpacking is not None and self._received and not self._unpacking.eof:
            raise BodyTrouble(f"the {self._encoding} body was cut off")
        return bytes(self._decoded)

    def _unpacker(self, raw: bool = False) -> zlib._Decompress:
        self._members += 1
        if self._members > _MEMBERS:
            raise BodyTrouble("the body is packed in too many parts")
        if self._encoding == "deflate":
            return zlib.decompressobj(-zlib.MAX_WBITS if raw else zlib.MAX_WBITS)
        return zlib.decompressobj(16 + zlib.MAX_WBITS)

    def _unpack(self, data: bytes) -> bytes:
        """Unpack as much as the limit lets; what is left to unpack."""
        if self._unpacking is None:
            return b""
        if self._unpacking.eof:
            if self._encoding == "deflate":
                return b""  # what follows the end is nobody's
            self._unpacking = self._unpacker()
        try:
            out = self._unpacking.decompress(data, self._limit - len(self._decoded) + 1)
        except zlib.error as trouble:
            if self._encoding == "deflate" and not self._decoded and self._members == 1:
                self._unpacking = self._unpacker(raw=True)  # some servers leave the zlib frame out
                return data
            raise BodyTrouble(f"the {self._encoding} body is damaged") from trouble
        self._keep(out)
        return self._unpacking.unconsumed_tail or self._unpacking.unused_data

    def _keep(self, data: bytes) -> None:
        self._decoded += data
        if len(self._decoded) > self._limit:
            raise BodyTrouble(f"the body is larger than {self._limit >> 20} MiB")
        if len(self._decoded) > _RATIO_FROM and len(self._decoded) > _RATIO * self._received:
            raise BodyTrouble(f"the body unpacks to more than {_RATIO} times what was sent")


async def body_of(received: Any, method: str) -> bytes:
    """The whole decoded body of an answer that httpx began to receive. Raises BodyTrouble."""
    body = Body("" if method == "HEAD" else received.headers.get("content-encoding", ""))
    announced = received.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > LIMIT and method != "HEAD":
        raise BodyTrouble(f"the body is larger than {LIMIT >> 20} MiB")
    pieces = 0
    async for data in received.stream:
        body.add(data)
        pieces += 1
        if pieces > _PIECES:
            raise BodyTrouble(f"the body comes in more than {_PIECES:,} pieces")
        if (
            pieces % _IN_ONE_GO == 0
        ):  # pieces that are here already do not let anybody else have a turn, the deadline too
            await asyncio.sleep(0)
    return body.whole()
