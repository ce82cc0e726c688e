"""The robot beside others and at the edges: several rules, several watchers, people at work, ways that are closed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runbook.judge.verdicts import Status
from runbook.rollout.holds import hold, release
from runbook.rollout.watch import act_on, look_once
from tests.command.waiting import wait_until
from tests.rollout.armed import BAD, FIRED, act, house_with
from tests.rollout.site import House

SLOW = "touch deploying; while [ ! -e go-on ]; do sleep 0.02; done; echo deployed >> deploys.log; cp .env live.env\n"


def test_of_several_the_lowest_percentage_acts_and_the_others_only_tell(tmp_path: Path) -> None:
    house = house_with(tmp_path, "halve", "fallback", "previous", "notify")
    acted = act(house)
    assert acted is not None
    assert (acted.rule.then, acted.how, house.at()) == ("previous", "previous", "canary@10")
    assert house.kinds().count("operation.started") == 1
    fired = [one.event.payload["then"] for one in house.store.events(house.site.chain) if one.event.kind == FIRED]
    assert fired == ["halve", "fallback", "previous", "notify"]


def test_fired_twice_at_one_look_it_acts_once(tmp_path: Path) -> None:
    house = house_with(tmp_path, "halve")
    house.clock.pass_time(1)
    tick = look_once(house.site)
    assert act_on(house.site, house.heard, tick, set()) is not None
    release(house.site, reason="go on")
    assert act_on(house.site, house.heard, tick, set()) is None
    assert house.at() == "full@50"
    assert "somebody moved the service since the look" in house.heard.said[-1]


@pytest.mark.parametrize("then", ["halve", "rollback"])
def test_two_watchers_at_once_make_one_change(tmp_path: Path, then: str) -> None:
    house = house_with(tmp_path, then)
    with started(house, "watch") as first, started(house, "watch") as second:
        wait_until(lambda: len(list(house.folder.glob("looked-*"))) == 2)
        house.file("go-on").touch()
        acted = [process.communicate(timeout=30)[0].strip() for process in (first, second)]
    assert sorted(acted) == ["acted", "nothing"]
    assert house.at() == {"halve": "full@50", "rollback": "off@0"}[then]
    assert house.kinds().count("operation.started") == 1


@pytest.mark.parametrize(
    ("then", "said"),
    [("rollback", "somebody moved the service since the look"), ("halve", "already at or below 50 %")],
)
def test_a_person_who_rolls_back_by_hand_wins(tmp_path: Path, then: str, said: str) -> None:
    house = house_with(tmp_path, then)
    tick = look_once(house.site)
    house.file("deploy.sh").write_text(SLOW)
    with started(house, "rollback") as theirs:
        wait_until(house.file("deploying").exists)
        assert act_on(house.site, house.heard, tick, set()) is None
        assert "busy: ben" in house.heard.said[-1]
        house.file("go-on").touch()
        assert theirs.communicate(timeout=30)[0].strip() == "done"
    assert act_on(house.site, house.heard, tick, set()) is None
    assert said in house.heard.said[-1]
    assert house.at() == "full@50"
    assert house.kinds().count("operation.started") == 1


@contextmanager
def started(house: House, what: str) -> Iterator[subprocess.Popen[str]]:
    """Somebody else at the same service, in a process of their own."""
    command = [sys.executable, "-m", "tests.rollout.somebody", str(house.folder), what]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_robot_never_goes_up(tmp_path: Path) -> None:
    house = house_with(tmp_path, "halve")
    house.file(".env").write_text(house.env().replace("PERCENT=100", "PERCENT=10"))
    assert act(house) is None
    assert house.flags()["PERCENT"] == "10"
    assert "already at or below 50 % in the flag file" in house.heard.said[-1]


def test_what_the_playbook_has_no_way_for_holds(tmp_path: Path) -> None:
    house = house_with(tmp_path, "fallback", fallback="one_way: false")
    assert act(house) is None
    assert "has no fallback" in "".join(house.heard.said)
    held = house.site.state().hold_at(house.clock.wall())
    assert held is not None
    assert held.automatic
    assert not held.robots


def test_reduce_without_a_fallback_goes_down_in_part(tmp_path: Path) -> None:
    house = house_with(tmp_path, "reduce", fallback="one_way: false")
    acted = act(house)
    assert acted is not None
    assert (acted.how, house.at()) == ("partial", "full@50")


def test_without_a_ladder_of_parts_a_rule_halves(tmp_path: Path) -> None:
    house = house_with(tmp_path, "halve", partial="checklist: [look]")
    assert act(house) is not None
    assert house.at() == "full@50"


def test_a_fallback_that_is_an_action_is_run_and_the_flags_stay(tmp_path: Path) -> None:
    house = house_with(tmp_path, "fallback", fallback='fallback: {do: Build before, command: [touch, "before"]}')
    env = house.env()
    acted = act(house)
    assert acted is not None
    assert (acted.how, acted.ended.outcome, house.at()) == ("fallback", "done", "full@100")
    assert house.file("before").exists()
    assert house.env() == env
    state = house.site.state()
    assert state.hold is not None
    assert state.hold.robots


def test_at_the_first_stage_its_own_action_is_run_though_the_flags_are_safe(tmp_path: Path) -> None:
    house = house_with(tmp_path, at="off@0")
    path = house.file("playbooks/checkout.yaml")
    own = f"""\
  - stage: off
    percent: 0
    fallback: {{do: Build before, command: [touch, before]}}
    triggers: [{{when: "{BAD}", then: fallback}}]
