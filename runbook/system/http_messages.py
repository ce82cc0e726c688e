"""What is asked over HTTP and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

PHASES = ("resolve", "connect", "tls", "wait", "read")  # of a request, in their order


@dataclass(frozen=True)
class Request:
    """What to ask. At most one of `json`, `text` and `form` is the body; `authorization` is that header's value.

    `guarded` marks a host named from outside the playbook: it may not resolve to this machine or a metadata server.
    `ca` is a file with certificates to trust instead of the system's. `proxy` is a proxy's URL, or `environment`;
    `socket` the path of a Unix socket on which the host answers, whatever the URL's host; it goes before `proxy`.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = msgspec.UNSET
    text: str | None = None
    form: Mapping[str, str] | None = None
    authorization: str | None = None
    max_redirects: int = 0
    ca: str | None = None
    guarded: bool = False
    proxy: str | None = None
    socket: str | None = None

    def key(self) -> bytes:
        """Equal for equal requests."""
        given = [getattr(self, name) for name in self.__dataclass_fields__]
        return msgspec.json.encode([[] if part is msgspec.UNSET else [part] for part in given], order="sorted")


@dataclass(frozen=True)
class Response:
    """An answer. `elapsed` is in seconds; `date` is the server's own clock, seconds since the epoch, if it told it.

    `phases` are its parts (resolve, connect, tls, wait, read) in seconds; `elapsed` is their sum.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    url: str
    elapsed: float
    date: float | None = None
    phases: Mapping[str, float] = field(default_factory=dict)

    def header(self, name: str) -> str | None:
        """The first header of that name, in whatever case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key == wanted), None)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True)
class HttpTrouble:
    """No answer, and in which phase it ended: refuse (not sent), proxy (it did not pass it on),
    resolve, connect, tls, send, wait, read, redirect.

    `phases` are the seconds of those that it came through, the one in which it ended with them.
    """

    phase: str
    message: str
    elapsed: float = 0.0
    timed_out: bool = False
    phases: Mapping[str, float] = field(default_factory=dict)


def bearer(token: str) -> str:
    """The value of an Authorization header that carries a token."""
    return f"Bearer {token}"


def basic(user: str, password: str) -> str:
    """The value of an Authorization header that carries a user and a password."""
    from base64 import b64encode

    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
