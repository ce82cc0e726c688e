"""A practice service while it runs: its flags as read at the start, its faults, its counts, and what it answers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runbook.sandbox.definition import Definition, Endpoint, Value
from runbook.sandbox.faults import Faults
from runbook.sandbox.numbers import Moment, falls_on, numbers, percentage
from runbook.sandbox.replies import fill, metrics_named

GARBAGE = (
    b"<!doctype html><title>502</title><h1>Bad gateway</h1>",
    b'{"error_rate": NaN, "latency": {"p95_ms": NaN}}',
    b'{"error_rate": 0.0',
    b"",
)


@dataclass(frozen=True)
class Answer:
    """What is sent: `date` in seconds since the epoch; after `late` seconds; `drop` cuts the connection instead."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    date: float | None = None
    late: float = 0.0
    drop: bool = False
    allow: tuple[str, ...] = ()


class Service:
    """One run of a practice service, from start to end. Safe to ask from several threads."""

    def __init__(self, definition: Definition, flags: Mapping[str, Value], faults: Faults, pid: int) -> None:
        self.definition = definition
        self.flags = flags
        self.percent = percentage(definition, flags)
        self.pid = pid
        self.started_at = time.time()
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._requests: dict[str, int] = {}
        self._faults = faults
        self._still: dict[str, float] | None = None
        self.take(faults)

    @property
    def faults(self) -> Faults:
        return self._faults

    @property
    def version(self) -> str:
        """The build that it tells."""
        return self._faults.version or self.definition.version

    def take(self, faults: Faults) -> None:
        """From now on these faults hold. Numbers that go stale stand as they were just before."""
        if faults.stale is None:
            self._still = None
        elif self._still is None:
            self._still = numbers(self.definition, self._moment(0))
        self._faults = faults

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """The answer to one request, which is counted."""
        endpoint = self.definition.endpoint(method, path)
        turn = self._count(f"{method} {path}" if endpoint else "elsewhere")
        faults = self._faults
        if faults.hits(faults.down, path):
            return Answer(drop=True)
        if endpoint is None:
            return self._nothing_here(path)
        if faults.hits(faults.garbage, path):
            return Answer(
                body=GARBAGE[turn % len(GARBAGE)], kind="text/html" if turn % len(GARBAGE) == 0 else "application/json"
            )
        late = 0.0 if endpoint.prompt else faults.latency
        given, trouble = _read_body(endpoint, body)
        if trouble:
            return _told(400, trouble, late)
        return self._reply(endpoint, turn, given, late)

    def state(self) -> dict[str, Any]:
        """The service about itself, for `/_sandbox/state`."""
        with self._lock:
            requests = dict(self._requests)
        return {
            "service": self.definition.service,
            "version": self.version,
            "pid": self.pid,
            "started_at": _timestamp(self.started_at),
            "flags": dict(self.flags),
            "percent": self.percent,
            "faults": str(self._faults),
            "requests": requests,
        }

    def _reply(self, endpoint: Endpoint, turn: int, given: Mapping[str, Any], late: float) -> Answer:
        measured = self._numbers(turn)
        if endpoint.fails is not None and falls_on(turn, min(1.0, measured[endpoint.fails])):
            return _told(500, "the service failed on this request", late)
        stale = self._faults.stale if metrics_named(endpoint.reply) else None
        now = time.time() if stale is None else stale
        values = {
            "flag": self.flags,
            "metric": measured,
            "body": given,
            "percent": self.percent,
            "fraction": self.percent / 100,
            "version": self.version,
            "service": self.definition.service,
            "now": _timestamp(now),
            "epoch": round(now, 3),
            "uptime": round(time.monotonic() - self._began, 3),
            "started_at": _timestamp(self.started_at),
            "requests": sum(self._requests.values()),
            "treated": falls_on(turn, self.percent / 100),
        }
        body = json.dumps(fill(endpoint.reply, values)).encode()
        return Answer(endpoint.status, body, date=now, late=late)

    def _numbers(self, turn: int) -> dict[str, float]:
        measured = numbers(self.definition, self._moment(turn)) if self._still is None else self._still
        return {**measured, **self._faults.numbers}

    def _moment(self, turn: int) -> Moment:
        return Moment(self.flags, self.percent, time.monotonic() - self._began, turn, self._faults)

    def _count(self, name: str) -> int:
        """Counts a request and says how many of its kind came before."""
        with self._lock:
            before = self._requests.get(name, 0)
            self._requests[name] = before + 1
            return before

    def _nothing_here(self, path: str) -> Answer:
        allow = tuple(self.definition.methods(path))
        if allow:
            return Answer(405, b'{"error": "method not allowed"}', allow=allow)
        return _told(404, "nothing is served at this path", 0.0)


def _read_body(endpoint: Endpoint, body: bytes) -> tuple[dict[str, Any], str]:
    """The request's JSON mapping, or why it is refused. Bodies that nothing needs may be anything."""
    if not body and not endpoint.needs:
        return {}, ""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        return {}, "the body must be a JSON mapping" if endpoint.needs else ""
    missing = [key for key in endpoint.needs if key not in given]
    return given, f"the body lacks {', '.join(missing)}" if missing else ""


def _told(status: int, error: str, late: float) -> Answer:
    return Answer(status, json.dumps({"error": error}).encode(), late=late)


def _timestamp(seconds: float) -> str:
    whole, rest = divmod(round(seconds * 1000), 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{rest:03d}Z"
