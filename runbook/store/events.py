"""Events: the truth about what happened. One numbered chain per service and environment."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec


class Who(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who did it. `known` says how well: `claimed` (a variable or git), `os-user`, `sudo`, `ci-token`, `tool`."""

    operator: str
    host: str
    known: str = "os-user"


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event before it has a number. `at` is microseconds since the epoch, UTC.

    `uuid` makes forwarding exact: the same event arrives once, however often it is sent. `epoch` is the lease's number
    under which it happened; `late` marks one that reached the store after the fact.
    """

    kind: str
    at: int
    who: Who
    payload: dict[str, Any] = {}
    rollout: int | None = None
    operation: str | None = None
    epoch: int = 0
    late: bool = False
    uuid: str = msgspec.field(default_factory=lambda: uuid.uuid4().hex)


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """An event in its chain: `number` counts from 1, `hash` is the hexadecimal SHA-256 of its head."""

    number: int
    hash: str
    event: Event
    redacted: bool = False
