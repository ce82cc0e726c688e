"""Watching a bake: what the robot does when a trigger fires, and what it may not do."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from runbook.judge.verdicts import Verdict
from runbook.rollout.emergency import Alarm, emergency
from runbook.rollout.holds import hold, release
from runbook.rollout.operation import Ended
from runbook.rollout.watch import Tick, act_on, look_once, verdict_of_watch, watch
from runbook.rollout.watchers import watcher_of
from runbook.system.refusals import Exit
from tests.rollout.site import PLAYBOOK, STAGES, House, make_house

TRIGGER = 'triggers: [{when: "error_rate > 5% for 2m", then: rollback}]'
AT_ONCE = {
    "rollback": 'triggers: [{when: "max(error_rate, 1m) > 5%", then: rollback}]',
    "hold": 'triggers: [{when: "max(error_rate, 1m) > 5%", then: hold}]',
    "notify": 'triggers: [{when: "max(error_rate, 1m) > 5%", then: notify}]',
    "both": 'triggers: [{when: "max(error_rate, 1m) > 2%", then: hold},'
    ' {when: "max(error_rate, 1m) > 5%", then: rollback}]',
}


def house_with(folder: Path, then: str, *, name: str = "checkout") -> House:
    text = (PLAYBOOK + STAGES.replace(TRIGGER, AT_ONCE[then])).replace("service: checkout", f"service: {name}")
    house = make_house(folder, text)
    house.stand_at("canary@5")
    house.numbers(error_rate=0.2)
    return house


@pytest.fixture
def made(tmp_path: Path) -> Callable[[str], House]:
    return lambda then: house_with(tmp_path, then)


def fired(house: House, told: set[str] | None = None) -> tuple[Tick, Ended | None]:
    """One look with the triggers armed."""
    house.site.forget_state()
    tick = look_once(house.site)
    assert tick.fired
    acted = act_on(house.site, house.heard, tick, set() if told is None else told)
    return tick, acted.ended if acted else None


def test_a_fired_rollback_goes_to_the_safe_flags_and_holds_the_service(made: Callable[[str], House]) -> None:
    house = made("rollback")
    _, ended = fired(house)
    assert ended is not None
    assert (ended.outcome, ended.exit, ended.incident) == ("done", Exit.GO, 1)
    assert house.flags() == {"NEW_CART": "false", "LIMIT": "0", "PERCENT": "0"}
    assert house.at() == "off@0"
    state = house.site.state()
    assert state.hold is not None
    assert state.hold.automatic
    assert "after the automatic way back" in state.hold.reason
    assert state.incidents[1].severity == "P0"
    assert len(state.automatic) == 1
    assert "trigger.fired" in house.kinds()


def test_fired_twice_it_acts_once(made: Callable[[str], House]) -> None:
    house = made("rollback")
    tick, _ = fired(house)
    deploys = house.deploys()
    assert act_on(house.site, house.heard, tick, set()) is None
    assert house.deploys() == deploys
    assert "already safe, look elsewhere" in house.heard.said[-1]


def test_a_person_who_holds_wins_over_the_robot(made: Callable[[str], House]) -> None:
    house = made("rollback")
    hold(house.site, reason="I am looking at it", until=None)
    _, ended = fired(house)
    assert ended is None
    assert house.flags()["PERCENT"] == "5"
    assert "held by ana" in house.heard.said[-1]
    release(house.site, reason="done looking")
    _, ended = fired(house)
    assert ended is not None


def test_after_an_automatic_way_back_the_robot_waits_for_a_person(made: Callable[[str], House]) -> None:
    house = made("rollback")
    fired(house)
    house.stand_at("canary@5")
    _, ended = fired(house)
    assert ended is None
    assert house.flags()["PERCENT"] == "5"
    release(house.site, reason="looked")
    _, ended = fired(house)
    assert ended is not None


def test_a_hold_trigger_holds_and_changes_nothing(made: Callable[[str], House]) -> None:
    house = made("hold")
    _, ended = fired(house)
    assert ended is None
    held = house.site.state().hold
    assert held is not None
    assert held.automatic
    assert "max(error_rate, 1m) > 5%" in held.reason
    assert (house.deploys(), house.flags()["PERCENT"]) == (0, "5")
    assert house.propose().decision.verdict is Verdict.NO_GO


def test_a_hold_of_a_trigger_does_not_disarm_a_graver_one(made: Callable[[str], House]) -> None:
    house = made("both")
    house.numbers(error_rate=0.03)
    assert fired(house)[1] is None
    assert house.site.state().hold is not None
    house.numbers(error_rate=0.2)
    house.clock.pass_time(60)
    _, ended = fired(house)
    assert ended is not None
    assert house.flags()["PERCENT"] == "0"


def test_a_telling_trigger_tells_once(made: Callable[[str], House]) -> None:
    house = made("notify")
    told: set[str] = set()
    assert fired(house, told)[1] is None
    assert fired(house, told)[1] is None
    assert house.kinds().count("trigger.fired") == 1
    assert (house.site.state().hold, house.deploys()) == (None, 0)


def test_three_automatic_changes_in_ten_minutes_are_the_limit(made: Callable[[str], House]) -> None:
    house = made("rollback")
    for _ in range(3):
        assert fired(house)[1] is not None
        release(house.site, reason="again")
        house.clock.pass_time(60)
        house.stand_at("canary@5")
    assert fired(house)[1] is None
    held = house.site.state().hold
    assert held is not None
    assert "three automatic changes in ten minutes" in held.reason
    assert house.flags()["PERCENT"] == "5"
    release(house.site, reason="looked")
    house.clock.pass_time(600)
    assert fired(house)[1] is not None


def test_the_limit_is_over_all_services_of_the_store(tmp_path: Path) -> None:
    houses = [house_with(tmp_path, "rollback", name=name) for name in ("cart", "search", "mail", "basket")]
    for house in houses[:3]:
        house.stand_at("canary@5")
        assert fired(house)[1] is not None
    last = houses[3]
    last.stand_at("canary@5")
    assert fired(last)[1] is None
    assert last.flags()["PERCENT"] == "5"
    assert last.site.state().hold is not None


def test_a_persons_emergency_counts_as_no_automatic_change(made: Callable[[str], House]) -> None:
    house = made("rollback")
    for _ in range(4):
        house.stand_at("canary@5")
        assert emergency(house.site, house.heard, Alarm(reason="by hand")).outcome == "done"
    house.stand_at("canary@5")
    assert house.site.state().automatic == []
    assert fired(house)[1] is not None


def test_the_first_interruption_does_not_stop_an_automatic_way_back(made: Callable[[str], House]) -> None:
    house = made("rollback")
    house.file("deploy.sh").write_text("kill -INT $PPID; sleep 0.3; cp .env live.env")
    watched = watch(house.site, house.heard, act=True, seconds=None, to_the_end=True, shown=lambda tick: None)
    assert watched.acted is not None
    assert watched.acted.ended.outcome == "done", watched.acted.ended.message
    assert house.file("live.env").read_text() == house.env()


def test_without_being_armed_a_watch_looks_and_changes_nothing(made: Callable[[str], House]) -> None:
    house = made("rollback")
    seen: list[Tick] = []
    watched = watch(house.site, house.heard, act=False, seconds=0.0, to_the_end=False, shown=seen.append)
    assert watched.why == "time over"
    assert seen[0].fired
    assert verdict_of_watch(watched) is Verdict.NO_GO
    assert (house.flags()["PERCENT"], house.deploys()) == ("5", 0)


def test_a_watch_ends_when_the_bake_is_over(made: Callable[[str], House]) -> None:
    house = made("rollback")
    house.numbers(error_rate=0.001)
    house.clock.pass_time(3600)
    watched = watch(house.site, house.heard, act=True, seconds=None, to_the_end=True, shown=lambda tick: None)
    assert watched.why == "bake over"
    assert verdict_of_watch(watched) is Verdict.GO


def test_a_watch_ends_when_somebody_moves_the_service(made: Callable[[str], House]) -> None:
    house = made("rollback")
    house.numbers(error_rate=0.001)

    def moved(tick: Tick) -> None:
        house.again().stand_at("canary@10")

    house.site.environment = msgspec.structs.replace(house.site.environment, bake_scale=0.001)
    watched = watch(house.site, house.heard, act=True, seconds=None, to_the_end=True, shown=moved)
    assert watched.why == "moved"


def test_where_nothing_was_entered_there_is_nothing_to_watch(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    watched = watch(house.site, house.heard, act=True, seconds=None, to_the_end=True, shown=lambda tick: None)
    assert watched.why == "nothing to watch"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_stops_and_gives_the_signals_back(made: Callable[[str], House], number: int) -> None:
    house = made("rollback")
    house.numbers(error_rate=0.001)
    before = signal.getsignal(number)
    watched = watch(
        house.site, house.heard, act=True, seconds=None, to_the_end=True, shown=lambda _: os.kill(os.getpid(), number)
    )
    assert (watched.why, house.site.interruptions.signal) == ("asked to stop", number)
    assert signal.getsignal(number) is before


def test_who_watches_is_known_while_somebody_does(made: Callable[[str], House]) -> None:
    house = made("rollback")
    seen: list[object] = []

    def shown(tick: Tick) -> None:
        watcher = watcher_of(house.again().site)
        seen.append(watcher and (watcher.who, watcher.armed))

    watch(house.site, house.heard, act=False, seconds=0.0, to_the_end=False, shown=shown)
    assert seen == [("ana", False)]
    assert watcher_of(house.site) is None


def test_a_new_build_that_somebody_else_saw_is_said_and_is_no_move(made: Callable[[str], House]) -> None:
    house = made("rollback")
    house.numbers(error_rate=0.001)
    house.site.environment = msgspec.structs.replace(house.site.environment, bake_scale=0.001)
    seen: list[Tick] = []

    def shown(tick: Tick) -> None:
        if not seen:
            other = house.again().site
            other.record(other.event("bake.restarted", {"version": "2.4.1", "before": "2.4.0"}, epoch=1))
        seen.append(tick)

    watched = watch(house.site, house.heard, act=True, seconds=0.5, to_the_end=False, shown=shown)
    assert watched.why == "time over"
    assert len(seen) > 1
    assert house.heard.said == ["a new build 2.4.1 came in mid-bake: the bake begins again"]


def test_a_watch_that_loses_the_store_says_so_and_ends(made: Callable[[str], House]) -> None:
    house = made("rollback")
    house.site.environment = msgspec.structs.replace(house.site.environment, bake_scale=0.001)

    def shown(tick: Tick) -> None:
        house.site.store, house.site.store_trouble = None, "the disk is full"

    watched = watch(house.site, house.heard, act=False, seconds=5.0, to_the_end=False, shown=shown)
    assert watched.why == "the store is away"
    assert verdict_of_watch(watched) is Verdict.UNKNOWN


def test_numbers_that_recovered_after_a_way_back_are_noticed(tmp_path: Path) -> None:
    text = PLAYBOOK + STAGES.replace("incident: P0", 'incident: P0, recovered: "error_rate < 1%"')
    house = make_house(tmp_path, text)
    house.stand_at("canary@5")
    emergency(house.site, house.heard, Alarm(reason="by hand"))
    house.numbers(error_rate=0.002)
    house.clock.pass_time(60)
    watched = watch(house.site, house.heard, act=False, seconds=0.0, to_the_end=False, shown=lambda tick: None)
    assert watched.why == "time over"
    assert house.heard.said[-1].startswith("recovered after 1 m: error_rate < 1%")
    assert house.kinds().count("recovered") == 1
