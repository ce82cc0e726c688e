"""What stands under the commands, in process: the flag edit, the event append, the proof of the chain."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import Figure, figure
from benchmarks.timing import Subject, in_turns
from runbook.flags.target import FlagFile
from runbook.store.base import Chain
from runbook.store.chain import verify
from runbook.store.events import Event, Who
from runbook.store.sqlite import SqliteStore, open_sqlite
from runbook.system.clock import MachineClock

CHAIN = Chain("kitchen", "local")
EVENTS = 200_000
APPENDS = 50  # a turn, since one takes less than the clock's unrest
LOG_IS_USED_AGAIN = 1_500  # appends until the write-ahead log no longer grows, which makes each commit dearer
WHO = Who(operator="bench", host="here")


def flag_edit(folder: Path, lines: int, target: float) -> list[Figure]:
    """One value changed, durably, beside `sed -i` and `sync` of file and folder."""
    folder.mkdir()
    ours, theirs = folder / "ours.env", folder / "theirs.env"
    text = "".join(f"KEY_{number}=value {number}  # why\n" for number in range(lines))
    for path in (ours, theirs):
        path.write_text(text, "utf-8")
    key = f"KEY_{lines // 2}"
    values = itertools.count()
    flags = FlagFile(project=folder, place_path=ours.name, in_place=False, state_folder=folder / ".runbook")

    def edit() -> None:
        flags.apply(flags.prepare({key: str(next(values))}))

    def sed() -> None:
        subprocess.run(["sed", "-i", f"s/^{key}=.*/{key}={next(values)}/", theirs], check=True)
        subprocess.run(["sync", theirs, folder], check=True)

    name, plain = f"flag edit, {lines:,} lines", "sed -i and sync"
    times = in_turns([Subject(plain, sed), Subject(name, edit)], 40)
    return [figure(name, times[name], plain, times[plain], target)]


def event_append(folder: Path) -> list[Figure]:
    """One event, durably, beside the barest durable insert of the same bytes."""
    folder.mkdir()
    store = open_sqlite(folder / "ours.db", clock=MachineClock())
    bare = sqlite3.connect(folder / "theirs.db", isolation_level=None)
    bare.execute("PRAGMA journal_mode=WAL")
    bare.execute("PRAGMA synchronous=FULL")
    bare.execute("CREATE TABLE events (number INTEGER PRIMARY KEY, head BLOB, payload BLOB)")
    stored = _append_and_read(store)

    def insert() -> None:
        bare.execute("INSERT INTO events (head, payload) VALUES (?, ?)", stored)

    def append() -> None:
        store.append(CHAIN, [_event(next(_numbers))])

    for _ in range(LOG_IS_USED_AGAIN):
        insert()
        append()
    name, plain = "event append, durable", "a bare SQLite insert, synchronous=FULL"
    times = in_turns([Subject(plain, _each_of_many(insert)), Subject(name, _each_of_many(append))], 15)
    bare.close()
    store.close()
    return [figure(name, times[name], plain, times[plain], 1.5)]


_numbers = itertools.count(1)


def _append_and_read(store: SqliteStore) -> tuple[bytes, bytes | None]:
    store.append(CHAIN, [_event(next(_numbers))])
    (last,) = next(iter(store.stored(CHAIN)))
    return last.head, last.payload


def _each_of_many(work: Callable[[], object]) -> Callable[[], float]:
    def many() -> float:
        began = time.perf_counter()
        for _ in range(APPENDS):
            work()
        return (time.perf_counter() - began) / APPENDS

    return many


def chain_proof(folder: Path) -> list[Figure]:
    """Every byte of a long chain looked at, beside `sha256sum` over the same bytes in one file."""
    if shutil.which("sha256sum") is None:
        return []
    folder.mkdir()
    store = open_sqlite(folder / "long.db", clock=MachineClock())
    fill(store, EVENTS)
    with (folder / "bytes").open("wb") as same:
        for page in store.stored(CHAIN):
            for row in page:
                same.write(row.head + (row.payload or b""))

    def prove() -> None:
        if verify(store, CHAIN, None).count != EVENTS:
            raise RuntimeError("the chain that was just written does not verify")

    def sha256sum() -> None:
        subprocess.run(["sha256sum", folder / "bytes"], check=True, capture_output=True)

    name, plain = f"audit verify, {EVENTS:,} events", "sha256sum of the same bytes"
    times = in_turns([Subject(plain, sha256sum), Subject(name, prove)], 5)
    store.close()
    return [figure(name, times[name], plain, times[plain], 1.6)]


def fill(store: SqliteStore, count: int) -> None:
    """Appends so many events to the chain, ten thousand in a commit."""
    for first in range(0, count, 10_000):
        store.append(CHAIN, [_event(number) for number in range(first, min(first + 10_000, count))])


def _event(number: int) -> Event:
    payload = {"step": number, "title": "edit kitchen.env", "undo": {"KITCHEN_PERCENT": "0"}}
    return Event(kind="step.done", at=1_700_000_000_000_000 + number, who=WHO, payload=payload, operation="op-1")
