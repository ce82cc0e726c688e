"""What rules make of a history that was read back: windows and points are told by it, the clocks of `for` are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.judge.rules import Advanced
from runbook.judge.verdicts import Verdict
from runbook.rollout.watch import act_on, look_once
from tests.rollout.remembering import DAY, HOUR, MINUTE, remembering_house, tell
from tests.rollout.site import House

NOW = 10 * HOUR
BAD, GOOD = 0.08, 0.001
HELD = '{when: "error_rate > 5% for 5m", then: rollback}'
WINDOW = '{when: "avg(error_rate, 10m) > 5%", then: rollback}'
POINTS = '{when: "error_rate > 5% in 3 of 5", then: rollback}'


def house_with(folder: Path, trigger: str) -> House:
    """After ten hours in which nobody looked."""
    house = remembering_house(folder, triggers=trigger)
    house.clock.pass_time(NOW)
    return house


def looked(house: House) -> Advanced:
    """The trigger after a look."""
    house.site.forget_state()
    return look_once(house.site).ruled[0].advanced


@pytest.mark.parametrize("trigger", [HELD, WINDOW, POINTS])
def test_what_is_over_fires_nothing(tmp_path: Path, trigger: str) -> None:
    house = house_with(tmp_path, trigger)
    tell(house, (0, HOUR, GOOD), (HOUR + 1, 9 * HOUR, BAD), (9 * HOUR + 1, NOW, GOOD))
    advanced = looked(house)
    assert (advanced.firing, advanced.pending) == (False, False)
    house.clock.pass_time(60)
    assert not looked(house).firing


def test_a_hold_counts_from_when_somebody_looked(tmp_path: Path) -> None:
    house = house_with(tmp_path, HELD)
    tell(house, (0, DAY, BAD), now=BAD)
    first = looked(house)
    assert (first.firing, first.pending, first.due_in) == (False, True, 5 * MINUTE)
    for _ in range(4):
        house.clock.pass_time(60)
        assert not looked(house).firing
    house.clock.pass_time(60)
    assert looked(house).firing


def test_an_absence_inside_a_hold_does_not_count_though_it_was_read_back(tmp_path: Path) -> None:
    house = house_with(tmp_path, HELD)
    tell(house, (0, DAY, BAD), now=BAD)
    looked(house)
    house.clock.pass_time(60)
    looked(house)
    house.clock.pass_time(8 * MINUTE)  # nobody looks; the source says it was bad all the while
    assert looked(house).due_in == 4 * MINUTE
    house.clock.pass_time(60)
    assert looked(house).due_in == 3 * MINUTE


@pytest.mark.parametrize("trigger", [WINDOW, POINTS])
def test_what_is_still_so_fires_at_the_first_look(tmp_path: Path, trigger: str) -> None:
    house = house_with(tmp_path, trigger)
    tell(house, (0, 9 * HOUR, GOOD), (9 * HOUR + 1, NOW, BAD), now=BAD)
    assert looked(house).firing


def test_a_rule_without_a_span_still_needs_two_looks(tmp_path: Path) -> None:
    house = house_with(tmp_path, '{when: "error_rate > 5%", then: rollback}')
    tell(house, (0, DAY, BAD), now=BAD)
    assert not looked(house).firing
    house.clock.pass_time(60)
    assert looked(house).firing


def test_the_robot_goes_back_once_on_what_was_read_back_and_is_still_so(tmp_path: Path) -> None:
    house = house_with(tmp_path, WINDOW)
    tell(house, (0, DAY, BAD), now=BAD)
    house.site.forget_state()
    acted = act_on(house.site, house.heard, look_once(house.site), set())
    assert acted is not None
    assert house.flags()["PERCENT"] == "0"
    house.clock.pass_time(60)
    house.site.forget_state()
    assert act_on(house.site, house.heard, look_once(house.site), set()) is None


def test_what_was_unknown_at_the_source_fires_nothing_and_lets_nothing_go_on(tmp_path: Path) -> None:
    house = house_with(tmp_path, WINDOW)
    tell(house, now=None)
    house.site.forget_state()
    tick = look_once(house.site)
    assert not tick.ruled[0].advanced.firing
    assert tick.decision.verdict is not Verdict.GO
