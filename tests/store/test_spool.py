"""What could not reach the store waits, and arrives exactly once."""

from __future__ import annotations

import random
import shutil
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from runbook.store.base import Chain, StoreAway
from runbook.store.chain import verify
from runbook.store.heads import chain_slug
from runbook.store.spool import Spool
from runbook.store.sqlite import SqliteStore, open_sqlite
from runbook.system.clock import MachineClock
from runbook.system.locks import file_locked
from tests.places import PROJECT
from tests.store.making import CHAIN, ODD_TEXTS, event, payloads


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


def opened(tmp_path: Path) -> SqliteStore:
    return open_sqlite(tmp_path / "state.db", clock=MachineClock(), wait=30)


def left(spool: Spool) -> set[str]:
    return {path.name for path in spool.folder.iterdir()} - {"forward.lock"}


def test_events_arrive_late_once_and_in_order(spool: Spool, tmp_path: Path) -> None:
    store, other = opened(tmp_path), Chain("a-b", "c-d")
    assert spool.forward(store) == 0 and not spool.folder.exists()
    for number in range(5):
        spool.add(CHAIN, event(number))
    spool.add(other, event(7))
    assert [one.event.payload["step"] for one in spool.waiting()] == [7, 0, 1, 2, 3, 4]
    assert spool.forward(store, state=lambda body, new: b"%d" % len(new)) == 6
    assert payloads(store) == [0, 1, 2, 3, 4]
    assert payloads(store, other) == [7]
    assert all(one.event.late for one in store.events(CHAIN))
    assert store.load_state(CHAIN) == (5, b"5")
    assert left(spool) == set() and spool.waiting() == [] and spool.forward(store) == 0
    spool.add(CHAIN, event(9))
    assert spool.forward(store) == 1
    assert payloads(store) == [0, 1, 2, 3, 4, 9]
    store.close()


def test_the_next_lease_comes_after_the_epochs_of_what_was_forwarded(spool: Spool, tmp_path: Path) -> None:
    store, other = opened(tmp_path), Chain("a-b", "c-d")
    for number, epoch in enumerate((4, 7, 5)):
        spool.add(CHAIN, msgspec.structs.replace(event(number), epoch=epoch))
    spool.add(other, msgspec.structs.replace(event(9), epoch=2))
    assert spool.forward(store) == 4
    assert (store.epoch_of(CHAIN), store.epoch_of(other)) == (7, 2)
    store.close()


def test_an_event_that_reached_the_store_by_itself_is_not_doubled(spool: Spool, tmp_path: Path) -> None:
    store, twice = opened(tmp_path), event(1)
    store.append(CHAIN, [twice])
    spool.add(CHAIN, twice)
    assert spool.forward(store) == 0
    assert len(store.events(CHAIN)) == 1 and left(spool) == set()
    store.close()


def test_a_torn_line_hides_neither_what_stands_before_nor_after(spool: Spool, tmp_path: Path) -> None:
    store, path = opened(tmp_path), spool.folder / f"{chain_slug(CHAIN)}.jsonl"
    spool.add(CHAIN, event(1))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    spool.add(CHAIN, event(2))
    with path.open("ab") as file:
        file.write(whole[:-9])
    assert spool.forward(store) == 2
    assert payloads(store) == [1, 2]
    assert left(spool) == {f"{chain_slug(CHAIN)}.unreadable"}
    store.close()


DEEP = b'{"service":"s","environment":"e","event":{"kind":"k","at":1,"payload":{"a":' + b"[" * 3_000


def test_lines_that_are_no_events_are_set_aside_and_not_thrown_away(spool: Spool, tmp_path: Path) -> None:
    spool.add(CHAIN, event(1))
    path = spool.folder / f"{chain_slug(CHAIN)}.jsonl"
    bad = [b"{}", b"\xff\xfe", b"[" * 3_000, b'{"service":1,"environment":"e","event":{}}', DEEP, b"\0"]
    with path.open("ab") as file:
        file.write(b"\n".join(bad) + b"\n")
    store = opened(tmp_path)
    assert spool.forward(store) == 1
    assert path.with_suffix(".unreadable").read_bytes().split(b"\n")[:-1] == bad
    store.close()


