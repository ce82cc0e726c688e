"""What nobody watched is read back from a source with a history: how much of it counts, and what it must never do."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.judge.verdicts import Status, Verdict
from runbook.judge.watched import watched_share
from runbook.rollout.facts import facts_of, kept_sight
from runbook.rollout.history import APART, MISSED, fitting, holes, joined_span, longest_windows, not_asked
from runbook.rollout.looking import look
from runbook.rollout.ramp import propose
from runbook.rollout.rows import Row
from runbook.rollout.watch import Tick, look_once
from runbook.store.base import SampleRow
from tests.rollout.remembering import (
    DAY,
    HOUR,
    MINUTE,
    asked,
    entered,
    remember,
    remembering_house,
    tell,
)
from tests.rollout.site import PLAYBOOK, STAGES, House, make_house, open_house, playbook_in


@pytest.fixture
def house(tmp_path: Path) -> House:
    return remembering_house(tmp_path)


def seen(house: House, deadline: float = 10.0) -> Tick:
    house.site.forget_state()
    return look_once(house.site, deadline)


def row(tick: Tick, id_: str) -> Row:
    return next(one for one in tick.decision.rows if id_ in (one.id, one.title))


def kept(house: House) -> list[tuple[float, float | None]]:
    """The samples kept, by their seconds after the entry."""
    rows = house.store.samples(house.site.chain, "error_rate", 0)
    return [(round(one.t - entered(house), 3), one.value) for one in rows]


# -- what it is for ---------------------------------------------------------------------------------


def test_a_bake_that_nobody_watched_was_watched_by_its_source(house: House) -> None:
    house.clock.pass_time(48 * HOUR)
    tell(house, (0, 48 * HOUR, 0.01))
    tick = seen(house)
    assert tick.decision.verdict is Verdict.GO, [(one.id, one.status) for one in tick.decision.rows]
    assert row(tick, "sampled").observed == "100%"
    gate = row(tick, "error_rate < 2%")
    assert gate.observed == "now 0.1 %, bake 1 %"
    assert asked(house) == [(0.0, 48 * HOUR, 60.0)]


def test_nothing_is_asked_where_nothing_is_missing(house: House) -> None:
    house.clock.pass_time(48 * HOUR)
    tell(house, (0, 48 * HOUR, 0.01))
    seen(house)
    for _ in range(5):
        house.clock.pass_time(60)
        assert row(seen(house), "sampled").observed == "100%"
    assert len(asked(house)) == 1


def test_a_bad_night_is_in_the_mean_though_all_is_well_now(house: House) -> None:
    house.clock.pass_time(48 * HOUR)
    tell(house, (0, 20 * HOUR, 0.001), (20 * HOUR + 1, 40 * HOUR, 0.06), (40 * HOUR + 1, 48 * HOUR, 0.001))
    tick = seen(house)
    assert tick.decision.verdict is Verdict.NO_GO
    assert row(tick, "error_rate < 2%").status is Status.FAIL


def test_what_was_seen_stays_and_only_holes_are_filled(house: House) -> None:
    for _ in range(10):
        house.clock.pass_time(60)
        house.store.keep_samples(house.site.chain, [SampleRow(metric="error_rate", t=house.clock.wall(), value=0.5)])
    house.clock.pass_time(30 * MINUTE)
    tell(house, (0, 48 * HOUR, 0.01))
    seen(house)
    values = kept(house)
    assert [value for _, value in values] == [0.5] * 10 + [0.01] * 29 + [0.001]
    assert [t for t, _ in values[:-1]] == [60.0 * number for number in range(1, 40)]
    assert asked(house) == [(600.0, 2400.0, 60.0)]


def test_where_the_source_has_a_hole_the_share_tells_it(house: House) -> None:
    house.clock.pass_time(48 * HOUR)
    tell(house, (0, 12 * HOUR, 0.01), (36 * HOUR, 48 * HOUR, 0.01))
    tick = seen(house)
    assert row(tick, "sampled").observed == "50%"
    assert tick.decision.verdict is Verdict.NO_GO


def test_a_hole_of_the_source_is_not_asked_for_again_and_a_new_one_is(house: House) -> None:
    house.clock.pass_time(48 * HOUR)
    tell(house, (0, 12 * HOUR, 0.01), (36 * HOUR, 60 * HOUR, 0.01))
    seen(house)
    house.clock.pass_time(60)
    seen(house)
    assert len(asked(house)) == 1
    house.clock.pass_time(HOUR)
    seen(house)
    assert len(asked(house)) == 2
    assert kept(house)[-2][0] > 48 * HOUR + 50 * MINUTE


def test_another_playbook_asks_again(house: House) -> None:
    house.clock.pass_time(HOUR)
    tell(house)
    seen(house)
    text = house.file("playbooks/checkout.yaml").read_text()
    house.file("playbooks/checkout.yaml").write_text(text.replace("interval: 60s", "interval: 30s"))
    again = house.again()
    remember(again)
    tell(again, (0, HOUR, 0.01))
    assert row(seen(again), "sampled").observed == "100%"
    assert len(asked(house)) == 2


# -- windows ----------------------------------------------------------------------------------------


def test_a_window_reaches_back_before_the_entry(tmp_path: Path) -> None:
    house = remembering_house(tmp_path, gates=["avg(error_rate, 7d) < 1%"])
    house.clock.pass_time(HOUR)
    tell(house, (-6 * DAY, HOUR, 0.03))
    gate = row(seen(house), "avg(error_rate, 7d) < 1%")
    assert (gate.status, gate.observed) == (Status.FAIL, "3 %")
    assert asked(house)[0][0] == pytest.approx(HOUR - 7 * DAY)
    assert facts_of(house.site, house.standing(), None).series["error_rate"].samples[0].t < entered(house) - 5 * DAY


def test_what_was_before_the_entry_is_not_in_the_bake(tmp_path: Path) -> None:
    house = remembering_house(tmp_path, gates=["avg(error_rate, 7d) < 10%", "error_rate < 2%"])
    house.clock.pass_time(48 * HOUR)
    tell(house, (-6 * DAY, -1, 0.05), (0, 48 * HOUR, 0.01))
    tick = seen(house)
    assert row(tick, "error_rate < 2%").observed == "now 0.1 %, bake 1 %"
    assert row(tick, "sampled").observed == "100%"


def test_the_longest_window_of_the_playbook_counts_by_metric(tmp_path: Path) -> None:
    text = PLAYBOOK + STAGES.replace(
        'gates: ["error_rate < 2%"]', 'gates: ["error_rate < 2%", "avg(error_rate, 2h) < 1% and p95(slow, 10m) < 2s"]'
    ).replace('when: "error_rate > 5% for 2m"', 'when: "max(error_rate, 1d) > 5% for 40d"').replace(
        "unit: ratio, interval: 60s}", "unit: ratio}\n  slow: {file: numbers.json, jq: .slow, unit: s}"
    )
    assert longest_windows(playbook_in(tmp_path, text)) == {"error_rate": DAY, "slow": 600.0}


# -- what it must not do ----------------------------------------------------------------------------


def test_nothing_of_the_future_nothing_of_before_and_no_rubbish_is_kept(house: House) -> None:
    house.clock.pass_time(HOUR)
    rubbish = [(100, float("nan")), (110, float("inf")), (120, -float("inf")), (130, 1e200)]
    tell(house, more=[(-10, 0.5), (-1e9, 0.5), (HOUR + 1, 0.5), (1e12, 0.5), *rubbish, (600, 0.02)])
    seen(house)
    assert kept(house) == [(600.0, 0.02), (pytest.approx(HOUR, abs=2), 0.001)]


def test_behind_a_stale_value_nothing_is_filled_in(house: House) -> None:
    """A source that gives an old value gives it for its past too: that looks good and is nobody's measurement."""
    house.clock.pass_time(48 * HOUR)
    tell(house, (0, 48 * HOUR, 0.001), at=24 * HOUR)
    tick = seen(house)
    assert kept(house)[-1] == (24 * HOUR, 0.001)
    assert row(tick, "sampled").observed == "50%"
    assert row(tick, "error_rate < 2%").status is Status.UNKNOWN
    assert "older than 3 m" in row(tick, "error_rate < 2%").message
    assert tick.decision.verdict is not Verdict.GO


