"""The language in which a practice service is described (`playbooks/sandbox/SERVICE.yaml`), as checked data.

The language holds no code: numbers are sums of products, replies are JSON with references that begin with `$`.
`playbooks/sandbox/enrichment.yaml` explains each key where it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Value = bool | int | float | str
CONTEXT = frozenset(
    {"percent", "fraction", "version", "service", "now", "epoch", "uptime", "requests", "treated", "started_at"}
)


@dataclass(frozen=True)
class Flag:
    """One key of the env file as the service reads it: `type` is `truth`, `integer`, `number` or `text`."""

    name: str
    type: str
    default: Value


@dataclass(frozen=True)
class Effect:
    """One term of a metric: `add` times each factor that is named.

    Factors: a flag's number (true is 1; with `is` 1 where it has that value, else 0), an earlier metric, a fault's
    value, the percentage, the seconds since the start, and the share of the treated (percentage / 100).
    """

    add: float
    flag: str | None = None
    is_: Value | None = None
    metric: str | None = None
    fault: str | None = None
    percent: bool = False
    second: bool = False
    treated: bool = False


@dataclass(frozen=True)
class Metric:
    """A number of the service: `base` plus its effects, moved by up to `jitter` (a share), kept `between`, rounded."""

    name: str
    unit: str = ""
    base: float = 0.0
    jitter: float = 0.0
    lowest: float | None = None
    highest: float | None = None
    digits: int | None = None
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True)
class Endpoint:
    """One method and path. `reply` is JSON with references; `needs` are keys that a request's JSON must have.

    `fails` names the metric that says which share of requests is answered with a 500. `prompt` endpoints are not
    slowed by the fault `latency`.
    """

    method: str
    path: str
    reply: Any
    status: int = 200
    needs: tuple[str, ...] = ()
    fails: str | None = None
    prompt: bool = False


@dataclass(frozen=True)
class PracticeFile:
    """A file that checks may look at: SQL statements for a SQLite file, a text, or so many `size` bytes.

    `renewed` writes it again at each start, so that its age is that of the process.
    """

    path: str
    sqlite: str | None = None
    text: str | None = None
    size: int = 0
    renewed: bool = False


@dataclass(frozen=True)
class Definition:
    """A whole practice service. `percent` names the flag that holds the percentage, `fraction` when as 0.05."""

    service: str
    version: str
    seed: int
    env_file: str
    percent: str | None
    fraction: bool
    flags: Mapping[str, Flag]
    metrics: Mapping[str, Metric]
    endpoints: tuple[Endpoint, ...]
    files: tuple[PracticeFile, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    def endpoint(self, method: str, path: str) -> Endpoint | None:
        wanted = "GET" if method == "HEAD" else method
        return next((each for each in self.endpoints if (each.method, each.path) == (wanted, path)), None)

    def methods(self, path: str) -> list[str]:
        return [each.method for each in self.endpoints if each.path == path]
