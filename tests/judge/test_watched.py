"""How much of a bake was watched, at one interval or at paces in turn, and when the next look is due."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.judge.watched import Cadence, Pace, interval_at, next_look, watched_share

MINUTE, HOUR = 60.0, 3600.0
T = 1_700_000_000.0
CANARY: Cadence = (Pace(15 * MINUTE, 4 * HOUR), Pace(4 * HOUR))
ENDING: Cadence = (Pace(15 * MINUTE, 4 * HOUR),)
FASTER: Cadence = (Pace(4 * HOUR, 4 * HOUR), Pace(15 * MINUTE))


def hours(*times: float) -> list[float]:
    return [T + time * HOUR for time in times]


@pytest.mark.parametrize("interval", [30.0, 30, (Pace(30.0),), (Pace(30.0, 60.0),), (Pace(30.0, 60.0), Pace(30.0))])
@pytest.mark.parametrize(
    ("times", "entered", "now", "share"),
    [
        ([], 0, 300, 0.0),
        ([0], 0, 0, 1.0),
        ([0, 30, 60, 90, 120], 0, 120, 1.0),
        ([0, 31, 62, 93], 0, 120, 1.0),
        ([0, 45, 90], 0, 135, 1.0),
        ([0, 46], 0, 46, 30 / 46),
        ([0, 300], 0, 300, 0.1),
        ([30, 60], 0, 600, 0.15),
        ([-30, 0, 700], 0, 300, 0.1),
        ([0, 0, 0], 0, 60, 0.5),
    ],
)
def test_how_much_was_watched(
    times: list[float], entered: float, now: float, share: float, interval: float | Cadence
) -> None:
    assert watched_share(times, entered, now, interval) == pytest.approx(share)


def test_each_pace_counts_in_its_time() -> None:
    looks = hours(*(quarter / 4 for quarter in range(17)), 8)
    assert watched_share(looks, T, T + 8 * HOUR, CANARY) == 1.0
    # A gap of four hours is none under the second pace; under the first only a quarter of an hour of it counts.
    assert watched_share(hours(4, 8), T, T + 8 * HOUR, CANARY) == pytest.approx((0.25 + 4) / 8)
    assert watched_share(hours(4, 8), T, T + 8 * HOUR, 15 * MINUTE) == pytest.approx(0.5 / 8)


def test_late_is_measured_by_the_shorter_of_two_paces() -> None:
    # A look at 0 covers until the faster pace begins at 4 h, and by half a quarter of an hour more.
    assert watched_share(hours(0, 4.1), T, T + 4.1 * HOUR, FASTER) == 1.0
    assert watched_share(hours(0, 6), T, T + 6 * HOUR, FASTER) == pytest.approx(4 / 6)
    # A look just before the slower pace still asks for the next within a quarter of an hour.
    assert watched_share(hours(3.9, 8), T + 3.9 * HOUR, T + 8 * HOUR, CANARY) < 1.0


def test_behind_the_last_pace_only_looks_count() -> None:
    looks = hours(*(quarter / 4 for quarter in range(17)))
    assert watched_share(looks, T, T + 8 * HOUR, ENDING) == pytest.approx(4.25 / 8)
    assert watched_share([*looks, *hours(6)], T, T + 8 * HOUR, ENDING) == pytest.approx(4.5 / 8)


LOOKS = st.lists(st.floats(0, 40_000), max_size=30)


@given(LOOKS, st.floats(1, 40_000), st.sampled_from([CANARY, ENDING, FASTER]))
def test_it_is_a_share_and_all_of_it_is_exactly_one(looks: list[float], now: float, cadence: Cadence) -> None:
    assert 0 <= watched_share(looks, 0.0, now, cadence) <= 1
    assert watched_share(looks, 0.0, now, 1e9) == (1.0 if any(look <= now for look in looks) else 0.0)


@given(LOOKS, st.floats(0, 40_000), st.floats(1, 40_000))
def test_another_look_never_lessens_it(looks: list[float], another: float, now: float) -> None:
    before = watched_share(looks, 0.0, now, 15 * MINUTE)
    assert watched_share([*looks, another], 0.0, now, 15 * MINUTE) >= before - 1e-9


def test_the_interval_at_an_age() -> None:
    assert [interval_at(CANARY, hour * HOUR) for hour in (-1, 0, 3.99, 4, 100)] == [900, 900, 900, 14400, 14400]
    assert [interval_at(ENDING, hour * HOUR) for hour in (3.99, 4)] == [900, math.inf]
    assert interval_at((), 0) == math.inf


@pytest.mark.parametrize(
    ("cadence", "last", "now", "due"),
    [
        (CANARY, None, 0, 0.25),  # the first look
        (CANARY, None, 3, 0.25),  # overdue
        (CANARY, 0.1, 0.2, 0.35),
        (CANARY, -5, 0, 0.25),  # a look from before does not count
        (CANARY, 3.9, 3.95, 4.15),  # the shorter of both rules
        (CANARY, 4, 4, 8),
        (CANARY, 4.15, 5, 8.15),
        (FASTER, None, 0, 4),
        (FASTER, 1, 2, 4),  # the faster pace asks at once when it begins
        (FASTER, 3.9, 3.95, 4.15),
        (FASTER, 4, 4, 4.25),
        (ENDING, 3, 3.1, 3.25),
        (ENDING, 3, 3.9, 3.25),  # overdue
        (ENDING, 3.75, 3.8, 4),
        (ENDING, 3.9, 3.95, math.inf),  # due behind the end: not asked for
        (ENDING, 3, 4.1, math.inf),
        ((), None, 0, math.inf),
    ],
)
def test_when_the_next_look_is_due(cadence: Cadence, last: float | None, now: float, due: float) -> None:
    looked = None if last is None else T + last * HOUR
    assert next_look(cadence, T, looked, T + now * HOUR) == pytest.approx(T + due * HOUR)
