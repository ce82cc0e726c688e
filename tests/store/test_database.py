"""A store that cannot be used says so, whatever is wrong with its file; nothing else ever comes out."""

from __future__ import annotations

import os
import random
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runbook.store.base import SampleRow, StoreAway
from runbook.store.chain import verify
from runbook.store.database import Database
from runbook.store.events import Recorded
from runbook.store.file_system import file_system_of, is_on_network
from runbook.store.heads import read_head
from runbook.store.schema import APPLICATION, SCHEMA
from runbook.store.sqlite import SqliteStore, open_sqlite
from runbook.system.clock import MachineClock
from tests.store.making import CHAIN, event, filled, myself

FLIPS = 200


def opened(path: Path, wait: float = 5.0) -> SqliteStore:
    return open_sqlite(path, clock=MachineClock(), wait=wait)


def refusal(path: Path, wait: float = 0.2) -> StoreAway:
    with pytest.raises(StoreAway) as refused:
        opened(path, wait).append(CHAIN, [event(1)])
    assert refused.value.reason and refused.value.hint
    return refused.value


def well_used(path: Path) -> SqliteStore:
    store = filled(path, 40)
    store.append(CHAIN, [event(41, text="t" * 5_000)], state=lambda body, new: b"folded" * 100)
    store.take_lease(CHAIN, myself(), "op-1", "ramp")
    store.keep_samples(CHAIN, [SampleRow(metric="m", t=float(t), value=1.0) for t in range(100)])
    store.put_note(CHAIN, "rules/x", b"note")
    return store


def all_looks(store: SqliteStore) -> list[Callable[[], object]]:
    """Every way to look at or change a store."""
    return [
        lambda: store.events(CHAIN, last=3),
        lambda: store.events(CHAIN, operation="op-1"),
        lambda: store.load_state(CHAIN),
        lambda: store.lease_of(CHAIN),
        lambda: store.samples(CHAIN, "m", 5, 50),
        lambda: store.get_note(CHAIN, "rules/x"),
        lambda: store.keep_samples(CHAIN, [SampleRow(metric="m", t=0.5, value=1.0)]),
        lambda: store.append(CHAIN, [event(99)], state=lambda body, new: b"folded"),
        lambda: store.put_note(CHAIN, "rules/x", b"more"),
    ]


def looked_over(path: Path) -> tuple[list[Recorded] | None, bool]:
    """The events as they are read, and whether anything was reported; anything but a refusal fails the test."""
    try:
        store = opened(path)
    except StoreAway:
        return None, True
    try:
        reported = store.damage() is not None or not verify(store, CHAIN, None).ok
        found = store.events(CHAIN)
    except StoreAway:
        found, reported = None, True
    for look in all_looks(store):
        try:
            look()
        except StoreAway:
            reported = True
    store.close()
    return found, reported


def test_no_flipped_byte_crashes_or_changes_an_event_unseen(tmp_path: Path) -> None:
    original = tmp_path / "original" / "state.db"
    store = well_used(original)
    events = store.events(CHAIN)
    store.close()
    good, pick, reports = original.read_bytes(), random.Random(17), 0
    for number in range(FLIPS):
        # Half of the flips hit the first pages, where the header and the tables' descriptions are.
        place = pick.randrange(len(good) if number % 2 else 8_192)
        data = good[:place] + bytes([good[place] ^ pick.randrange(1, 256)]) + good[place + 1 :]
        path = tmp_path / "flipped" / "state.db"
        for old in path.parent.glob("*.db*"):
            old.unlink()
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        found, reported = looked_over(path)
        assert reported or found == events, f"byte {place} was changed unseen"
        reports += reported
    assert reports > FLIPS // 10, "the flips hit something"


@pytest.mark.parametrize("size", [0, 1, 100, 4_096, 20_000])
def test_a_file_cut_short_is_refused_or_new(tmp_path: Path, size: int) -> None:
    path = tmp_path / "state.db"
    well_used(path).close()
    path.write_bytes(path.read_bytes()[:size])
    if size > 1:
        assert looked_over(path)[1]
        return
    # SQLite takes such a file for a new one; the head kept beside knows better.
    store = opened(path)
    assert store.events(CHAIN) == []
    assert verify(store, CHAIN, read_head(path.parent / "heads", CHAIN)).first_bad == 1
    store.close()


