"""Asking a Redis server: where it is, who asks, one command, within the time."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from runbook.checks.findings import NotTaken
from runbook.checks.network.endpoints import LONGEST, Endpoint, connection, endpoint
from runbook.checks.stores.resp import RedisError, Replies, Reply, encoded
from runbook.language.durations import show_duration
from runbook.system.http_tls import CaTrouble, tls_context, tls_in_words
from runbook.system.http_wire import with_place

_PORT = 6379
_HINT = "percent-encode what is special in user and password: @ is %40, / is %2F, # is %23, : is %3A"

# The first word of an error, and what to do about it.
_REMEDIES: Mapping[str, str] = {
    "NOAUTH": "it wants a password, in the URL before the @",
    "WRONGPASS": "check the user and the password",
    "NOPERM": "the account may not do that: ACL SETUSER",
    "DENIED": "it is in protected mode, which lets in nobody from elsewhere: set a password, or bind",
    "LOADING": "it reads its data from disk and answers when that is done",
    "MASTERDOWN": "this replica has lost its master and serves no old data",
    "CLUSTERDOWN": "the cluster serves nothing now: CLUSTER INFO",
    "MOVED": "the key is on another node of the cluster: ask that one",
    "ASK": "the key is just moving to another node of the cluster: ask again",
    "BUSY": "a script is running and holds everybody up: SCRIPT KILL",
    "MISCONF": "it cannot save to disk: its log says why",
    "WRONGTYPE": "the key holds another kind of value: TYPE KEY",
}


@dataclass(frozen=True)
class RedisPlace:
    """Where a server is and who asks it: an endpoint or the path of a Unix socket; `ca` is of TLS."""

    endpoint: Endpoint | None
    path: str = ""
    user: str = ""
    password: str = ""
    database: int = 0
    tls: bool = False
    ca: str | None = None


@dataclass(frozen=True)
class RedisAnswer:
    """What a command gave, and the seconds of `resolve`, `connect`, `tls` and `wait`."""

    reply: Reply
    phases: Mapping[str, float]


class RedisTrouble(Exception):  # noqa: N818 - it is told, not a fault of ours
    """No answer, or an error for one, and in which phase (`connect`, `tls`, `wait`)."""

    def __init__(self, message: str, phase: str, phases: Mapping[str, float], timed_out: bool = False) -> None:
        super().__init__(message)
        self.phase = phase
        self.phases = phases
        self.timed_out = timed_out


def place_of(url: str) -> RedisPlace:
    """The place that `redis://USER:PASSWORD@HOST:PORT/0`, `rediss://...`, `HOST:PORT` or `unix:///PATH` names.

    Raises ValueError, which says nothing of the URL itself: a password may stand anywhere in it.
    """
    if "://" not in url:
        return RedisPlace(endpoint(url, _PORT))
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise ValueError("a server is named redis://HOST:PORT, rediss://HOST:PORT with TLS, or unix:///PATH")
    unix = parts.scheme == "unix"
    try:
        port = parts.port or _PORT
    except ValueError:
        raise ValueError(f"the URL of the server has a port that is none; {_HINT}") from None
    number = parse_qs(parts.query).get("db", ["" if unix else parts.path.strip("/")])[0]
    if not re.fullmatch(r"\d{0,5}", number) or "@" in parts.path + parts.query:
        raise ValueError(f"the URL of the server names a database that is no number; {_HINT}")
    return RedisPlace(
        endpoint=None if unix else Endpoint(parts.hostname or "localhost", port),
        path=unquote(parts.path) if unix else "",
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=int(number or 0),
        tls=parts.scheme == "rediss",
    )


async def ask(place: RedisPlace, command: Sequence[str], until: float) -> RedisAnswer:
    """The reply to one command, had until a time on the monotonic clock.

    Raises NotConnected, RedisTrouble, and NotTaken for what is no reply.
    """
    phases: dict[str, float] = {}
    seconds = max(0.001, until - time.monotonic())
    context = _trust(place)
    phase = "connect"
    try:
        async with asyncio.timeout(seconds), _connected(place, until, phases) as (reader, writer):
            phase = "tls"
            began = time.monotonic()
            if context is not None:
                await _secured(writer, context, place)
                phases["tls"] = time.monotonic() - began
            phase = "wait"
            began = time.monotonic()
            reply = await _conversation(place, command, reader, writer)
            phases["wait"] = time.monotonic() - began
            return RedisAnswer(reply, phases)
    except TimeoutError:
        message = f"no answer within {show_duration(seconds)}{_about_tls(place, phase)}"
        raise RedisTrouble(message, phase, phases, timed_out=True) from None
    except ssl.SSLError as trouble:
        raise RedisTrouble(tls_in_words(trouble), "tls", phases) from None
    except RedisError as trouble:
        raise RedisTrouble(_told(trouble), "wait", phases) from None
    except OSError as trouble:
        said = with_place(place.path, phase, (trouble.strerror or str(trouble)).lower())
        raise RedisTrouble(said + _about_tls(place, phase), phase, phases) from None


@contextlib.asynccontextmanager
async def _connected(
    place: RedisPlace, until: float, phases: dict[str, float]
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    if place.endpoint is not None:
        async with connection(place.endpoint, until) as connected:
            phases.update(connected.phases)
            yield connected.reader, connected.writer
        return
    began = time.monotonic()
    reader, writer = await asyncio.open_unix_connection(place.path, limit=LONGEST)
    phases["connect"] = time.monotonic() - began
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def _trust(place: RedisPlace) -> ssl.SSLContext | None:
    """What TLS trusts; None without TLS. Raises NotTaken where it cannot be read: then nothing is asked."""
    try:
        return tls_context(place.ca, "redis") if place.tls else None
    except CaTrouble as trouble:
        raise NotTaken(str(trouble)) from None


async def _secured(writer: asyncio.StreamWriter, context: ssl.SSLContext, place: RedisPlace) -> None:
    try:
        await writer.start_tls(context, server_hostname=place.endpoint.host if place.endpoint else None)
    except ssl.SSLError:
        with contextlib.suppress(OSError):  # the same once more: else asyncio would tell of it by itself, later
            await asyncio.wait_for(writer.wait_closed(), 0.1)
        raise


async def _conversation(
    place: RedisPlace, command: Sequence[str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Reply:
    """The reply to the last of what is said. Raises RedisError, NotTaken, OSError."""
    replies = Replies(reader)
    said: list[Sequence[str]] = []
    if place.password:
        said.append(["AUTH", place.user, place.password] if place.user else ["AUTH", place.password])
    if place.database:
        said.append(["SELECT", str(place.database)])
    said.append(command)
    writer.write(b"".join(map(encoded, said)))
    await writer.drain()
    for _ in said[1:]:  # an error of one of them is raised, and what comes after it does not count
        await replies.next()
    return await replies.next()


def _about_tls(place: RedisPlace, phase: str) -> str:
    """A hint where the other side may speak TLS and we do not, or the other way round."""
    if phase == "tls":
        return "; where it speaks no TLS, write redis://"
    return "; where it speaks TLS, write rediss://" if phase == "wait" and not place.tls else ""


def _told(trouble: RedisError) -> str:
    said = str(trouble)[:200].rstrip(" .;")
    if "max number of clients" in said:
        return f"{said}; all its connections are taken: close some, or raise maxclients"
    if "without any password configured" in said:
        return "it wants no password, and the URL names one: take it out, or set requirepass"
    remedy = _REMEDIES.get(trouble.word)
    return f"{said}; {remedy}" if remedy else said
