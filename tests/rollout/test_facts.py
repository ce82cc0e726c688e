"""What the judge is told: references of this rollout, and the requests that a sample rests on."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.judge.facts import Facts, Sample, Series
from runbook.judge.gates import judge_gate
from runbook.judge.verdicts import Judged, Truth
from runbook.language.conditions import parse_condition
from runbook.rollout.facts import facts_of
from runbook.rollout.references import counts_now, numbers_of, of_this_journey, references_of, usable
from runbook.rollout.requests import resting_on
from runbook.store.base import SampleRow
from runbook.store.events import Event
from runbook.store.state import Captured, Position, State
from tests.rollout.site import PLAYBOOK, STAGES, House, make_house

NUMBERS = {"error_rate": (0.01, 20, 0.002)}


def captured(rollout: int | None, rollouts: int = 0, stage: str = "off") -> Captured:
    return Captured(at=1.0, who="ana", stage=stage, percent=0.0, numbers=NUMBERS, rollout=rollout, rollouts=rollouts)


@pytest.mark.parametrize(
    ("rollout", "rollouts", "now", "begun", "counts"),
    [
        (None, 0, None, 0, True),  # before the first
        (None, 0, 1, 1, True),  # the first began since
        (None, 0, None, 1, False),  # and ended
        (None, 0, 2, 2, False),
        (1, 1, 1, 1, True),
        (1, 1, None, 1, False),
        (1, 1, 2, 2, False),
        (None, 1, 2, 2, True),
    ],
)
def test_a_baseline_counts_in_its_own_rollout(
    rollout: int | None, rollouts: int, now: int | None, begun: int, counts: bool
) -> None:
    state = State(baseline=captured(rollout, rollouts), rollout=now, rollouts=begun)
    assert of_this_journey(state, captured(rollout, rollouts)) is counts
    assert ("baseline" in references_of(state)) is counts


@pytest.mark.parametrize("one", [captured(1, 1), captured(None, 0)])
def test_after_a_way_back_the_numbers_of_before_tell_whether_it_has_recovered(one: Captured) -> None:
    safe = Position(stage="off", percent=0, since=9.0, how="emergency")
    state = State(baseline=one, position=safe, rollout=None, rollouts=1)
    assert counts_now(state, one)
    state.recovered = 20.0
    assert not counts_now(state, one)
    state.recovered, state.rollouts = None, 2  # another rollout came and went
    assert not counts_now(state, one)
    state.rollout, state.rollouts = 2, 2
    assert not counts_now(state, one)
    by_ramp = Position(stage="off", percent=0, since=9.0, how="ramp")
    assert not counts_now(State(baseline=one, position=by_ramp, rollouts=1), one)


def test_references_are_the_baseline_and_the_stages_that_were_left() -> None:
    state = State(rollout=1, rollouts=1, baseline=captured(1, 1), stages={"canary": captured(1, 1, "canary")})
    found = references_of(state)
    assert set(found) == {"baseline", "canary"}
    reference = found["canary"]["error_rate"]
    assert (reference.mean, reference.n, reference.spread) == NUMBERS["error_rate"]


# -- conditions on them, over a real store ---------------------------------------------------------


def judged(house: House, condition: str) -> Judged:
    return judge_gate(parse_condition(condition), now(house))


def now(house: House) -> Facts:
    house.site.forget_state()
    return facts_of(house.site, house.standing(), None)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """At canary@10 of the first rollout, with twenty good minutes; the baseline was 1 %, of twenty samples."""
    house = make_house(tmp_path)
    house.site.record(baseline_event(house, 0.01))
    house.stand_at("canary@10")
    see(house, "error_rate", *[0.01] * 20)
    return house


def baseline_event(house: House, mean: float) -> Event:
    told = {"stage": "off", "percent": 0.0, "numbers": {"error_rate": [mean, 20, 0.002]}, "how": "person"}
    return house.site.event("baseline.captured", told)


def see(house: House, metric: str, *values: float | None, every: float = 60.0) -> None:
    for value in values:
        house.clock.pass_time(every)
        house.store.keep_samples(house.site.chain, [SampleRow(metric=metric, t=house.clock.wall(), value=value)])


@pytest.mark.parametrize(
    ("condition", "truth"),
    [
        ("error_rate increase < 30%", Truth.TRUE),
        ("error_rate <= error_rate@baseline * 1.1", Truth.TRUE),
        ("error_rate < error_rate@baseline", Truth.FALSE),
        ("treated(error_rate) < 2%", Truth.TRUE),
        ("error_rate < error_rate@full", Truth.UNKNOWN),  # a stage that was not left
        ("error_rate increase < 30% vs canary", Truth.UNKNOWN),
    ],
)
def test_conditions_are_judged_against_what_was_captured(house: House, condition: str, truth: Truth) -> None:
    assert judged(house, condition).truth is truth


def test_a_stage_that_was_left_can_be_named(house: House) -> None:
    told = {"stage": "canary", "percent": 10.0, "numbers": {"error_rate": [0.02, 30, 0.001]}}
    house.site.record(house.site.event("bake.passed", told))
    assert judged(house, "error_rate < error_rate@canary").truth is Truth.TRUE


def test_without_a_baseline_nothing_is_known(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    house.stand_at("canary@10")
    see(house, "error_rate", 0.01)
    answer = judged(house, "error_rate increase < 30%")
    assert answer.truth is Truth.UNKNOWN and "no baseline of error_rate was captured" in answer.message


def test_the_baseline_of_another_rollout_is_none(house: House) -> None:
    house.site.record(house.site.event("rollout.ended", {"why": "stable"}))
    house.site.forget_state()
    house.site.record(house.site.event("rollout.started", {"number": 2}))
    assert judged(house, "error_rate increase < 30%").truth is Truth.UNKNOWN


def test_an_increase_against_a_baseline_of_nothing_has_no_meaning(house: House) -> None:
    house.site.record(baseline_event(house, 0.0))
    answer = judged(house, "error_rate increase < 30%")
    assert answer.truth is Truth.UNKNOWN and "is 0" in answer.message
    assert judged(house, "treated(error_rate) < 11%").truth is Truth.TRUE
    assert judged(house, "error_rate <= error_rate@baseline").truth is Truth.FALSE


# -- numbers of samples ----------------------------------------------------------------------------


def series(*values: float | str | bool | None, unit: str | None = "ratio", interval: float = 30.0) -> Series:
    return Series(unit, tuple(Sample(float(at), value) for at, value in enumerate(values)), interval)


def test_only_what_can_be_judged_is_counted() -> None:
    mixed = series(0.1, None, 0.3, 15.0, "a", True, float("nan"), float("inf"))
    assert usable(mixed, 0.0) == [0.1, 0.3]
    assert usable(mixed, 1.0) == [0.3]
    failed = Series("ratio", (Sample(0.0, None, "refused"), Sample(1.0, 0.2, "stale")))
    assert usable(failed, 0.0) == []
    found = numbers_of({"a": mixed, "b": failed, "c": series(3.0, unit="ms")}, 0.0)
    assert list(found["a"]) == [pytest.approx(0.2), 2, pytest.approx(0.1414, abs=1e-4)]
    assert found["c"] == (3.0, 1, 0.0)
    assert "b" not in found


# -- requests --------------------------------------------------------------------------------------


def behind(share: Series, counting: Series, *, grows: bool = True, entered: float | None = 0.0) -> list[int | None]:
    return [sample.n for sample in resting_on(share, counting, grows=grows, entered=entered).samples]


def at(*pairs: tuple[float, float | None], interval: float = 30.0) -> Series:
    return Series("count", tuple(Sample(time, value) for time, value in pairs), interval)


SHARE = at((0, 0.1), (30, 0.1), (60, 0.1))


def test_a_counter_gives_each_sample_what_was_added_since_the_one_before() -> None:
    assert behind(SHARE, at((0, 500), (30, 620), (60, 800))) == [0, 120, 180]


def test_what_was_added_before_the_rung_was_entered_is_not_told_to_the_bake() -> None:
    share = at((-30, 0.1), (10, 0.1), (40, 0.1))
    assert behind(share, at((-60, 100), (-30, 200), (10, 900), (40, 950))) == [100, 0, 50]


def test_a_counter_that_falls_was_reset_and_starts_anew() -> None:
    assert behind(SHARE, at((0, 48_000), (30, 120), (60, 130))) == [0, 120, 10]
    assert behind(at((10, 0.1)), at((-30, 48_000), (10, 120))) == [120]  # by the deploy that entered the rung


def test_the_newest_sample_of_an_idle_minute_stands_for_what_came_before() -> None:
    assert behind(SHARE, at((0, 500), (30, 620), (60, 620))) == [0, 120, 1]
    assert behind(SHARE, at((0, 500), (30, 500), (60, 500))) == [0, 0, 0]  # nobody asked at all


def test_both_come_from_one_look_though_not_at_the_same_millisecond() -> None:
    assert behind(SHARE, at((0.004, 500), (30.003, 620), (60.004, 800))) == [0, 120, 180]
    quick = at((0, 0.1), (0.2, 0.1), interval=0.2)
    assert behind(quick, at((0.01, 5), (0.21, 9), interval=0.2)) == [0, 4]


def test_a_sample_that_cannot_be_judged_leaves_its_requests_to_the_next() -> None:
    share = at((0, 0.1), (30, None), (60, 0.1))
    assert behind(share, at((0, 500), (30, 620), (60, 800))) == [0, None, 300]
    assert behind(SHARE, at((0, 500), (30, None), (60, 800))) == [0, 0, 300]


def test_a_gauge_tells_it_as_it_is() -> None:
    assert behind(SHARE, at((0, 500), (30, 20), (60, -4)), grows=False) == [500, 20, 0]
    assert behind(SHARE, at((40, 500)), grows=False) == [None, None, 500]


def test_where_nothing_counts_nothing_is_known() -> None:
    assert behind(SHARE, at()) == [None, None, None]
    assert behind(SHARE, at((0, None))) == [None, None, None]


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=50))
def test_all_samples_together_rest_on_what_was_added(added: list[int]) -> None:
    total, counts = 0, []
    for one in added:
        total += one
        counts.append(total)
    share = at(*((30.0 * i, 0.1) for i in range(len(added))))
    found = behind(share, at(*((30.0 * i, float(count)) for i, count in enumerate(counts))))
    idle = 1 if added[-1] == 0 and sum(added[1:]) > 0 and len(added) > 1 else 0
    assert sum(n or 0 for n in found) == sum(added[1:]) + idle


def test_agreement_with_the_percentage_rests_on_the_requests(tmp_path: Path) -> None:
    counted = STAGES.replace(
        "stages:",
        "  share: {file: numbers.json, jq: .share, unit: ratio, n: requests}\n"
        "  requests: {file: numbers.json, jq: .requests, unit: count, is: counter}\nstages:",
        1,
    )
    house = make_house(tmp_path, PLAYBOOK + counted)
    house.stand_at("canary@10")
    for requests in (1000, 2000, 3000, 4000, 5800):
        house.clock.pass_time(60)
        rows = [("share", 0.097), ("requests", float(requests))]
        house.store.keep_samples(
            house.site.chain, [SampleRow(metric=name, t=house.clock.wall(), value=value) for name, value in rows]
        )
    answer = judged(house, "share matches percent")
    assert (answer.truth, answer.n) == (Truth.TRUE, 4800)
    assert "bake 9.7 % (8.7..10.9)" in answer.observed
    many = [SampleRow(metric="requests", t=house.clock.wall() + 1, value=90_000.0)]
    house.clock.pass_time(1)
    house.store.keep_samples(house.site.chain, [*many, SampleRow(metric="share", t=house.clock.wall(), value=0.097)])
    assert judged(house, "share matches percent").truth is Truth.FALSE  # now it is known not to be a tenth
