"""One operator at a time: who gets a lease, who loses it, and that two processes never both have it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from runbook.store.base import Busy, Holder, Lease, StaleEpoch
from runbook.store.lease_table import is_gone
from runbook.store.sqlite import SqliteStore, open_sqlite
from runbook.system.clock import MachineClock
from tests.clocks import SetClock
from tests.places import PROJECT
from tests.store.making import CHAIN, myself, somebody_else


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def store(tmp_path: Path, clock: SetClock) -> Iterator[SqliteStore]:
    opened = open_sqlite(tmp_path / "state.db", clock=clock)
    yield opened
    opened.close()


def state_of(store: SqliteStore) -> str | None:
    view = store.lease_of(CHAIN)
    return None if view is None else view.state


def take(store: SqliteStore, holder: Holder, **how: bool) -> Lease:
    return store.take_lease(CHAIN, holder, f"op-{holder.operator}", "ramp", seconds=20, **how)


def test_a_lease_tells_who_does_what_since_when(store: SqliteStore, clock: SetClock) -> None:
    lease = take(store, myself())
    clock.up += 5
    store.renew(lease, "waiting for verify", seconds=12)
    view = store.lease_of(CHAIN)
    assert view is not None and view.live and view.expires_in == 12
    assert view.lease == msgspec.structs.replace(lease, doing="waiting for verify")
    assert (lease.epoch, lease.since, lease.operation, lease.kind) == (1, clock.now, "op-ana", "ramp")


def test_the_epoch_grows_each_time_and_never_falls(store: SqliteStore) -> None:
    epochs = []
    for _ in range(4):
        lease = take(store, myself())
        epochs.append(lease.epoch)
        store.release(lease)
    assert epochs == [1, 2, 3, 4]
    assert state_of(store) is None
    store.raise_epoch(CHAIN, 9)
    store.raise_epoch(CHAIN, 7)
    assert store.epoch_of(CHAIN) == 9
    assert take(store, myself()).epoch == 10


def test_a_raised_epoch_makes_the_lease_before_it_stale(store: SqliteStore) -> None:
    lease = take(store, myself())
    store.raise_epoch(CHAIN, 5)
    with pytest.raises(StaleEpoch) as refused:
        store.renew(lease, "x")
    assert (refused.value.held, refused.value.current) == (1, 5)


def test_an_expired_lease_is_free_and_its_holder_is_refused(store: SqliteStore, clock: SetClock) -> None:
    theirs = take(store, somebody_else())
    clock.up += 19.9
    with pytest.raises(Busy):
        take(store, myself())
    clock.up += 0.2
    assert state_of(store) == "expired"
    assert store.renew(theirs, "nobody came").epoch == 1, "late, and nobody had taken it"
    clock.up += 20.1
    assert take(store, myself()).epoch == 2
    with pytest.raises(StaleEpoch):
        store.renew(theirs, "still here")
    store.release(theirs)
    assert state_of(store) == "live", "a stale holder cannot give away what is not theirs"


def test_a_jump_of_the_wall_clock_ends_no_lease_and_prolongs_none(store: SqliteStore, clock: SetClock) -> None:
    take(store, somebody_else())
    for jump in (-3_600, 3_600, 10 * 365 * 86_400, -clock.now):
        clock.now += jump
        assert state_of(store) == "live"
    clock.up += 21
    assert state_of(store) == "expired"


def test_a_lease_from_before_a_reboot_is_free_at_once(store: SqliteStore, clock: SetClock) -> None:
    take(store, myself())
    clock.boot, clock.up = "boot-b", 3.0
    assert state_of(store) == "dead"
    assert take(store, somebody_else()).epoch == 2


def test_a_lease_of_another_machine_ends_by_the_wall_clock(store: SqliteStore, clock: SetClock) -> None:
    take(store, somebody_else())
    with store.database.writing():
        store.database.write("UPDATE leases SET machine = 'app-2', clock = 'boot-b'")
    clock.up = 999_999.0
    assert state_of(store) == "live"
    clock.now += 21
    assert state_of(store) == "expired"


def test_the_holders_own_lease_is_taken_again(store: SqliteStore) -> None:
    first = take(store, myself())
    assert take(store, myself()).epoch == 2
    with pytest.raises(StaleEpoch):
        store.renew(first, "x")


@pytest.mark.parametrize(
    ("standing", "asking", "taken"),
    [
        ({}, {}, False),
        ({}, {"emergency": True}, True),
        ({}, {"takeover": True}, True),
        ({"emergency": True}, {}, False),
        ({"emergency": True}, {"emergency": True}, False),
        ({"emergency": True}, {"emergency": True, "takeover": True}, True),
        ({"emergency": True}, {"takeover": True}, True),
    ],
)
def test_who_takes_over_whom(
    store: SqliteStore, standing: dict[str, bool], asking: dict[str, bool], taken: bool
) -> None:
    take(store, somebody_else(), **standing)
    if taken:
        lease = take(store, myself(), **asking)
        assert (lease.epoch, lease.emergency) == (2, asking.get("emergency", False))
    else:
        with pytest.raises(Busy):
            take(store, myself(), **asking)
        assert store.epoch_of(CHAIN) == 1


def test_a_process_is_told_from_a_later_one_with_its_number() -> None:
    mine = myself()
    assert not is_gone(mine)
    assert is_gone(msgspec.structs.replace(mine, started=str(int(mine.started) - 1)))
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    assert is_gone(msgspec.structs.replace(mine, pid=gone.pid))
    assert not is_gone(msgspec.structs.replace(mine, pid=gone.pid, boot="another")), "nobody can tell from here"
    assert not is_gone(msgspec.structs.replace(mine, pid=gone.pid, namespace="pid:[1]"))


HOLDS = """
import sys
from pathlib import Path
from runbook.store.sqlite import open_sqlite
from runbook.system.clock import MachineClock
from tests.store.making import CHAIN, myself
store = open_sqlite(Path(sys.argv[1]), clock=MachineClock())
store.take_lease(CHAIN, myself(), "op-1", "ramp", seconds=3600)
print("held", flush=True)
sys.stdin.read()
"""


def test_the_lease_of_a_killed_process_is_free_at_once(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = open_sqlite(path, clock=MachineClock())
    for round_ in range(3):
        argv = [sys.executable, "-c", HOLDS, str(path)]
        other = subprocess.Popen(argv, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert other.stdin is not None and other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert state_of(store) == "live"
        with pytest.raises(Busy):
            take(store, myself())
        other.send_signal(signal.SIGSTOP)
        assert state_of(store) == "live", "it may wake up"
        other.kill()
        # It is not reaped yet: a process that has ended holds nothing, even while its parent has not looked.
        deadline = time.monotonic() + 10
        while state_of(store) == "live" and time.monotonic() < deadline:
            pass
        assert state_of(store) == "dead"
        lease = take(store, myself())
        assert lease.epoch == 2 * round_ + 2
        store.release(lease)
        other.wait()
        other.stdin.close()
        other.stdout.close()
    store.close()


CONTENDS = """
import os, sys
from pathlib import Path
from runbook.store.base import Busy, StaleEpoch
from runbook.store.sqlite import open_sqlite
from runbook.system.clock import MachineClock
from tests.store.making import CHAIN, myself
path, rounds = Path(sys.argv[1]), int(sys.argv[2])
store, me, won = open_sqlite(path, clock=MachineClock(), wait=30), myself(), 0
while won < rounds:
    try:
        lease = store.take_lease(CHAIN, me, "op", "ramp")
    except Busy:
        continue
    # Alone: a second holder would find the mark there.
    os.close(os.open(path.with_name("mark"), os.O_CREAT | os.O_EXCL))
    path.with_name("mark").unlink()
    store.release(lease)
    won += 1
"""


def test_two_processes_never_hold_it_at_once(tmp_path: Path) -> None:
    path, processes, rounds = tmp_path / "state.db", 2, 60
    argv = [sys.executable, "-c", CONTENDS, str(path), str(rounds)]
    running = [subprocess.Popen(argv, cwd=PROJECT) for _ in range(processes)]
    assert [one.wait() for one in running] == [0] * processes
    store = open_sqlite(path, clock=MachineClock())
    assert store.epoch_of(CHAIN) == processes * rounds, "every win had a number of its own"
    store.close()
