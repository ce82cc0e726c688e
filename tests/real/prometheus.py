"""A real Prometheus, which scrapes what it is told every second."""

from __future__ import annotations

import contextlib
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.real.program import free_port, started, wait_until

CONFIG = """\
global: {scrape_interval: %s, scrape_timeout: %s}
scrape_configs:
  - job_name: pushed
    honor_labels: true
    static_configs:
      - targets: [%s]
"""


@dataclass(frozen=True)
class Prometheus:
    """A server that runs."""

    url: str

    def series(self, query: str) -> list[dict[str, Any]]:
        """What a query gives now."""
        asked = urllib.parse.urlencode({"query": query})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{asked}", timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
            return found

    def number(self, query: str) -> float | None:
        """The number that a query gives now, None where it gives no series."""
        series = self.series(query)
        return float(series[0]["value"][1]) if series else None

    def wait_for(self, query: str, number: float | None, within: float = 20.0) -> None:
        """Until a query gives this number (None: nothing)."""
        wait_until(lambda: self.number(query) == number, f"{query} did not become {number}", within)


@contextlib.contextmanager
def prometheus(folder: Path, targets: Sequence[str], *more: str, every: str = "1s") -> Iterator[Prometheus]:
    """A Prometheus that scrapes `targets` (`host:port`), with its data in `folder`; `more` are further arguments."""
    port = free_port()
    config = folder / "prometheus.yml"
    config.write_text(CONFIG % (every, every, ", ".join(f'"{target}"' for target in targets)))
    argv = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
    argv += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn", *more]
    url = f"http://127.0.0.1:{port}"
    with started(argv, folder, lambda: is_ready(url)):
        yield Prometheus(url)


def is_ready(url: str) -> bool:
    """Whether a server of this family says that it is ready."""
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