"""
    path.write_text(path.read_text().replace("  - {stage: off, percent: 0}\n", own))
    house = house.again()
    acted = act(house)
    assert acted is not None
    assert (acted.how, acted.ended.outcome, house.at()) == ("fallback", "done", "off@0")
    assert house.file("before").exists()


def test_what_fires_on_is_said_once_though_its_numbers_change(tmp_path: Path) -> None:
    house, told = house_with(tmp_path, "halve"), set[str]()
    hold(house.site, reason="I am looking", until=None)
    for value in (0.2, 0.3, 0.4):
        house.numbers(error_rate=value)
        house.clock.pass_time(60)
        assert act(house, told) is None
    assert len(house.heard.said) == 2
    assert "(20 %) -> halve" in house.heard.said[0]


def test_past_a_one_way_stage_a_rule_goes_to_its_fallback_once(tmp_path: Path) -> None:
    house = house_with(tmp_path, "rollback", fallback="one_way: true\n    fallback: 20")
    assert act(house) is not None
    assert house.at() == "full@20"
    release(house.site, reason="looked")
    house.clock.pass_time(1)
    assert act(house) is None
    assert "already at or below full@20" in house.heard.said[-1]


def test_a_step_that_fails_is_told_and_the_service_is_held(tmp_path: Path) -> None:
    house = house_with(tmp_path, "halve")
    house.file("deploy.sh").write_text("cp .env live.env; exit 3\n")
    acted = act(house)
    assert acted is not None
    assert (acted.ended.outcome, house.flags()["PERCENT"]) == ("half-done", "50")
    house.site.forget_state()
    held = house.site.state().hold
    assert held is not None
    assert held.robots


def test_an_open_incident_goes_on_and_each_firing_is_told_once(tmp_path: Path) -> None:
    house = house_with(tmp_path, "investigate")
    told: set[str] = set()
    for _ in range(3):
        assert act(house, told) is None
        house.clock.pass_time(30)
    assert act(house.again(), set()) is None  # another watcher, for the same firing
    assert house.kinds().count("incident.opened") == 1
    house.numbers(error_rate=0.001)
    house.clock.pass_time(120)
    tick = look_once(house.site)
    assert not tick.fired
    act_on(house.site, house.heard, tick, told)
    house.numbers(error_rate=0.3)
    house.clock.pass_time(60)
    assert act(house, told) is None
    assert (house.kinds().count("incident.opened"), house.kinds().count("incident.joined")) == (1, 1)
    assert house.kinds().count(FIRED) == 2


def test_a_dry_rule_is_shown_and_does_nothing(tmp_path: Path) -> None:
    house = house_with(tmp_path)
    text = house.file("playbooks/checkout.yaml").read_text()
    dry = f'triggers: [{{when: "{BAD}", then: rollback, dry_run: true}}]'
    house.file("playbooks/checkout.yaml").write_text(text.replace("triggers: []", dry))
    house = house.again()
    tick = look_once(house.site)
    assert tick.fired == ()
    [row] = [row for row in tick.decision.rows if row.kind == "trigger"]
    assert (row.status, row.counts) == (Status.FAIL, False)
    assert row.message.startswith("firing (a dry run)")
