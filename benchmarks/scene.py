"""What is timed against: a small project, and a service on loopback that takes its time."""

from __future__ import annotations

import contextlib
import http.server
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent
RUNBOOK = BIN / "runbook"
BEGAN = "redeploy-began"
CHECKS = 20
ANSWER_TAKES = 0.05  # seconds

PLAYBOOK = """\
runbook: 1
service: kitchen
title: A service with two flags
flags: {{percent: KITCHEN_PERCENT, safe: {{KITCHEN_PERCENT: 0, KITCHEN_MODEL: none}}}}
environments:
  local:
    url: {url}
    flags_in: {{env: kitchen.env}}
    redeploy: {{command: [sh, -c, "date +%s%N > {began}"], timeout: 10s}}
metrics: {{error_rate: {{http: /numbers, jq: .error_rate, unit: ratio, critical: "> 5%"}}}}
checklists:
  twenty:
{checks}
stages:
  - {{stage: dark, percent: 0}}
  - stage: some
    percent: [10, 50]
    set: {{KITCHEN_MODEL: small}}
    requires: [twenty]
    bake: 1h
    gates: ["error_rate < 1%"]
rollback: {{set: safe, objective: 1m, incident: P1}}
severities: {{P1: {{respond: 15m}}}}
"""
SAFE = "# of the kitchen\nKITCHEN_PERCENT=0\nKITCHEN_MODEL=none\n"


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True


class _Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Says nothing."""

    def do_GET(self) -> None:
        """A healthy answer, after the time that an answer takes."""
        time.sleep(ANSWER_TAKES)
        data = b'{"status": "ok", "error_rate": 0.001}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextlib.contextmanager
def slow_service() -> Iterator[str]:
    """The URL of a service that answers everything after `ANSWER_TAKES`."""
    with _Server(("127.0.0.1", 0), _Answers) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def clean_environment(folder: Path) -> dict[str, str]:
    """The caller's, without what would change what is timed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RUNBOOK_")}
    return {**clean, "NO_COLOR": "1", "XDG_STATE_HOME": str(folder / "of-the-user")}


@dataclass(frozen=True)
class Project:
    """A project folder with one playbook, at the safe flags. `url` is where its service answers."""

    folder: Path
    url: str

    @property
    def env(self) -> dict[str, str]:
        """The environment of a command."""
        return clean_environment(self.folder)

    def check_urls(self) -> list[str]:
        return [f"{self.url}/check/{number}" for number in range(CHECKS)]

    def keep(self) -> None:
        """Remembers the folder as it is, to be put back before each turn."""
        shutil.rmtree(self._kept, ignore_errors=True)
        shutil.copytree(self.folder, self._kept)

    def put_back(self) -> None:
        """The folder as it was when it was kept. The folder itself stays: a lease may know it."""
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self._kept, self.folder, dirs_exist_ok=True)

    @property
    def _kept(self) -> Path:
        return self.folder.with_name(self.folder.name + "-kept")


def make_project(folder: Path, url: str) -> Project:
    """Writes the playbook and the flag file."""
    (folder / "playbooks").mkdir(parents=True)
    checks = "\n".join(f"    - {{check: Answer {number}, http: /check/{number}}}" for number in range(CHECKS))
    text = PLAYBOOK.format(url=url, began=BEGAN, checks=checks)
    (folder / "playbooks/kitchen.yaml").write_text(text, "utf-8")
    (folder / "kitchen.env").write_text(SAFE, "utf-8")
    return Project(folder, url)
