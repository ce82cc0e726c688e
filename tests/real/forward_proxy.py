"""A proxy as companies have them: passes plain requests on, opens tunnels, and may want a login."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass
class ForwardProxy:
    """`hosts` are the names that it knows, and the port of this machine that each stands for; others it cannot reach.

    `asked` are the heads of the requests so far; `login` is `USER:PASSWORD`, where it wants one.
    """

    hosts: Mapping[str, int]
    login: str | None = None
    port: int = 0
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.login + '@' if self.login else ''}127.0.0.1:{self.port}"

    def serve(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(65536)
            if not data:
                return
            head += data
        text = head.decode("latin-1")
        self.asked.append(text)
        if self.login is not None and f"basic {b64encode(self.login.encode()).decode()}".lower() not in text.lower():
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        method, target, _ = text.split(" ", 2)
        host = re.match(r"(?:http://)?(?:[^@/]*@)?([^/:]+)", target)
        port = self.hosts.get(host[1]) if host else None
        if port is None:
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", port), timeout=10) as server:
            if method == "CONNECT":
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = re.sub(r"http://[^/]+", "", target) or "/"
                kept = re.sub(r"(?im)^(?:proxy-authorization|connection):.*\r\n", "", text.split("\r\n", 1)[1])
                server.sendall(f"{method} {path} HTTP/1.1\r\nConnection: close\r\n{kept}".encode("latin-1"))
            _both_ways(client, server)


def _both_ways(one: socket.socket, other: socket.socket) -> None:
    def copy(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    back = threading.Thread(target=copy, args=(other, one), daemon=True)
    back.start()
    copy(one, other)
    back.join(10)


@contextlib.contextmanager
def forward_proxy(hosts: Mapping[str, int], login: str | None = None) -> Iterator[ForwardProxy]:
    """A running proxy on loopback."""
    proxy = ForwardProxy(hosts, login)

    def serve(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.settimeout(10)
            proxy.serve(client)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                threading.Thread(target=serve, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        proxy.port = listening.getsockname()[1]
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield proxy
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)