@pytest.mark.parametrize("trouble", [{"trouble": "status 503: \x1b[31mno\x1b[0m"}, {"breaks": True}, {"takes": 30}])
def test_a_history_that_cannot_be_had_costs_the_history_only(house: House, trouble: dict[str, Any]) -> None:
    house.clock.pass_time(48 * HOUR)
    tell(house, (0, 48 * HOUR, 0.001), **trouble)
    began = time.monotonic()
    tick = seen(house, deadline=1.5)
    assert time.monotonic() - began < 2.5
    assert row(tick, "error_rate < 2%").status is Status.PASS
    watched = row(tick, "sampled")
    assert watched.status is Status.FAIL
    assert watched.message.startswith("the history of error_rate was not read: ")
    assert "\x1b" not in watched.message
    tell(house, (0, 48 * HOUR, 0.001))
    assert row(seen(house), "sampled").observed == "100%"  # what could not be had is asked for again


def test_where_the_look_took_all_its_time_no_history_is_asked_for(house: House) -> None:
    house.clock.pass_time(HOUR)
    tell(house, (0, HOUR, 0.001))
    site, standing = house.site, house.standing()
    late = kept_sight(site, standing, look(site, [], metrics=True, deadline=10.0), time.monotonic())
    assert late.facts.series["error_rate"].unread == "this look had no time left for it"
    assert asked(house) == []


