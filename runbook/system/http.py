"""HTTP, asked with care: one deadline for everything, nothing followed elsewhere, nothing larger than is good for us.

The only module that imports httpx. Names are resolved here and the connection goes to the address that was checked, so
that a name that changes its mind between the two gains nothing.
"""

from __future__ import annotations

import asyncio
import time
from functools import cache
from typing import Any, NamedTuple

from runbook.system.addresses import Resolver, is_forbidden
from runbook.system.http_addresses import Addresses, first_to_connect
from runbook.system.http_bodies import BodyTrouble, body_of
from runbook.system.http_messages import HttpTrouble, Request, Response, basic, bearer
from runbook.system.http_outgoing import Outgoing, Refused, outgoing, place_of, redirected
from runbook.system.http_proxy import proxy_for
from runbook.system.http_timing import Timing
from runbook.system.http_tls import CaTrouble, no_tls, tls_context
from runbook.system.http_wire import check_version, content_of, date_of, in_words, with_place

__all__ = ["Connection", "HttpTrouble", "Request", "Response", "basic", "bearer", "fetch", "fetch_now"]

_PROXY_ASKS_WHO = 407
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class _Way(NamedTuple):
    """How a host is reached: at an address of its own, through a proxy that looks up its name, or over a socket."""

    scheme: str
    host: str
    ca: str | None
    address: str | None = None
    proxy: str | None = None
    socket: str | None = None