@pytest.mark.parametrize("text", ODD_TEXTS, ids=lambda text: ascii(text[:12]))
def test_odd_texts_arrive(spool: Spool, tmp_path: Path, text: str) -> None:
    store, chain = opened(tmp_path), Chain(f"s{text}", "e")
    spool.add(chain, event(1, text=text))
    assert spool.forward(store) == 1
    assert store.events(chain)[0].event.payload["text"] == text.encode("utf-8", "backslashreplace").decode()
    store.close()


def test_what_could_not_be_sent_keeps_waiting(spool: Spool, tmp_path: Path) -> None:
    store = opened(tmp_path)
    spool.add(CHAIN, event(1))
    store.close()
    with pytest.raises(StoreAway):
        spool.forward(store)
    assert [one.event.payload["step"] for one in spool.waiting()] == [1]
    spool.add(CHAIN, event(2))
    again = opened(tmp_path)
    assert spool.forward(again) == 2
    assert payloads(again) == [1, 2]
    again.close()


def test_only_one_forwards_at_a_time_and_adding_waits_for_nobody(spool: Spool, tmp_path: Path) -> None:
    store = opened(tmp_path)
    with file_locked(spool.folder / "forward.lock"):
        spool.add(CHAIN, event(1))
        assert spool.forward(store) == 0
    assert spool.forward(store) == 1
    store.close()


def test_the_spool_is_private(spool: Spool) -> None:
    spool.add(CHAIN, event(1))
    assert stat.S_IMODE(spool.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in spool.folder.iterdir()} == {0o600}


def test_nothing_is_lost_between_adding_and_forwarding_at_once(spool: Spool, tmp_path: Path) -> None:
    store, adders, each = opened(tmp_path), 3, 40

    def add(first: int) -> None:
        for number in range(each):
            spool.add(CHAIN, event(first * each + number))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(adders)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        spool.forward(store)
    spool.forward(store)
    assert sorted(map(str, payloads(store))) == sorted(str(number) for number in range(adders * each))
    assert left(spool) == set()
    store.close()


ADDS = """
import sys
from pathlib import Path
from runbook.store.spool import Spool
from tests.store.making import CHAIN, event
Spool(Path(sys.argv[1])).add(CHAIN, event(1))
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is absent: apt install strace")
def test_an_event_written_into_a_file_that_was_just_sent_is_added_again(spool: Spool, tmp_path: Path) -> None:
    """The one who adds is held up between opening the file and writing to it, while the file is sent and removed."""
    store, path = opened(tmp_path), spool.folder / f"{chain_slug(CHAIN)}.jsonl"
    hold_up = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-P",
        str(path),
        "-e",
        "inject=write:delay_enter=700000:when=1",
    ]
    with subprocess.Popen([*hold_up, sys.executable, "-c", ADDS, str(spool.folder)], cwd=PROJECT) as adder:
        while not path.exists() and adder.poll() is None:
            pass
        assert adder.poll() is None
        spool.forward(store)
        assert not path.exists() and left(spool) == set()
    assert adder.returncode == 0
    assert spool.forward(store) == 1
    assert payloads(store) == [1]
    store.close()


FORWARDS = """
import sys
from pathlib import Path
from runbook.store.spool import Spool
from runbook.store.sqlite import open_sqlite
from runbook.system.clock import MachineClock
root = Path(sys.argv[1])
store = open_sqlite(root / "state.db", clock=MachineClock(), wait=30)
print("ready", flush=True)
while True:
    Spool(root / "spool").forward(store)
"""


def test_exactly_once_though_the_forwarding_is_killed_again_and_again(spool: Spool, tmp_path: Path) -> None:
    pick, kills, added = random.Random(3), 12, 0
    argv = [sys.executable, "-c", FORWARDS, str(tmp_path)]
    for _ in range(kills):
        processes = [subprocess.Popen(argv, cwd=PROJECT, stdout=subprocess.PIPE) for _ in range(2)]
        for process in processes:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        for _ in range(pick.randrange(5, 30)):
            added += 1
            spool.add(CHAIN, event(added))
        for process in processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
    store = opened(tmp_path)
    spool.forward(store)
    assert sorted(map(str, payloads(store))) == sorted(map(str, range(1, added + 1)))
    assert left(spool) == set()
    assert verify(store, CHAIN, None).ok
    store.close()
