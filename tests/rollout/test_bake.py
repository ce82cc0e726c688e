"""The bake counts real time: no jump of the wall clock, no change of zone, no sleep shortens it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.playbook.model import Bake
from runbook.rollout.bake import PROTECTED_SHARE, bake_standing, elapsed_since
from runbook.store.state import Position
from tests.clocks import START, SetClock

HOUR, DAY, YEAR = 3600.0, 86_400.0, 365 * 86_400.0
BAKE = Bake(at_least=HOUR, recommended=2 * HOUR)


def entered(clock: SetClock) -> Position:
    return Position(stage="canary", percent=5.0, since=clock.wall(), boot=clock.boot_id(), boot_time=clock.boot_time())


@pytest.fixture
def zone() -> Iterator[None]:
    yield
    os.environ.pop("TZ", None)
    time.tzset()


@pytest.mark.parametrize("jump", [HOUR, -HOUR, DAY, -DAY, 10 * YEAR, -10 * YEAR, -START])
def test_within_one_boot_no_jump_of_the_wall_clock_counts(jump: float) -> None:
    clock = SetClock()
    position = entered(clock)
    clock.pass_time(600)
    clock.now += jump
    standing = bake_standing(BAKE, position, clock)
    assert (standing.elapsed, standing.left, standing.over) == (600.0, HOUR - 600, False)
    assert standing.ends_at == clock.wall() + HOUR - 600
    clock.pass_time(HOUR - 600)
    assert bake_standing(BAKE, position, clock).over


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)])
def test_the_change_of_summer_time_neither_shortens_nor_lengthens(day: datetime, zone: None) -> None:
    os.environ["TZ"] = "Europe/London"
    time.tzset()
    clock = SetClock(wall=day.timestamp())
    position = entered(clock)
    for _ in range(59):
        clock.pass_time(60)
        assert not bake_standing(BAKE, position, clock).over
    clock.pass_time(60)
    assert bake_standing(BAKE, position, clock).over


def test_time_asleep_counts_as_time() -> None:
    clock = SetClock()
    position = entered(clock)
    clock.pass_time(HOUR)  # the boot-time clock goes on while the machine sleeps
    assert bake_standing(BAKE, position, clock).over


def test_over_a_reboot_the_wall_clock_counts_and_set_back_it_lengthens() -> None:
    clock = SetClock()
    position = entered(clock)
    clock.pass_time(1800)
    clock.reboot()
    assert elapsed_since(position, clock) == 1800
    clock.now -= DAY
    assert elapsed_since(position, clock) == 0
    assert bake_standing(BAKE, position, clock).left == HOUR


def test_a_boot_clock_of_another_boot_says_nothing() -> None:
    clock = SetClock(up=5.0)
    position = entered(clock)
    clock.now += 60
    clock.up, clock.boot = 9_000_000.0, "boot-b"
    assert elapsed_since(position, clock) == 60


def test_a_position_without_a_boot_counts_by_the_wall() -> None:
    clock = SetClock()
    position = Position(stage="off", percent=0.0, since=clock.wall())
    clock.pass_time(90)
    assert elapsed_since(position, clock) == 90


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(-1e9, 1e9)), max_size=20))
def test_whatever_the_wall_clock_does_the_bake_is_the_time_that_passed(steps: list[tuple[float, float]]) -> None:
    clock = SetClock(up=0.0)
    position = entered(clock)
    passed = 0.0
    for seconds, jump in steps:
        clock.pass_time(seconds)
        clock.now += jump
        passed += seconds
        assert elapsed_since(position, clock) == pytest.approx(passed)


def test_a_sandbox_shortens_what_is_asked_and_recommended() -> None:
    clock = SetClock()
    position = entered(clock)
    clock.pass_time(4)
    standing = bake_standing(BAKE, position, clock, scale=0.001)
    assert standing.asked == pytest.approx(3.6)
    assert standing.over
    assert standing.recommended_until == pytest.approx(clock.wall() + 3.2)


def test_without_a_bake_it_is_over_at_once() -> None:
    clock = SetClock()
    standing = bake_standing(None, entered(clock), clock)
    assert (standing.asked, standing.over, standing.share, standing.recommended_until) == (0.0, True, 1.0, None)


def test_how_much_of_it_has_passed() -> None:
    clock = SetClock()
    position = entered(clock)
    clock.pass_time(900)
    assert bake_standing(BAKE, position, clock).share == 0.25
    clock.pass_time(DAY)
    assert bake_standing(BAKE, position, clock).share == 1.0


@pytest.mark.parametrize(
    ("bake", "protected", "asked"),
    [
        (Bake(at_least=HOUR), False, None),
        (Bake(at_least=HOUR), True, PROTECTED_SHARE),
        (Bake(at_least=HOUR, sampled=0.9), False, 0.9),
        (Bake(at_least=HOUR, sampled=0.5), True, 0.5),
        (None, True, None),
    ],
)
def test_which_share_has_to_be_watched(bake: Bake | None, protected: bool, asked: float | None) -> None:
    clock = SetClock()
    assert bake_standing(bake, entered(clock), clock, protected=protected).sampled_asked == asked
