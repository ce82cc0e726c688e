"""The bake counts real time: no jump of the wall clock, no change of zone, no sleep shortens it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.judge.facts import Facts
from runbook.judge.watched import Pace
from runbook.playbook.model import Bake
from runbook.rollout.bake import PROTECTED_SHARE, bake_standing, elapsed_since
from runbook.rollout.bake_rows import bake_of, bake_rows, cadence_of, look_every, next_look_due, watched_of
from runbook.rollout.facts import facts_of
from runbook.store.base import SampleRow
from runbook.store.state import Position
from tests.clocks import START, SetClock
from tests.rollout.site import PLAYBOOK, STAGES, House, make_house

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


# -- which bake it is, and how often somebody is to look -------------------------------------------

LADDER = STAGES.replace("    bake: 1h\n", "    bake: 1h\n    cadence: [{for: 4h, every: 15m}, {every: 4h}]\n").replace(
    "rollback: {set: safe,", "rollback: {set: safe, partial: {ladder: [50, 25, 10], bake: 2h},"
)


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = make_house(tmp_path, PLAYBOOK + LADDER)
    house.stand_at("canary@10")
    return house


def enter(house: House, stage: str, percent: float, how: str) -> None:
    told = {"stage": stage, "percent": percent, "how": how, "boot": house.clock.boot_id()}
    house.site.record(house.site.event("position.entered", {**told, "boot_time": house.clock.boot_time()}, epoch=2))


@pytest.mark.parametrize(
    ("stage", "percent", "how", "asked"),
    [
        ("canary", 10.0, "ramp", HOUR),
        ("full", 50.0, "ramp", DAY),
        ("full", 50.0, "partial", 2 * HOUR),  # a partial way back has a bake of its own
        ("full", 25.0, "partial", 2 * HOUR),
        ("full", 25.0, "fallback", DAY),  # off the ladder the stage's
        ("canary", 5.0, "previous", HOUR),
        ("off", 0.0, "emergency", 0.0),
    ],
)
def test_which_bake_is_asked_where_we_are(house: House, stage: str, percent: float, how: str, asked: float) -> None:
    enter(house, stage, percent, how)
    bake = bake_of(house.site, house.standing())
    assert bake is not None and bake.asked == asked


def test_off_the_ladder_of_a_stage_whose_rungs_have_each_a_bake_it_is_that_of_the_next_one(tmp_path: Path) -> None:
    text = LADDER.replace("percent: [50, 100], set: {LIMIT: 9}, bake: 24h", "percent: [{to: 50, bake: 3h}, {to: 100}]")
    house = make_house(tmp_path, PLAYBOOK + text)
    house.stand_at("full@50")
    for percent, asked in ((25.0, 3 * HOUR), (75.0, 0.0)):
        enter(house, "full", percent, "fallback")
        bake = bake_of(house.site, house.standing())
        assert bake is not None and bake.asked == asked


def test_a_new_build_begins_the_bake_again(house: House) -> None:
    house.clock.pass_time(HOUR)
    told = {"version": "2", "before": "1", "boot": house.clock.boot_id(), "boot_time": house.clock.boot_time()}
    house.site.record(house.site.event("bake.restarted", told, epoch=2))
    house.clock.pass_time(600)
    bake = bake_of(house.site, house.standing())
    assert bake is not None and bake.elapsed == 600


def looked(house: House, *minutes: float) -> Facts:
    """Looks so many minutes after the step was entered; then it is the time of the last."""
    began = house.clock.wall()
    rows = [SampleRow(metric="error_rate", t=began + minute * 60, value=0.01) for minute in minutes]
    house.store.keep_samples(house.site.chain, rows)
    house.clock.pass_time(minutes[-1] * 60)
    return facts_of(house.site, house.standing(), None)


def sampled(house: House, facts: Facts) -> str:
    bake = bake_of(house.site, house.standing())
    assert bake is not None
    return {row.id: row.observed for row in bake_rows(house.site, bake, facts)}["sampled"]


def test_the_share_is_counted_against_the_cadence_of_the_stage(house: House) -> None:
    facts = looked(house, *range(0, 61, 15))
    assert watched_of(house.site, facts) == 1.0
    assert sampled(house, facts) == "100% (a look every 15 m)"
    assert look_every(house.site, facts) == 900
    assert next_look_due(house.site, house.standing(), facts) == facts.now + 900


def test_without_a_cadence_the_intervals_of_the_metrics_count(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    house.stand_at("canary@10")
    facts = looked(house, *range(0, 61, 15))
    share = watched_of(house.site, facts)
    assert share is not None and share < 0.1
    assert sampled(house, facts) == f"{share:.0%}"
    assert (look_every(house.site, facts), next_look_due(house.site, house.standing(), facts)) == (None, None)


def test_the_pace_changes_as_time_goes_by(house: House) -> None:
    facts = looked(house, *range(0, 241, 15), 480)
    assert look_every(house.site, facts) == 4 * HOUR
    assert next_look_due(house.site, house.standing(), facts) == facts.now + 4 * HOUR
    assert watched_of(house.site, facts) == 1.0


def test_a_look_that_nobody_took_is_overdue(house: House) -> None:
    house.clock.pass_time(2 * HOUR)
    facts = facts_of(house.site, house.standing(), None)
    assert next_look_due(house.site, house.standing(), facts) == facts.now - 2 * HOUR + 900


def test_in_a_sandbox_a_look_is_expected_no_sooner_than_a_service_can_answer(house: House) -> None:
    house.site.environment = msgspec.structs.replace(house.site.environment, sandbox=True, bake_scale=0.001)
    facts = facts_of(house.site, house.standing(), None)
    assert cadence_of(house.site, facts) == (Pace(2.5, 14.4), Pace(14.4, None))


def test_before_the_first_step_nobody_is_expected(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK + LADDER)
    facts = facts_of(house.site, house.standing(), None)
    assert next_look_due(house.site, house.standing(), facts) is None
    assert bake_of(house.site, house.standing()) is None


def test_a_bake_that_is_over_counts_as_it_was_when_it_ended(tmp_path: Path) -> None:
    """Watched all night and decided in the morning; or not watched at night, and then for as long as it asks."""
    house = make_house(tmp_path, PLAYBOOK + STAGES.replace("bake: 1h", "bake: {for: 1h, sampled: 80%}"))
    house.stand_at("canary@10")
    assert sampled(house, looked(house, *range(61), 300)) == "100%"
    late = make_house(tmp_path / "late", PLAYBOOK + STAGES.replace("bake: 1h", "bake: {for: 1h, sampled: 80%}"))
    late.stand_at("canary@10")
    assert sampled(late, looked(late, *range(300, 330))) == "50%"
    assert sampled(late, looked(late, *range(1, 32))) == "100%"


def test_a_share_that_is_not_enough_is_not_rounded_up_to_it(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK + STAGES.replace("bake: 1h", "bake: {for: 500m, sampled: 80%}"))
    house.stand_at("canary@10")
    facts = looked(house, *range(398), 500)  # nobody looked for 103 of 500 minutes, of which one is an interval
    share = watched_of(house.site, facts)
    assert share is not None and 0.795 < share < 0.8
    assert sampled(house, facts) == "79%"
