"""A real Alertmanager, to which a test posts alerts and silences."""

from __future__ import annotations

import contextlib
import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.real.program import free_port, started
from tests.real.prometheus import is_ready

# A critical alert of a service inhibits its warnings.
CONFIG = """\
route: {receiver: nobody, group_wait: 0s, group_by: ["..."]}
receivers: [{name: nobody}]
inhibit_rules:
  - {source_matchers: [severity="critical"], target_matchers: [severity="warning"], equal: [service]}
"""


@dataclass(frozen=True)
class Alertmanager:
    """A server that runs."""

    url: str

    def fire(self, since: float = 60.0, lasts: float = 600.0, **labels: str) -> None:
        """Post an alert that began `since` seconds ago and ends in `lasts` seconds unless it is posted again."""
        now = time.time()
        alert = {"labels": labels, "startsAt": _moment(now - since), "endsAt": _moment(now + lasts)}
        self._post("alerts", [alert])

    def silence(self, **labels: str) -> None:
        """Silence the alerts with these labels for an hour."""
        matchers = [{"name": name, "value": value, "isRegex": False} for name, value in labels.items()]
        now = time.time()
        times = {"startsAt": _moment(now), "endsAt": _moment(now + 3600)}
        self._post("silences", {"matchers": matchers, **times, "createdBy": "test", "comment": "test"})

    def states(self, **labels: str) -> list[str]:
        """The states of the alerts with these labels."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=10) as answer:
            alerts = json.load(answer)
        return [alert["status"]["state"] for alert in alerts if labels.items() <= alert["labels"].items()]

    def _post(self, what: str, body: Any) -> None:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/v2/{what}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200


@contextlib.contextmanager
def alertmanager(folder: Path) -> Iterator[Alertmanager]:
    """An Alertmanager that tells nobody."""
    url = f"http://127.0.0.1:{free_port()}"
    config = folder / "alertmanager.yml"
    config.write_text(CONFIG)
    argv = ["prometheus-alertmanager", f"--config.file={config}", f"--storage.path={folder / 'data'}"]
    argv += [f"--web.listen-address={url.removeprefix('http://')}", "--cluster.listen-address=", "--log.level=warn"]
    with started(argv, folder, lambda: is_ready(url)):
        yield Alertmanager(url)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
