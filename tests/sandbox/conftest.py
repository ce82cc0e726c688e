"""A practice service as a real process, taken down after each test whatever happened to it."""

from __future__ import annotations

import http.client
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runbook.sandbox import control
from tests.places import PROJECT

SHIPPED = PROJECT / "playbooks/sandbox/enrichment.yaml"


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    headers: dict[str, str]

    def json(self) -> Any:
        return json.loads(self.body)


class Practice:
    """One sandbox under test."""

    def __init__(self, folder: Path, definition: Path = SHIPPED) -> None:
        self.folder, self.definition, self.env_file = folder, definition, folder / ".env"

    def up(self, **options: Any) -> control.Running:
        return control.up(self.definition, self.folder, self.env_file, **options)

    def port(self) -> int:
        state = control.status(self.folder)
        assert state is not None
        return int(state.url.rpartition(":")[2])

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port(), timeout=10)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Reply(answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()})
        finally:
            connection.close()

    def metrics(self) -> Any:
        return self.ask("/api/metrics").json()

    def state(self) -> Any:
        return self.ask("/_sandbox/state").json()

    def set(self, **values: object) -> None:
        """Edits the env file as an operator would, line by line."""
        lines = self.env_file.read_text().splitlines(keepends=True)
        for key, value in values.items():
            at = next(i for i, line in enumerate(lines) if line.removeprefix("export ").startswith(f"{key}="))
            lines[at] = f"{lines[at].partition('=')[0]}={value}\n"
        self.env_file.write_text("".join(lines))

    def kill(self) -> None:
        state = control.status(self.folder)
        assert state is not None
        os.kill(state.pid, signal.SIGKILL)
        wait_for_end(self.folder)

    def end(self) -> None:
        state = control.status(self.folder)
        if state is not None and state.alive:
            os.kill(state.pid, signal.SIGKILL)


def wait_for_end(folder: Path) -> None:
    """Returns when the process of the sandbox is gone; the kernel takes a moment for a killed one."""
    for _ in range(1_000_000):
        state = control.status(folder)
        if state is None or not state.alive:
            return
    raise AssertionError("the process does not end")


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    """The shipped practice service, up."""
    made = Practice(tmp_path / "project/.runbook/sandbox/enrichment")
    made.up()
    yield made
    made.end()
