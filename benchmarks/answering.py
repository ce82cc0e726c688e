"""A service that answers at once, or after `ANSWER_TAKES`; a process of its own, so that it takes no turn of ours.

`/fast/...` and `/slow/...` give a small JSON document, `/count` how many of these were asked for. It listens on the
same port of several addresses of this machine, as if they were so many hosts.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

ANSWER_TAKES = 0.05  # seconds
HOSTS = 50
DOCUMENT = b'{"status": "ok", "share": 0.02, ' + b", ".join(b'"m%d": %d' % (n, n) for n in range(10)) + b"}"
_counted = 0


def _answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


ANSWER = _answer(DOCUMENT)


class _Answering(asyncio.Protocol):
    """One connection, kept open; its requests have no body."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._to = transport
        self._begun = b""

    def data_received(self, data: bytes) -> None:
        whole = self._begun + data
        *requests, self._begun = whole.split(b"\r\n\r\n")
        for request in requests:
            self._asked(request.split(b" ", 2)[1])

    def _asked(self, path: bytes) -> None:
        global _counted  # noqa: PLW0603 - one number for all connections of this process
        if path == b"/count":
            self._to.write(_answer(b"%d" % _counted))
            return
        _counted += 1
        if path.startswith(b"/slow/"):
            asyncio.get_running_loop().call_later(ANSWER_TAKES, self._to.write, ANSWER)
        else:
            self._to.write(ANSWER)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    first = await loop.create_server(_Answering, "127.0.0.1", 0, backlog=4096)
    port = first.sockets[0].getsockname()[1]
    for number in range(2, HOSTS + 1):
        await loop.create_server(_Answering, f"127.0.0.{number}", port, backlog=4096)
    print(port, flush=True)
    await first.serve_forever()


@contextlib.contextmanager
def answering() -> Iterator[int]:
    """The port on which it answers while the block runs."""
    argv = [sys.executable, "-m", "benchmarks.answering"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def counted(port: int) -> int:
    """How many answers were asked for until now."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/count", timeout=10) as answer:
        return int(answer.read())


if __name__ == "__main__":
    asyncio.run(_serve())
