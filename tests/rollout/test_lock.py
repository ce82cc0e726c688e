"""The lock: one at a time, who it is, what is done when it is taken over, and an epoch that only grows."""

from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path

import msgspec
import pytest

from runbook.actions.journal import TakenOver
from runbook.rollout.lock import LEASE_SECONDS, emergency_lock, kept_epoch, machine_locked_if_free, service_locked
from runbook.store.base import Busy, Holder
from runbook.store.lease_table import holder_of
from runbook.system.refusals import Exit, Refusal
from tests.rollout.site import House, make_house, open_house


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path)


def elsewhere(operator: str = "ben") -> Holder:
    """A holder on another machine, of whom nobody here can tell whether it lives."""
    return Holder(operator=operator, host="app-2", pid=7, started="11", boot="boot-x", namespace="pid:[1]")


def test_it_is_held_inside_and_free_afterwards(house: House) -> None:
    with service_locked(house.site, "op-1", "ramp") as lock:
        view = house.store.lease_of(house.site.chain)
        assert view is not None
        assert (view.live, view.lease.operation, view.lease.kind, view.lease.holder.pid) == (
            True,
            "op-1",
            "ramp",
            os.getpid(),
        )
        assert lock.epoch == view.lease.epoch
    assert house.store.lease_of(house.site.chain) is None


def test_an_error_inside_frees_it(house: House) -> None:
    with pytest.raises(ZeroDivisionError), service_locked(house.site, "op-1", "ramp"):
        raise ZeroDivisionError
    with service_locked(house.site, "op-2", "ramp"):
        pass


def test_every_holder_has_a_higher_epoch(house: House) -> None:
    epochs = []
    for number in range(4):
        with service_locked(house.site, f"op-{number}", "ramp") as lock:
            epochs.append(lock.epoch)
    with emergency_lock(house.site, "op-9", takeover=False) as lock:
        epochs.append(lock.epoch)
    assert epochs == sorted(set(epochs))


def test_without_the_store_the_epoch_is_one_above_the_highest_known(house: House) -> None:
    for number in range(3):
        with service_locked(house.site, f"op-{number}", "ramp") as lock:
            highest = lock.epoch
    away = open_house(house.folder, house.clock, store=False)
    with service_locked(away.site, "op-8", "rollback") as lock:
        assert lock.epoch == highest + 1
    with emergency_lock(away.site, "op-9", takeover=False) as lock:
        assert lock.epoch == highest + 2
    kept = house.site.state_folder / "epochs" / house.site.slug
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    for spoilt in ("", "many", "\x00"):
        kept.write_text(spoilt)
        assert kept_epoch(away.site, None) >= 1


def test_who_was_taken_over_stops_at_the_next_fence(house: House) -> None:
    with service_locked(house.site, "op-1", "ramp") as lock:
        lock.fence("step 1")
        lease = house.store.take_lease(house.site.chain, elsewhere(), "op-2", "emergency", emergency=True)
        with pytest.raises(TakenOver):
            lock.fence("step 2")
        lock.keep()  # a renewal in the middle of a step stops nothing; the fence after it tells
    view = house.store.lease_of(house.site.chain)
    assert view is not None
    assert view.lease == lease


def test_a_fence_says_what_is_done_and_keeps_the_lease_alive(house: House) -> None:
    with service_locked(house.site, "op-1", "ramp") as lock:
        for number in range(4):
            house.clock.pass_time(LEASE_SECONDS - 1)
            lock.fence(f"step {number}")
            view = house.store.lease_of(house.site.chain)
            assert view is not None
            assert (view.live, view.lease.doing) == (True, f"step {number}")


def test_a_holder_elsewhere_is_busy_and_named(house: House) -> None:
    lease = house.store.take_lease(house.site.chain, elsewhere(), "op-2", "ramp")
    house.store.renew(lease, "step 2 of 3, redeploy")
    with pytest.raises(Refusal) as refused, service_locked(house.site, "op-1", "ramp"):
        pass
    assert refused.value.exit is Exit.BUSY
    assert "ben on app-2 is at ramp of checkout · production since " in refused.value.message
    assert refused.value.message.endswith("step 2 of 3, redeploy")
    assert refused.value.next_steps == ("to wait: --wait 5m", "if it is wrong: runbook rollback --emergency")


def test_an_expired_and_a_dead_holder_are_in_nobodys_way(house: House) -> None:
    house.store.take_lease(house.site.chain, elsewhere(), "op-2", "ramp", seconds=20)
    house.clock.pass_time(21)
    with service_locked(house.site, "op-1", "ramp"):
        pass
    dead = msgspec.structs.replace(holder_of("ana"), pid=2**22 + 1, started="1")
    house.store.take_lease(house.site.chain, dead, "op-3", "ramp", seconds=3600)
    with service_locked(house.site, "op-4", "ramp"):
        pass


def test_who_waits_gets_it_when_it_comes_free(house: House) -> None:
    """Another holder on this machine works for a moment; the one who waits comes after it."""
    inside, order = threading.Event(), []

    def work() -> None:
        other = house.again()
        with service_locked(other.site, "op-1", "ramp"):
            inside.set()
            time.sleep(0.3)
            order.append("first")
        other.store.close()

    worker = threading.Thread(target=work)
    worker.start()
    assert inside.wait(10)
    with service_locked(house.site, "op-2", "ramp", wait=30.0):
        order.append("second")
    worker.join()
    assert order == ["first", "second"]


def test_without_a_store_the_machines_own_lock_is_left(house: House) -> None:
    away = open_house(house.folder, house.clock, store=False)
    with service_locked(away.site, "op-1", "rollback") as lock:
        assert lock.lease is None
        lock.fence("nobody to ask")
        second = open_house(house.folder, house.clock, store=False)
        with pytest.raises(Refusal) as refused, service_locked(second.site, "op-2", "rollback"):
            pass
        assert refused.value.exit is Exit.BUSY
        began = time.monotonic()
        with machine_locked_if_free(second.site, wait=0.2):
            assert time.monotonic() - began < 10


def test_an_emergency_outranks_all_but_another_emergency(house: House) -> None:
    house.store.take_lease(house.site.chain, elsewhere(), "op-1", "ramp")
    with emergency_lock(house.site, "op-2", takeover=False):
        pass
    house.store.take_lease(house.site.chain, elsewhere(), "op-3", "emergency", emergency=True)
    with pytest.raises(Busy), emergency_lock(house.site, "op-4", takeover=False):
        pass
    with emergency_lock(house.site, "op-5", takeover=True) as lock:
        lock.fence("taken over")
