"""HTTP, asked with care: one deadline for everything, nothing followed elsewhere, nothing larger than is good for us.

The only module that imports httpx. Names are resolved here and the connection goes to the address that was checked, so
that a name that changes its mind between the two gains nothing.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from runbook.system.addresses import Resolver, is_forbidden
from runbook.system.http_bodies import LIMIT, Body, BodyTrouble
from runbook.system.http_messages import HttpTrouble, Request, Response, basic, bearer
from runbook.system.http_wire import content_of, date_of, headers_of, in_words, no_tls, tls_context

__all__ = ["Connection", "HttpTrouble", "Request", "Response", "basic", "bearer", "fetch", "fetch_now"]

_METHOD = re.compile(r"[A-Z]{1,20}\Z")
_PHASES = {
    "connection.connect_tcp.started": "connect",
    "connection.start_tls.started": "tls",
    "http11.send_request_headers.started": "send",
    "http11.receive_response_headers.started": "wait",
    "http11.receive_response_body.started": "read",
}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class _Refused(Exception):  # noqa: N818
    def __init__(self, phase: str, message: str) -> None:
        super().__init__(message)
        self.trouble = HttpTrouble(phase, message)


class Connection:
    """One connection slot: keeps its connection open for the next request to the same host. For one event loop."""

    def __init__(self) -> None:
        self._transports: dict[tuple[str, str | None], Any] = {}

    def transport(self, address: str, scheme: str, ca: str | None) -> Any:
        import httpx

        key = (f"{scheme}//{address}", ca)
        if key not in self._transports:
            self._transports[key] = httpx.AsyncHTTPTransport(
                verify=tls_context(ca) if scheme == "https" else no_tls(),
                trust_env=False,
                limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
            )
        return self._transports[key]

    async def close(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()
        self._transports.clear()


async def fetch(
    request: Request,
    timeout: float = 10.0,
    *,
    connection: Connection | None = None,
    resolver: Resolver | None = None,
) -> Response | HttpTrouble:
    """Ask, and have the whole answer within `timeout` seconds or know why not. What the world does is not raised."""
    own = connection is None
    slot, names = connection or Connection(), resolver or Resolver()
    try:
        return await _Asking(request, slot, names).answer(timeout)
    finally:
        if own:
            await slot.close()
        if resolver is None:
            names.close()


def fetch_now(request: Request, timeout: float = 10.0) -> Response | HttpTrouble:
    """As `fetch`, for callers without an event loop."""
    return asyncio.run(fetch(request, timeout))


class _Asking:
    """One request on its way: remembers in which phase it is, so that an end can be told with it."""

    def __init__(self, request: Request, connection: Connection, resolver: Resolver) -> None:
        self._request = request
        self._connection = connection
        self._resolver = resolver
        self._phase = "refuse"
        self._began = time.monotonic()
        self._until = self._began
        self._unsecured: Any = None  # the connection before TLS

    async def answer(self, timeout: float) -> Response | HttpTrouble:
        import httpx

        self._until = self._began + max(0.001, timeout)
        try:
            async with asyncio.timeout(max(0.001, timeout)):
                return await self._follow()
        except (TimeoutError, httpx.TimeoutException):
            return self._trouble(f"no {self._awaited()} within {timeout:.3g} s", timed_out=True)
        except _Refused as refused:
            return replace(refused.trouble, elapsed=time.monotonic() - self._began)
        except BodyTrouble as trouble:
            self._phase = "read"
            return self._trouble(str(trouble))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ExceptionGroup) as trouble:
            return self._trouble(in_words(trouble, self._phase))
        finally:
            # httpcore does not close a connection whose TLS handshake was cut by our deadline.
            if self._phase == "tls" and self._unsecured is not None:
                await self._unsecured.aclose()

    async def _follow(self) -> Response:
        import httpx

        request, left = self._request, self._request.max_redirects
        while True:
            response = await self._once(request)
            where = response.header("location")
            if response.status not in _REDIRECTS or where is None or not self._request.max_redirects:
                return response
            if left <= 0:
                raise _Refused("redirect", f"more than {self._request.max_redirects} redirects")
            left -= 1
            target = httpx.URL(request.url).join(where)
            request = _redirected(request, str(target), response.status)

    async def _once(self, request: Request) -> Response:
        import httpx

        url = _checked_url(request)
        headers = headers_of(request, url.netloc.decode("ascii"), url.username, url.password)
        port = url.port or (443 if url.scheme == "https" else 80)
        host = url.raw_host.decode("ascii")
        self._phase = "resolve"
        addresses = await self._resolver.resolve(host, port)
        if request.guarded and any(is_forbidden(address) for address in addresses):
            raise _Refused("refuse", "the host comes from a variable and is this machine or a metadata server")
        self._phase = "connect"
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            try:
                return await self._at(request, url, headers, address, (self._until - time.monotonic()) / left)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if left == 1 or self._phase != "connect":
                    raise
        raise _Refused("resolve", f"{host} has no address")

    async def _at(
        self, request: Request, url: Any, headers: list[tuple[str, str]], address: str, within: float
    ) -> Response:
        import httpx

        began = time.monotonic()
        host = url.raw_host.decode("ascii")
        sent = httpx.Request(
            request.method,
            url.copy_with(host=address),
            headers=headers,
            content=content_of(request),
            extensions={
                "sni_hostname": host,
                "trace": self._trace,
                "timeout": {"connect": within},
            },
        )
        transport = self._connection.transport(f"{host}:{address}", url.scheme, request.ca)
        received = await transport.handle_async_request(sent)
        try:
            body = await _body(received, request.method)
        finally:
            await received.aclose()
        pairs = tuple((name.lower(), value) for name, value in received.headers.multi_items())
        elapsed = time.monotonic() - began
        return Response(
            received.status_code,
            pairs,
            body,
            str(url.copy_with(userinfo=b"")),
            elapsed,
            date_of(received.headers.get("date")),
        )

    async def _trace(self, event: str, details: Mapping[str, Any]) -> None:
        self._phase = _PHASES.get(event, self._phase)
        if event == "connection.connect_tcp.complete":
            self._unsecured = details["return_value"]

    def _awaited(self) -> str:
        return {"resolve": "address", "connect": "connection", "tls": "TLS handshake", "read": "end of the answer"}.get(
            self._phase, "answer"
        )

    def _trouble(self, message: str, timed_out: bool = False) -> HttpTrouble:
        return HttpTrouble(self._phase, message, time.monotonic() - self._began, timed_out)


async def _body(received: Any, method: str) -> bytes:
    body = Body("" if method == "HEAD" else received.headers.get("content-encoding", ""))
    announced = received.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > LIMIT and method != "HEAD":
        raise BodyTrouble(f"the body is larger than {LIMIT >> 20} MiB")
    async for data in received.stream:
        body.add(data)
    return body.whole()


def _checked_url(request: Request) -> Any:
    import httpx

    if not _METHOD.match(request.method):
        raise _Refused("refuse", "the method is no word in capitals")
    url = httpx.URL(request.url)
    if url.scheme not in ("http", "https") or not url.host:
        raise _Refused("refuse", "only http and https URLs with a host are asked")
    if "\\" in request.url or not re.fullmatch(r"[\w.:-]+", url.host):
        raise _Refused("refuse", "the host holds a character that no host has")
    if url.port is not None and not 0 < url.port < 65536:
        raise _Refused("refuse", f"there is no port {url.port}")
    return url


def _redirected(request: Request, target: str, status: int) -> Request:
    """The request that a redirect asks for. Raises _Refused when it leads to another host, port or scheme."""
    import httpx

    old, new = httpx.URL(request.url), httpx.URL(target)
    if (old.scheme, old.host, old.port) != (new.scheme, new.host, new.port) or new.username:
        raise _Refused("redirect", f"redirects to another place, {new.scheme}://{new.host}, which is not followed")
    if status in (301, 302, 303) and request.method != "HEAD":
        return replace(request, url=target, method="GET", json=msgspec.UNSET, text=None, form=None)
    return replace(request, url=target)
