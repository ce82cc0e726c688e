"""The clocks: one that people read, one that waiting is counted by."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runbook.system.clock import MachineClock, local_clock, local_day_and_clock, microseconds, rfc3339, utc
from tests.places import PROJECT

MOMENT = datetime(2026, 10, 25, 14, 10, 7, 250_000, tzinfo=UTC).timestamp()


@pytest.fixture
def in_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    yield monkeypatch
    monkeypatch.undo()
    time.tzset()


def test_the_machines_clocks() -> None:
    clock = MachineClock()
    before = time.time()
    assert before <= clock.wall() <= time.time()
    first = clock.boot_time()
    assert 0 < first <= clock.boot_time()
    assert clock.boot_id() == MachineClock().boot_id()
    assert clock.boot_id()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the boot time comes from another clock")
def test_the_boot_time_counts_sleep_as_the_kernel_does() -> None:
    clock, kernel = MachineClock().boot_time(), time.clock_gettime(time.CLOCK_BOOTTIME)
    assert abs(clock - kernel) < 1.0


@pytest.mark.needs("faketime")
def test_a_faked_wall_clock_does_not_reach_the_boot_time() -> None:
    code = "from runbook.system.clock import MachineClock as C; c = C(); print(c.wall(), c.boot_time())"
    argv = ["faketime", "-f", "+10y", sys.executable, "-c", code]
    done = subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=True)
    wall, up = map(float, done.stdout.split())
    assert wall > time.time() + 9 * 365 * 86_400
    assert abs(up - MachineClock().boot_time()) < 120


def test_times_are_stored_in_utc_and_in_microseconds() -> None:
    assert rfc3339(MOMENT) == "2026-10-25T14:10:07.250Z"
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"
    assert microseconds(MOMENT) == 1_792_937_407_250_000
    assert utc(MOMENT).tzinfo is UTC


@pytest.mark.parametrize(
    ("zone", "shown"), [("UTC", "14:10:07"), ("Europe/Berlin", "15:10:07"), ("Asia/Kolkata", "19:40:07")]
)
def test_times_are_shown_in_the_operators_zone(zone: str, shown: str, in_zone: pytest.MonkeyPatch) -> None:
    in_zone.setenv("TZ", zone)
    time.tzset()
    assert local_clock(MOMENT) == shown


def test_a_day_is_named_when_it_is_not_today(in_zone: pytest.MonkeyPatch) -> None:
    in_zone.setenv("TZ", "UTC")
    time.tzset()
    day = 86_400
    assert local_day_and_clock(MOMENT, MOMENT + 3600) == "14:10"
    assert local_day_and_clock(MOMENT + day, MOMENT) == "Mon 14:10"
    assert local_day_and_clock(MOMENT - day, MOMENT) == "Sat 14:10"
    assert local_day_and_clock(MOMENT + 7 * day, MOMENT) == "2026-11-01 14:10"
    assert local_day_and_clock(MOMENT - 30 * day, MOMENT) == "2026-09-25 14:10"


@pytest.mark.skipif(not Path("/proc/uptime").exists(), reason="there is no /proc here")
def test_a_boot_has_an_id_of_its_own() -> None:
    assert re.fullmatch(r"[0-9a-f-]{36}", MachineClock().boot_id())
