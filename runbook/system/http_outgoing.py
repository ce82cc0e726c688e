"""A request made ready to be sent, or refused before it is; and what a redirect makes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import msgspec

from runbook.system.http_messages import Request
from runbook.system.http_wire import headers_of

_METHOD = re.compile(r"[A-Z]{1,20}\Z")


class Refused(Exception):  # noqa: N818 - it is told, not a fault of ours
    """What is not done, in which phase, and why."""

    def __init__(self, phase: str, message: str) -> None:
        super().__init__(message)
        self.phase = phase


@dataclass(frozen=True)
class Outgoing:
    """A request as it goes on the wire; `url` is an httpx.URL."""

    request: Request
    url: Any
    headers: list[tuple[bytes, bytes]]

    @cached_property
    def host(self) -> str:
        return str(self.url.raw_host.decode("ascii"))

    @property
    def port(self) -> int:
        return self.url.port or (443 if self.url.scheme == "https" else 80)

    def at(self, address: str | None) -> Any:
        """The URL to connect to."""
        return self.url if address in (None, self.host) else self.url.copy_with(host=address)

    @property
    def place(self) -> str:
        """Where it connects to: `db1:8080`, or the path of its socket."""
        return self.request.socket or place_of(self.url)

    def shown(self) -> str:
        """The URL without a login."""
        return str(self.url.copy_with(userinfo=b"") if self.url.userinfo else self.url)


def place_of(url: Any) -> str:
    """`HOST:PORT` of an httpx.URL, without a login."""
    host, port = url.host, url.port or (443 if url.scheme == "https" else 80)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _check(request: Request, url: Any) -> None:
    if not _METHOD.match(request.method):
        raise Refused("refuse", "the method is no word in capitals")
    if url.scheme not in ("http", "https") or not url.host:
        raise Refused("refuse", "only http and https URLs with a host are asked")
    if "\\" in request.url or not re.fullmatch(r"[\w.:-]+", url.host):
        raise Refused("refuse", "the host holds a character that no host has")
    if url.port is not None and not 0 < url.port < 65536:
        raise Refused("refuse", f"there is no port {url.port}")


def outgoing(request: Request, url: Any) -> Outgoing:
    """The request for a URL as httpx has read it. Raises Refused, and ValueError for headers that cannot be sent."""
    _check(request, url)
    headers = headers_of(request, url.netloc.decode("ascii"), url.username, url.password)
    return Outgoing(request, url, headers)


def redirected(request: Request, old: Any, new: Any, status: int) -> Request:
    """The request that a redirect from one URL to another asks for, both as httpx has read them.

    Raises Refused when it leads to another host, port or scheme: what answers there is another service (a page to log
    in, as a rule), whose 200 would say nothing of the one that is looked at, and what it is asked with is not for it.
    """
    if (old.scheme, old.host, old.port) != (new.scheme, new.host, new.port) or new.username:
        place = f"{new.scheme}://{new.netloc.decode('ascii', 'replace')}"
        raise Refused(
            "redirect", f"redirects to another place, {place}, which is not followed: write its URL if it is meant"
        )
    if status in (301, 302, 303) and request.method != "HEAD":
        return replace(request, url=str(new), method="GET", json=msgspec.UNSET, text=None, form=None)
    return replace(request, url=str(new))