class Connection:
    """One connection slot: keeps its connection open for the next request to the same host. For one event loop."""

    def __init__(self) -> None:
        self._transports: dict[_Way, Any] = {}

    def transport(self, way: _Way) -> Any:
        """The client for one way. Raises CaTrouble."""
        import httpx

        if way not in self._transports:
            proxy = None
            if way.proxy is not None:
                context = tls_context(None) if way.proxy.lower().startswith("https:") else None
                proxy = httpx.Proxy(way.proxy, ssl_context=context)
            self._transports[way] = httpx.AsyncHTTPTransport(
                verify=tls_context(way.ca) if way.scheme == "https" else no_tls(),
                trust_env=False,
                limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
                proxy=proxy,
                uds=way.socket,
            )
        return self._transports[way]

    async def close(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()
        self._transports.clear()


def get_ready(request: Request) -> None:
    """Load what this request needs, in a running event loop. It takes a tenth of a second, once in a process, and would
    be counted as time of the network, of this request or of another that is under way.
    """
    _load_client()
    if request.ca is None and request.url[:6].lower() == "https:":
        tls_context(None)


@cache
def _load_client() -> None:
    import anyio
    import httpx

    anyio.current_time()  # the part of anyio for this kind of event loop
    httpx.AsyncHTTPTransport(verify=no_tls(), trust_env=False)  # httpcore


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


def followed(request: Request, where: str, status: int) -> Request | HttpTrouble:
    """The request that a redirect asks for, or why it is not followed: by the same rules as on the way."""
    import httpx

    try:
        old = httpx.URL(request.url)
        return redirected(request, old, old.join(where), status)
    except Refused as refused:
        return HttpTrouble(refused.phase, str(refused))
    except (httpx.InvalidURL, ValueError) as trouble:
        return HttpTrouble("redirect", f"redirects to what is no URL: {trouble}")


class _Asking:
    """One request on its way: remembers in which phase it is, so that an end can be told with it."""

    def __init__(self, request: Request, connection: Connection, resolver: Resolver) -> None:
        self._request = request
        self._connection = connection
        self._resolver = resolver
        self._timing = Timing()
        self._proxied = False
        self._place = ""  # that the connection is to lead to
        self._began = time.monotonic()
        self._until = self._began

    async def answer(self, timeout: float) -> Response | HttpTrouble:
        import httpx

        get_ready(self._request)
        self._until = self._began + max(0.001, timeout)
        try:
            async with asyncio.timeout(max(0.001, timeout)):
                return await self._follow()
        except (TimeoutError, httpx.TimeoutException):
            return self._trouble(f"no {self._timing.awaited()} within {timeout:.3g} s", timed_out=True)
        except Refused as refused:
            self._timing.enter(refused.phase)
            return self._trouble(str(refused))
        except CaTrouble as trouble:
            self._timing.enter("refuse")
            return self._trouble(str(trouble))
        except BodyTrouble as trouble:
            self._timing.enter("read")
            return self._trouble(str(trouble))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ExceptionGroup) as trouble:
            return self._trouble(in_words(trouble, self._timing.phase))
        finally:
            # httpcore does not close a connection whose TLS handshake was cut by our deadline.
            if self._timing.phase == "tls" and self._timing.unsecured is not None:
                await self._timing.unsecured.aclose()

    async def _follow(self) -> Response:
        import httpx

        request, left = self._request, self._request.max_redirects
        while True:
            response = await self._once(request)
            where = response.header("location")
            if response.status not in _REDIRECTS or where is None or not self._request.max_redirects:
                return response
            self._timing.enter("redirect")
            if left <= 0:
                raise Refused("redirect", f"more than {self._request.max_redirects} redirects")
            left -= 1
            old = httpx.URL(request.url)
            request = redirected(request, old, old.join(where), response.status)

    async def _once(self, request: Request) -> Response:
        import httpx

        sent = outgoing(request, httpx.URL(request.url))
        self._place = sent.place
        way = _Way(sent.url.scheme, sent.host, request.ca, socket=request.socket)
        if request.socket is not None:
            return await self._at(sent, way)
        proxy = proxy_for(request.proxy, sent.url.scheme, sent.host, sent.port)
        if proxy is not None:
            return await self._through(sent, way._replace(proxy=proxy))
        self._timing.enter("resolve")
        addresses = await self._resolver.resolve(sent.host, sent.port)
        if request.guarded and any(is_forbidden(address) for address in addresses):
            raise Refused("refuse", "the host comes from a variable and is this machine or a metadata server")
        if len(addresses) == 1:
            return await self._at(sent, way._replace(address=addresses[0]))
        answer, address = await first_to_connect(
            Addresses(addresses, httpx.ConnectError, self._until),
            self._timing,
            lambda one: self._at(sent, way._replace(address=one)),
        )
        self._resolver.prefer(sent.host, sent.port, address)
        return answer

    async def _through(self, sent: Outgoing, way: _Way) -> Response:
        import httpx

        if sent.request.guarded:
            raise Refused(
                "refuse",
                "the host comes from a variable, and only the proxy would see what address it has: nothing was asked; "
                "write the host in the playbook, or take proxy out of the environment",
            )
        self._proxied = True
        proxy = place_of(httpx.URL(way.proxy or ""))
        self._place = f"{sent.place} through the proxy {proxy}"
        try:
            answer = await self._at(sent, way)
        except httpx.ProxyError as trouble:
            raise Refused("connect", f"the proxy answers {trouble}") from None
        except httpx.ConnectError as trouble:
            self._place = f"the proxy {proxy}"
            raise Refused(self._timing.phase, in_words(trouble, self._timing.phase)) from None
        if answer.status == _PROXY_ASKS_WHO:
            raise Refused("connect", "the proxy answers 407: it wants a user and password (http://USER:PASSWORD@...)")
        return answer

    async def _at(self, asked: Outgoing, way: _Way) -> Response:
        import httpx

        extensions: dict[str, Any] = {"trace": self._timing.trace}
        if way.proxy is None:  # a proxy's own TLS has the proxy's name
            extensions["sni_hostname"] = way.host
        request, url = asked.request, asked.at(way.address)
        content = content_of(request)
        sent = httpx.Request(request.method, url, headers=asked.headers, content=content, extensions=extensions)
        transport = self._connection.transport(way)
        self._timing.expect("connect")
        received = await transport.handle_async_request(sent)
        try:
            check_version(received.extensions.get("http_version", b"HTTP/1.1"))
            body = await body_of(received, request.method)
        finally:
            await received.aclose()
        phases = self._timing.seconds()
        return Response(
            received.status_code,
            tuple((name.lower(), value) for name, value in received.headers.multi_items()),
            body,
            asked.shown(),
            sum(phases.values()),
            date_of(received.headers.get("date")),
            phases,
        )

    def _trouble(self, message: str, timed_out: bool = False) -> HttpTrouble:
        elapsed, phase = time.monotonic() - self._began, self._timing.phase
        said = with_place(self._place, phase, message)
        if self._proxied and phase == "connect":
            phase = "proxy"
        return HttpTrouble(phase, said, elapsed, timed_out, self._timing.seconds())
