"""The decision matrix under an armed watcher: people have their time, then it does what the row says, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.judge.verdicts import Status, Verdict
from runbook.rollout.emergency import Alarm, emergency
from runbook.rollout.holds import release
from runbook.rollout.rollback import carry_back, propose_back
from runbook.rollout.watch import Tick, act_on, verdict_of_watch, watch
from tests.rollout.matrices import GOOD, ROWS, STAGES, act, house_with, rows_of, see, told
from tests.rollout.site import PLAYBOOK, House, make_house


@pytest.fixture
def house(tmp_path: Path) -> House:
    return house_with(tmp_path)


def test_a_row_that_waits_for_its_second_look_decides_already(tmp_path: Path) -> None:
    rows = ROWS.replace("then: halve, within: 1h", "then: halve")
    house = house_with(tmp_path, rows)
    assert act(house, error_rate=0.2, p95=4000) is None
    assert house.at() == "full@100"
    acted = act(house, error_rate=0.2, p95=4000)
    assert acted is not None
    assert (acted.rule.id, acted.how, house.at()) == ("matrix/0", "emergency", "off@0")


def test_people_have_their_time_then_an_armed_watcher_does_it_itself(house: House) -> None:
    assert act(house, p95=4000) is None
    assert act(house, 59 * 60, p95=4000) is None
    assert told(house, "trigger.fired") == []
    acted = act(house, 60, p95=4000)
    assert acted is not None
    assert (acted.how, acted.ended.outcome, house.at()) == ("partial", "done", "full@50")
    assert [one["when"] for one in told(house, "trigger.fired")] == ["p95 > 3500ms"]
    assert "p95 > 3500ms" in house.site.state().fired
    held = house.site.state().hold_at(house.clock.wall())
    assert held is not None
    assert held.robots


def test_what_runs_out_while_nobody_looks_is_not_done_on_an_old_word(house: House) -> None:
    see(house, p95=4000)
    assert act(house, 2 * 3600, p95=900) is None
    assert house.at() == "full@100"


def test_a_person_who_does_what_it_says_ends_the_countdown(house: House) -> None:
    see(house, p95=4000)
    house.clock.pass_time(60)
    carry_back(house.site, propose_back(house.site, how="partial"), house.heard)
    see(house, 60, p95=4000)
    assert house.at() == "full@50"
    assert house.site.state().matrix["p95 > 3500ms"].due == house.clock.wall() + 3600, "a new hour"
    assert [one["when"] for one in told(house, "matrix.cleared")] == ["p95 > 3500ms"]
    assert act(house, 59 * 60, p95=4000) is None
    assert act(house, 60, p95=4000) is not None


def test_one_step_down_is_not_what_a_rollback_row_asks_for(tmp_path: Path) -> None:
    house = house_with(tmp_path, '  - {when: "error_rate > 5%", then: rollback, within: 30m}\n')
    see(house, error_rate=0.2)
    see(house, error_rate=0.2)
    due = house.site.state().matrix["error_rate > 5%"].due
    house.clock.pass_time(60)
    house.rollback()
    see(house, 60, error_rate=0.2)
    assert house.site.state().matrix["error_rate > 5%"].due == due
    house.clock.pass_time(60)
    emergency(house.site, house.heard, Alarm(reason="by hand"))
    see(house, 60, error_rate=0.2)
    assert house.site.state().matrix == {}, "at the safe flags it begins anew, with two looks"


def test_at_safe_flags_it_is_only_told(tmp_path: Path) -> None:
    house = house_with(tmp_path, at="off@0")
    see(house, error_rate=0.2)
    tick = see(house, error_rate=0.2)
    row = rows_of(tick)[0]
    assert (row.status, row.message, row.remedy) == (
        Status.FAIL,
        "firing: already safe, look elsewhere",
        "runbook incident open",
    )
    assert act_on(house.site, house.heard, tick, set()) is None
    assert "already safe, look elsewhere" in house.heard.said[-1]
    assert house.deploys() == 0


def test_it_acts_once_and_again_only_after_a_release(tmp_path: Path) -> None:
    house = house_with(tmp_path, '  - {when: "p95 > 3s", then: halve}\n')
    assert act(house, p95=4000) is not None
    assert act(house, p95=4000) is None
    assert house.at() == "full@50"
    release(house.site, reason="looked")
    assert act(house, p95=4000) is not None
    assert house.at() == "full@25"


def test_investigating_waits_for_nothing(tmp_path: Path) -> None:
    house = house_with(tmp_path, '  - {when: "p95 > 3s", severity: P3, then: investigate, within: 1d}\n')
    assert act(house, p95=4000) is None
    assert [one.severity for one in house.site.state().open_incidents()] == ["P3"]
    assert act(house, p95=4000) is None
    assert house.kinds().count("incident.opened") == 1
    assert "incident.joined" not in house.kinds()


def test_a_watch_with_nothing_that_bakes_goes_on_for_its_time(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK + STAGES + ROWS)
    house.numbers(**GOOD)
    seen: list[Tick] = []
    watched = watch(house.site, house.heard, act=False, seconds=0.0, to_the_end=False, shown=seen.append)
    assert (watched.why, len(seen)) == ("time over", 1)
    watched = watch(house.site, house.heard, act=False, seconds=None, to_the_end=True, shown=seen.append)
    assert watched.why == "nothing to watch"


def test_a_row_that_only_tells_is_no_no_for_a_watch(tmp_path: Path) -> None:
    house = house_with(tmp_path, '  - {when: "p95 > 3s", then: notify}\n')
    house.clock.pass_time(48 * 3600)
    house.numbers(**{**GOOD, "p95": 4000})
    watched = watch(house.site, house.heard, act=True, seconds=0.0, to_the_end=False, shown=lambda tick: None)
    assert verdict_of_watch(watched) is Verdict.GO
    assert house.heard.said == ["matrix fired: p95 > 3s (4 s) -> notify"]
