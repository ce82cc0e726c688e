"""The proof that nothing was changed: every single change of a stored chain is found."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runbook.store.base import Chain, StoreAway
from runbook.store.chain import Head, Verification, redact, seal, unseal, verify
from runbook.store.heads import head_path, read_head
from runbook.store.sqlite import SqliteStore, open_sqlite
from runbook.system.clock import MachineClock
from tests.store.making import ANA, BASE, CHAIN, event, filled

EVENTS = 60
Row = tuple[int, int, str, str, bytes, bytes]


def looked_at(path: Path, chain: Chain = CHAIN, anchored: bool = True) -> Verification:
    store = open_sqlite(path, clock=MachineClock())
    try:
        return verify(store, chain, read_head(path.parent / "heads", chain) if anchored else None)
    finally:
        store.close()


def changed(path: Path, sql: str, *values: object) -> int:
    with sqlite3.connect(path, isolation_level=None) as connection:
        touched = connection.execute(sql, values).rowcount
    connection.close()
    return touched


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "state.db"
    filled(path, EVENTS).close()
    return path


def test_an_untouched_chain_is_sound(path: Path) -> None:
    found = looked_at(path)
    assert found.ok and found.count == EVENTS and found.anchored and len(found.head_hash) == 64
    assert looked_at(path, anchored=False) == Verification(True, EVENTS, None, "", found.head_hash, False)


def test_each_field_of_each_record_is_watched(tmp_path: Path) -> None:
    """Each column, the head and the payload of each event, one change at a time."""
    path, count = tmp_path / "long.db", 200
    store = filled(path, count)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    tried = 0
    for sql, back, values, old in _changes(_rows(path)):
        connection.execute(sql, values)
        found = verify(store, CHAIN, None)
        number = values[-1]
        # A changed head may show only in the event after it, which names its hash.
        assert not found.ok and found.first_bad in (number, number + 1), (sql, values, found)
        connection.execute(back, old)
        tried += 1
    assert tried == count * 12
    assert verify(store, CHAIN, None).ok, "and everything was put back"
    connection.close()
    store.close()


def _changes(rows: list[Row]) -> Iterator[tuple[str, str, tuple[Any, ...], tuple[Any, ...]]]:
    """A statement and the one that takes it back, each with its values."""
    pick = random.Random(5)
    for number, at, uuid, operation, head, payload in rows:
        for column, before, after in (
            ("at", at, at + 1),
            ("uuid", uuid, f"{uuid}x"),
            ("uuid", uuid, f'{uuid}","kind":"step.done'),
            ("operation", operation, None),
            ("operation", operation, 'op-1","operation":"op-1'),
            ("head", head, _flipped(pick, head)),
        ):
            sql = f"UPDATE events SET {column} = ? WHERE number = ?"
            yield sql, sql, (after, number), (before, number)
        for table, column, there, back in (
            ("events", "number", number, number + 1000),
            ("events", "chain", 1, 2),
            ("payloads", "chain", 1, 2),
        ):
            sql = f"UPDATE {table} SET {column} = ? WHERE {column} = ? AND number = ?"
            row = back if column == "number" else number
            yield sql, sql, (back, there, number), (there, back, row)
        for body in (_flipped(pick, payload), b"{}", b""):
            sql = "UPDATE payloads SET body = ? WHERE number = ?"
            yield sql, sql, (body, number), (payload, number)


def _rows(path: Path) -> list[Row]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT e.number, at, uuid, operation, head, body FROM events e JOIN payloads p USING (chain, number)"
        ).fetchall()
    connection.close()
    return rows


def _flipped(pick: random.Random, data: bytes) -> bytes:
    place = pick.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << pick.randrange(8))]) + data[place + 1 :]


def test_every_bit_of_one_head_counts(path: Path) -> None:
    head = _rows(path)[30][4]
    for place in range(len(head)):
        spoilt = head[:place] + bytes([head[place] ^ 1]) + head[place + 1 :]
        changed(path, "UPDATE events SET head = ? WHERE number = 31", spoilt)
        assert looked_at(path, anchored=False).first_bad in (31, 32)


@pytest.mark.parametrize(
    ("sql", "first_bad"),
    [
        ("DELETE FROM events WHERE number = 20", 20),
        ("DELETE FROM events WHERE number = 1", 1),
        ("DELETE FROM events WHERE number <= 5", 1),
        ("UPDATE events SET number = CASE number WHEN 7 THEN 1008 WHEN 8 THEN 7 ELSE 8 END WHERE number IN (7, 8)", 7),
        ("DELETE FROM events WHERE number > 50", 51),
        ("DELETE FROM events", 1),
        ("UPDATE chains SET number = 59", 60),
        ("UPDATE chains SET number = 70", 61),
        ("UPDATE chains SET hash = 'other'", 60),
        ("INSERT INTO events SELECT chain, 61, at, 'new', operation, head FROM events WHERE number = 60", 61),
    ],
)
def test_records_taken_out_put_in_or_exchanged(path: Path, sql: str, first_bad: int) -> None:
    changed(path, sql)
    found = looked_at(path, anchored=False)
    assert (found.ok, found.first_bad) == (False, first_bad), found


def test_a_tail_cut_off_together_with_the_count_is_seen_by_the_head_kept_beside(path: Path) -> None:
    for left in (59, 31, 1):
        _cut(path, left)
        assert looked_at(path, anchored=False).ok, "nothing inside tells"
        found = looked_at(path)
        assert (found.ok, found.first_bad) == (False, left + 1)
        assert "cut off" in found.reason


def _cut(path: Path, left: int) -> None:
    changed(path, "DELETE FROM events WHERE number > ?", left)
    changed(path, "DELETE FROM payloads WHERE number > ?", left)
    store = open_sqlite(path, clock=MachineClock())
    last = store.events(CHAIN)[-1]
    store.close()
    changed(path, "UPDATE chains SET number = ?, hash = ?", last.number, last.hash)


def test_a_cut_chain_that_goes_on_is_seen_too(path: Path) -> None:
    _cut(path, 50)
    store = open_sqlite(path, clock=MachineClock())
    for number in range(51, 64):
        store.append(CHAIN, [event(number + 500)])
    store.close()
    found = looked_at(path)
    assert (found.ok, found.first_bad) == (False, 60), found


def test_an_older_copy_put_in_place_is_seen(tmp_path: Path, path: Path) -> None:
    old = path.read_bytes()
    store = open_sqlite(path, clock=MachineClock())
    store.append(CHAIN, [event(100)])
    store.close()
    path.write_bytes(old)
    assert looked_at(path).first_bad == EVENTS + 1


def test_a_chain_longer_than_its_head_is_sound(path: Path) -> None:
    kept = head_path(path.parent / "heads", CHAIN)
    old = kept.read_bytes()
    store = open_sqlite(path, clock=MachineClock())
    store.append(CHAIN, [event(100)])
    store.close()
    kept.write_bytes(old)
    assert looked_at(path).ok


def test_another_chain_cannot_pass_for_this_one(path: Path) -> None:
    changed(path, "UPDATE chains SET environment = 'staging'")
    assert looked_at(path, Chain("checkout", "staging"), anchored=False).first_bad == 1


def test_an_erased_payload_needs_a_redaction_that_comes_later_and_names_it(path: Path) -> None:
    store = open_sqlite(path, clock=MachineClock())
    redact(store, CHAIN, 10, who=ANA, reason="pasted", at=BASE)
    assert verify(store, CHAIN, None).ok
    changed(path, "DELETE FROM payloads WHERE number = 11")
    assert verify(store, CHAIN, None).first_bad == 11
    store.append(CHAIN, [event(70, kind="redacted", number="11"), event(71, kind="note", number=11)])
    assert verify(store, CHAIN, None).first_bad == 11
    store.append(CHAIN, [event(72, kind="redacted", number=11)])
    assert verify(store, CHAIN, None).ok
    store.append(CHAIN, [event(73)])
    changed(path, "DELETE FROM payloads WHERE number = 65")
    assert verify(store, CHAIN, None).first_bad == 65, "a redaction before it says nothing"
    store.close()


def test_an_erased_payload_leaves_no_bytes_in_the_files(tmp_path: Path) -> None:
    store = filled(tmp_path / "state.db", 3)
    secrets = [f"hunter{number}-" * size for number, size in ((2, 3), (3, 80), (4, 3_000))]
    for number, secret in enumerate(secrets, 4):
        store.append(CHAIN, [event(number, secret=secret)], state=_keeps_everything)
        store.append(Chain("other", "production"), [event(number, text="t" * 700) for number in range(20)])
    assert b"hunter4-hunter4-" in _all_bytes(tmp_path)
    for number in (4, 5, 6):
        redact(store, CHAIN, number, who=ANA, reason="r", at=BASE)
    assert b"hunter" not in _all_bytes(tmp_path)
    store.close()


def _keeps_everything(body: bytes | None, new: object) -> bytes:
    return (body or b"") + repr(new).encode()


def _all_bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_a_payload_of_no_event_is_damage(path: Path) -> None:
    store: SqliteStore = open_sqlite(path, clock=MachineClock())
    assert store.damage() is None
    changed(path, "INSERT INTO payloads VALUES (1, 999, x'7b7d')")
    assert "999" in (store.damage() or "")
    store.close()


def test_a_store_that_counts_wrong_is_not_written_to(path: Path) -> None:
    changed(path, "UPDATE chains SET number = 30")
    store = open_sqlite(path, clock=MachineClock())
    with pytest.raises(StoreAway, match="damaged"):
        store.append(CHAIN, [event(100)])
    assert len(store.events(CHAIN)) == EVENTS
    store.close()


def test_an_event_that_cannot_be_read_names_itself(path: Path) -> None:
    changed(path, "UPDATE events SET head = x'7b' WHERE number = 4")
    store = open_sqlite(path, clock=MachineClock())
    with pytest.raises(StoreAway, match="event 4 "):
        store.events(CHAIN)
    store.close()


def test_a_head_is_laid_out_as_the_fast_comparison_expects() -> None:
    sealed = seal(event(1), 7, "p" * 64)
    assert sealed.head[13:77] == b"p" * 64
    assert sealed.head.startswith(b'{"previous":"' + b"p" * 64 + b'","payload":"')
    assert Head.__struct_fields__[:5] == ("previous", "payload", "number", "at", "uuid")
    assert Head.__struct_fields__[-1] == "operation"
    assert unseal(sealed.head, sealed.payload) == sealed.recorded
