"""What the tests of the store have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runbook.store.base import Chain, Holder
from runbook.store.events import Event, Who
from runbook.store.lease_table import holder_of
from runbook.store.sqlite import SqliteStore, open_sqlite
from runbook.system.clock import MachineClock

CHAIN = Chain("checkout", "production")
ANA = Who(operator="ana", host="app-1")
BASE = 1_700_000_000_000_000  # microseconds since the epoch

ODD_TEXTS = (
    "plain",
    "with a \0 in it",
    "'; DROP TABLE events; --",
    'double " and \\ back',
    "100%_of [a-z]* wild",
    "zeilen\numbruch\r\n",
    "\u202ebidi \u200b and \u2028",
    "emoji \U0001f680 and \ufffe",
    "half a surrogate \udc80",
    "",
    "x" * 1_000_000,
)


def event(number: int, /, kind: str = "step.done", operation: str | None = "op-1", **payload: object) -> Event:
    return Event(kind=kind, at=BASE + number, who=ANA, payload={"step": number, **payload}, operation=operation)


def filled(path: Path, count: int, chain: Chain = CHAIN) -> SqliteStore:
    """A store at `path` whose chain has `count` events."""
    store = open_sqlite(path, clock=MachineClock())
    store.append(chain, [event(number) for number in range(1, count + 1)])
    return store


def payloads(store: SqliteStore, chain: Chain = CHAIN) -> Sequence[object]:
    return [recorded.event.payload.get("step") for recorded in store.events(chain)]


def somebody_else(operator: str = "ben") -> Holder:
    """A holder that cannot be looked at from here: it runs on another machine."""
    return Holder(operator=operator, host="app-2", pid=7, started="11", boot="boot-b", namespace="pid:[1]")


def myself() -> Holder:
    return holder_of("ana")
