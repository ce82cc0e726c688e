"""A real Pushgateway: holds what a test pushes until Prometheus comes for it."""

from __future__ import annotations

import contextlib
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.real.program import free_port, started
from tests.real.prometheus import is_ready


@dataclass(frozen=True)
class Pushgateway:
    """A server that runs. `target` is how Prometheus names it."""

    url: str

    @property
    def target(self) -> str:
        return self.url.removeprefix("http://")

    def push(self, text: str, job: str = "test", **labels: str) -> None:
        """Put an exposition in the place of what the group had."""
        self._send("PUT", job, labels, text.encode() + b"\n")

    def forget(self, job: str = "test", **labels: str) -> None:
        """Take a group away."""
        self._send("DELETE", job, labels, None)

    def _send(self, method: str, job: str, labels: dict[str, str], body: bytes | None) -> None:
        path = "".join(f"/{name}/{value}" for name, value in {"job": job, **labels}.items())
        request = urllib.request.Request(f"{self.url}/metrics{path}", data=body, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status in (200, 202)


@contextlib.contextmanager
def pushgateway(folder: Path) -> Iterator[Pushgateway]:
    """A Pushgateway that keeps nothing."""
    url = f"http://127.0.0.1:{free_port()}"
    argv = ["prometheus-pushgateway", f"--web.listen-address={url.removeprefix('http://')}", "--log.level=warn"]
    argv += ["--persistence.file="]  # Debian's keeps everything in /var/lib unless it is told not to
    with started(argv, folder, lambda: is_ready(url)):
        yield Pushgateway(url)
