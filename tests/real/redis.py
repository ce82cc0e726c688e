"""A real Redis on loopback, without a file on disk; with a password, accounts or TLS where a test asks for them."""

from __future__ import annotations

import contextlib
import shutil
import socket
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.real.certificates import Authority
from tests.real.program import answers, free_port, started

PASSWORD = "kept:secret@/here"
QUOTED = "kept%3Asecret%40%2Fhere"


@dataclass(frozen=True)
class RedisServer:
    """The server; `path` is that of its Unix socket. `password` is what it wants, if anything."""

    port: int
    path: Path
    password: str = ""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def run(self, *commands: Sequence[str]) -> None:
        """Give it commands over its socket, each of which has to be answered without an error."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.path))
            connection.settimeout(10)
            for words in ([["AUTH", self.password]] if self.password else []) + [list(each) for each in commands]:
                parts = "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
                connection.sendall(f"*{len(words)}\r\n{parts}".encode())
                reply = connection.recv(65536)
                assert reply[:1] != b"-", reply


@contextlib.contextmanager
def redis(*options: str, password: str = "", authority: Authority | None = None) -> Iterator[RedisServer]:
    """A running server. With an `authority` its port speaks TLS alone, with a certificate of that authority."""
    folder = Path(tempfile.mkdtemp(prefix="runbook-redis-"))
    port = free_port()
    path = folder / "redis.sock"
    argv = ["redis-server", "--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--unixsocket", str(path)]
    if authority is None:
        argv += ["--port", str(port)]
    else:
        pair = authority.pair("redis")
        argv += ["--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no"]
        argv += ["--tls-cert-file", str(pair.certificate), "--tls-key-file", str(pair.key)]
        argv += ["--tls-ca-cert-file", str(authority.file)]
    argv += ["--requirepass", password] if password else []
    try:
        with started([*argv, *options], folder, lambda: answers(port) and path.exists()):
            yield RedisServer(port, path, password)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
