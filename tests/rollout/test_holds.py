"""Holds: what one with an end may not undo."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.rollout.holds import hold, release
from tests.rollout.site import House, make_house


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = make_house(tmp_path)
    told = {"reason": "after the automatic way back: errors", "automatic": True, "robots": True}
    house.site.record(house.site.event("hold.set", told))
    return house


def test_a_hold_with_an_end_does_not_shorten_the_one_after_an_automatic_way_back(house: House) -> None:
    hold(house.site, reason="lunch", until=house.clock.wall() + 60)
    house.clock.pass_time(3600)
    held = house.site.state().hold_at(house.clock.wall())
    assert held is not None and held.robots
    assert release(house.site, reason="looked at") == held
    assert house.site.state().hold_at(house.clock.wall()) is None


def test_one_without_an_end_takes_its_place_and_one_with_an_end_ends(house: House) -> None:
    hold(house.site, reason="mine", until=None)
    held = house.site.state().hold_at(house.clock.wall())
    assert held is not None and (held.reason, held.robots) == ("mine", False)
    hold(house.site, reason="lunch", until=house.clock.wall() + 60)
    house.clock.pass_time(61)
    assert house.site.state().hold_at(house.clock.wall()) is None