def test_who_only_asks_where_we_are_and_a_dry_run_ask_no_history(house: House) -> None:
    house.clock.pass_time(48 * HOUR)
    tell(house, (0, 48 * HOUR, 0.001))
    facts_of(house.site, house.standing(), None)
    propose(house.site, None, deadline=10.0, dry_run=True)
    assert asked(house) == []
    assert kept(house) == []
    proposal = propose(house.site, None, deadline=10.0, dry_run=False)
    assert proposal.decision.verdict is Verdict.GO
    assert len(asked(house)) == 1


def test_without_the_store_there_is_nothing_to_fill(tmp_path: Path) -> None:
    house = remembering_house(tmp_path)
    away = open_house(tmp_path, house.clock, store=False)
    remember(away)
    house.clock.pass_time(HOUR)
    seen(away)
    assert asked(house) == []


def test_a_source_without_a_history_is_never_asked_for_one(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    house.stand_at("canary@10")
    house.clock.pass_time(HOUR)
    assert not seen(house).facts.series["error_rate"].unread


# -- holes and what fits into them ------------------------------------------------------------------

TIMES = st.lists(st.floats(0, 100_000), max_size=40)


@given(seen_=TIMES, interval=st.floats(1, 2000), until=st.floats(1000, 100_000))
def test_holes_filled_by_a_whole_history_leave_none(seen_: list[float], interval: float, until: float) -> None:
    gaps = holes(seen_, (0.0, until), interval)
    if not gaps:
        return
    first, last = gaps[0][0], gaps[-1][1]
    points = [(first + number * interval, 1.0) for number in range(int((last - first) / interval + 1e-9) + 1)]
    fit = [t for t, _ in fitting(points, gaps, seen_, interval)]
    assert not holes([*seen_, *fit], (0.0, until), interval * (1 + 1e-9))
    assert watched_share([*seen_, *fit], 0.0, until, interval * (1 + 1e-9)) == 1.0
    inside = [t for t in seen_ if 0 <= t <= until]
    assert all(abs(t - other) >= APART * interval * (1 - 1e-9) for t in fit for other in inside)


@given(seen_=TIMES, interval=st.floats(1, 2000))
def test_a_hole_is_longer_than_one_and_a_half_intervals_and_empty(seen_: list[float], interval: float) -> None:
    for begin, end in holes(seen_, (0.0, 100_000.0), interval):
        assert end - begin > MISSED * interval
        assert not [t for t in seen_ if begin < t < end]


def test_what_was_asked_for_altogether() -> None:
    assert not_asked([(0, 10), (20, 30)], (0, 15)) == [(20, 30)]
    assert not_asked([(0, 10)], None) == [(0, 10)]
    assert joined_span((0, 10), (5, 20)) == (0, 20)
    assert joined_span((0, 10), (15, 20)) == (15, 20)
    assert joined_span(None, (1, 2)) == (1, 2)