@pytest.mark.parametrize(
    "content", [b"# not a database\n" * 100, os.urandom(5_000), b"SQLite format 3\0" + b"\xff" * 9_000]
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(content)
    assert "damaged" in refusal(path).reason
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.close()
    before = path.read_bytes()
    assert "another program" in refusal(path).reason
    assert path.read_bytes() == before


def test_a_newer_schema_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    filled(path, 2).close()
    with sqlite3.connect(path) as newer:
        newer.execute(f"PRAGMA user_version={SCHEMA + 1}")
    newer.close()
    refused = refusal(path)
    assert "made by a newer runbook" in refused.reason and "upgrade" in refused.hint


def test_the_file_says_whose_it_is_and_which_version(tmp_path: Path) -> None:
    filled(tmp_path / "state.db", 1).close()
    with sqlite3.connect(tmp_path / "state.db") as plain:
        assert plain.execute("PRAGMA application_id").fetchone() == (APPLICATION,)
        assert plain.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    plain.close()


@pytest.mark.parametrize("kind", ["folder", "pipe", "below a file", "dangling link", "NUL"])
def test_a_path_that_cannot_be_a_store_is_refused_without_waiting(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "state.db"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "below a file":
        path.write_text("x")
        path = path / "state.db"
    elif kind == "dangling link":
        path.symlink_to(tmp_path / "nowhere" / "state.db")
    else:
        path = tmp_path / "a\0b"
    began = time.monotonic()
    refusal(path)
    assert time.monotonic() - began < 2


def test_everything_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = well_used(tmp_path / "deep" / "er" / "state.db")
        made = list((tmp_path / "deep").rglob("*"))
    finally:
        os.umask(before)
    assert {file.name for file in made} >= {"state.db", "state.db-wal", "state.db-shm", "heads"}
    for file in made:
        mode = stat.S_IMODE(file.stat().st_mode)
        assert mode == (0o700 if file.is_dir() else 0o600), f"{file}: {mode:o}"
    store.close()


LOCKED = """
import sqlite3, sys
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("PRAGMA locking_mode=EXCLUSIVE")
other.execute("BEGIN EXCLUSIVE")
other.execute("CREATE TABLE IF NOT EXISTS scratch (a)") if sys.argv[2] == "write" else None
print("held", flush=True)
sys.stdin.read()
other.execute("ROLLBACK")
other.close()
"""


@pytest.mark.parametrize("fresh", [True, False])
def test_a_store_held_by_another_process_is_waited_for_and_then_refused(tmp_path: Path, fresh: bool) -> None:
    path = tmp_path / "state.db"
    if not fresh:
        filled(path, 1).close()
    argv = [sys.executable, "-c", LOCKED, str(path), "write" if fresh else "look"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        began = time.monotonic()
        assert "locked by another process for more than 0.3 s" in refusal(path, wait=0.3).reason
        assert 0.25 < time.monotonic() - began < 5
        other.communicate(b"")
    opened(path).append(CHAIN, [event(2)])


def test_a_writer_waits_for_a_writer_that_read_before(tmp_path: Path) -> None:
    """A transaction that begins by reading is refused at once when another writes meanwhile; ours never do."""
    store, other = opened(tmp_path / "state.db"), opened(tmp_path / "state.db")
    for number in range(50):
        (store, other)[number % 2].append(CHAIN, [event(number)], state=lambda body, new: b"state")
    assert [one.number for one in store.events(CHAIN)] == list(range(1, 51))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to any file")
def test_a_read_only_file_is_read_and_not_written(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    filled(path, 3).close()
    path.chmod(0o400)
    assert "cannot be written" in refusal(path).reason


def test_a_store_on_a_read_only_connection_says_that_it_cannot_be_written(tmp_path: Path) -> None:
    store = filled(tmp_path / "state.db", 3)
    store.database.write("PRAGMA query_only=ON")
    assert len(store.events(CHAIN)) == 3
    with pytest.raises(StoreAway, match="cannot be written"):
        store.append(CHAIN, [event(9)])
    store.close()


def test_registering_what_is_known_needs_no_write(tmp_path: Path) -> None:
    store = opened(tmp_path / "state.db")
    store.register(CHAIN, "checkout", "p.yaml")
    store.database.write("PRAGMA query_only=ON")
    store.register(CHAIN, "checkout", "p.yaml")
    with pytest.raises(StoreAway):
        store.register(CHAIN, "checkout", "other.yaml")
    store.close()


def test_a_file_may_change_between_the_journals(tmp_path: Path) -> None:
    """As when a project moves to a network file system and back."""
    path = tmp_path / "state.db"
    for number, journal in enumerate(("wal", "delete", "delete", "wal"), 1):
        filled(path, 0).close()
        store = SqliteStore(Database(path, 5.0, journal), MachineClock(), tmp_path / "heads")
        store.append(CHAIN, [event(number)])
        assert len(store.events(CHAIN)) == number and verify(store, CHAIN, None).ok
        assert (tmp_path / "state.db-wal").exists() == (journal == "wal")
        store.close()


MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:30 / /home rw - nfs4 server:/home rw
31 30 0:31 / /home/with\\040space rw - ext4 /dev/vdb rw
32 22 0:32 / /mnt/far rw - fuse.sshfs host: rw
33 22 0:33 / /mnt/twice rw - ext4 /dev/vdc rw
34 22 0:34 / /mnt/twice rw - cifs //host/share rw
broken line
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/var/x", "ext4"),
        ("/home/ana/.runbook/state.db", "nfs4"),
        ("/home/with space/state.db", "ext4"),
        ("/homestead/x", "ext4"),
        ("/mnt/far/x", "fuse.sshfs"),
        ("/mnt/twice/x", "cifs"),
    ],
)
def test_the_file_system_of_a_path_is_the_one_mounted_last_and_deepest(
    tmp_path: Path, path: str, expected: str
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert file_system_of(Path(path), mounts) == expected
    assert is_on_network(Path(path), mounts) == (expected != "ext4")
    assert not is_on_network(Path(path), tmp_path / "absent")
