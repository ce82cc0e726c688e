"""The ways down beside one step back: the stage's own fallback, in parts, the last good step."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.rollout.adopt import adopt
from runbook.rollout.operation import Ended
from runbook.rollout.rollback import carry_back, propose_back
from runbook.system.refusals import Exit, Refusal
from tests.rollout.site import PLAYBOOK, House, make_house, open_house

STAGES = """\
metrics:
  error_rate: {file: numbers.json, jq: .error_rate, unit: ratio, interval: 60s}
stages:
  - {stage: off, percent: 0, fallback: {do: Deploy the version before, run: echo deployed by hand >> own.log}}
  - {stage: canary, percent: 10, set: {NEW_CART: true, LIMIT: 3}, fallback: 5, gates: ["error_rate < 2%"]}
  - {stage: half, percent: [40, 50], bake: 1h, fallback: 25}
  - {stage: full, percent: 100, set: {LIMIT: 9}, fallback: previous}
  - {stage: second, percent: [10, 100], again: true, set: {LIMIT: 12}, fallback: rollback}
rollback:
  set: {PERCENT: 0, NEW_CART: false}
  partial: {ladder: [100, 50, 25, 10], bake: 2h}
"""
PLAIN = STAGES.replace("  partial: {ladder: [100, 50, 25, 10], bake: 2h}\n", "")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path, PLAYBOOK + STAGES)


def go(house: House, how: str, target: str | None = None, automatic: str = "") -> Ended:
    house.site.forget_state()
    way = propose_back(house.site, target, how)
    assert way.plan is not None, way.message
    return carry_back(house.site, way, house.heard, automatic=automatic)


def shown(house: House) -> tuple[str | None, str | None]:
    flags = house.flags()
    return flags["PERCENT"], flags["LIMIT"]


def position(house: House) -> tuple[str, str]:
    here = house.standing().position
    assert here is not None
    return here.name, here.how


@pytest.mark.parametrize(
    ("here", "how", "there", "recorded", "flags"),
    [
        ("canary@10", "fallback", "canary@5", "fallback", ("5", "3")),
        ("half@50", "fallback", "half@25", "fallback", ("25", "3")),
        ("half@40", "fallback", "half@25", "fallback", ("25", "3")),
        ("full@100", "fallback", "half@50", "fallback", ("50", "3")),
        ("second@100", "fallback", "off@0", "fallback", ("0", "12")),
        ("half@50", "partial", "half@25", "partial", ("25", "3")),
        ("half@40", "halve", "half@25", "partial", ("25", "3")),
        ("full@100", "partial", "full@50", "partial", ("50", "9")),
        ("second@100", "partial", "second@50", "partial", ("50", "12")),
        ("second@10", "partial", "off@0", "partial", ("0", "0")),
        ("canary@10", "partial", "off@0", "partial", ("0", "0")),
        ("half@40", "previous", "canary@10", "previous", ("10", "3")),
        ("half@50", "reduce", "half@25", "fallback", ("25", "3")),
        ("second@10", "rollback", "full@100", "rollback", ("100", "9")),
    ],
)
def test_where_each_way_leads_and_what_the_flags_are_there(
    house: House, here: str, how: str, there: str, recorded: str, flags: tuple[str, str]
) -> None:
    house.stand_at(here)
    ended = go(house, how)
    assert (ended.outcome, ended.exit) == ("done", Exit.GO), ended.message
    assert position(house) == (there, recorded)
    assert shown(house) == flags
    assert house.file("live.env").read_text() == house.env()
    assert house.standing().drift == ()
    assert house.site.state().rollbacks == 1


def test_the_partial_way_back_step_by_step_ends_at_the_safe_flags(house: House) -> None:
    house.stand_at("full@100")
    seen = []
    for _ in range(4):
        go(house, "partial")
        seen.append(house.at())
    assert seen == ["full@50", "full@25", "full@10", "off@0"]
    assert house.site.state().rollout is None
    way = propose_back(house.site, how="partial")
    assert way.plan is None and "nothing below 0 %" in way.message


@pytest.mark.parametrize(
    ("here", "said"),
    [
        ("canary@5", "nothing to do: checkout is at canary@5, and the fallback of canary is to 5 %"),
        ("half@25", "nothing to do: checkout is at half@25, and the fallback of half is to 25 %"),
    ],
)
def test_at_its_fallback_or_below_there_is_nothing_to_do(house: House, here: str, said: str) -> None:
    house.stand_at("canary@10" if here == "canary@5" else "half@50")
    go(house, "fallback")
    house.site.forget_state()
    way = propose_back(house.site, how="fallback")
    assert (way.plan, way.to, way.message) == (None, None, said)


def test_before_the_first_step_no_way_leads_down(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK + STAGES.replace("percent: 0,", "percent: 0, bake: 1h,"))
    assert house.standing().position is None
    for how in ("partial", "fallback", "previous", "rollback", "halve", "reduce"):
        assert "nothing to do" in propose_back(house.site, how=how).message


def test_an_action_is_run_verified_and_the_bake_begins_again(house: House) -> None:
    house.stand_at("off@0")
    house.clock.pass_time(500)
    before, deploys = house.env(), house.deploys()
    ended = go(house, "fallback")
    assert ended.outcome == "done", ended.message
    assert house.file("own.log").read_text() == "deployed by hand\n"
    assert (house.env(), house.deploys()) == (before, deploys)
    here = house.standing().position
    assert here is not None
    assert (here.name, here.how, here.since) == ("off@0", "fallback", house.clock.now)


def test_an_action_that_fails_leaves_it_half_done_and_says_what_to_type(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK + STAGES.replace("echo deployed by hand >> own.log", "exit 3"))
    house.stand_at("off@0")
    ended = go(house, "fallback")
    assert (ended.outcome, ended.exit, list(ended.by_hand)) == ("half-done", Exit.FAILED, ["exit 3"])


def test_without_a_fallback_it_is_refused_and_reduce_goes_down_in_part(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK + STAGES.replace(", fallback: 25", ""))
    house.stand_at("half@50")
    with pytest.raises(Refusal, match="the stage half has no fallback") as refused:
        propose_back(house.site, how="fallback")
    assert refused.value.exit is Exit.NO_GO
    assert any("--partial" in line for line in refused.value.next_steps)
    go(house, "reduce")
    assert position(house) == ("half@25", "partial")


@pytest.mark.parametrize(
    ("here", "there"), [("half@50", "half@25"), ("full@100", "full@50"), ("canary@10", "canary@5")]
)
def test_without_a_ladder_of_parts_a_rule_halves_and_a_person_is_told_what_to_add(
    tmp_path: Path, here: str, there: str
) -> None:
    house = make_house(tmp_path, PLAYBOOK + PLAIN)
    house.stand_at(here)
    with pytest.raises(Refusal, match="no partial way back") as refused:
        propose_back(house.site, how="partial")
    assert "partial: {ladder: [50, 25, 10], bake: 2h}" in refused.value.next_steps[0]
    go(house, "halve")
    assert house.at() == there


def test_halving_ends_at_one_percent_and_then_at_the_safe_flags(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK + PLAIN)
    house.stand_at("canary@10")
    seen = []
    for _ in range(4):
        go(house, "halve")
        seen.append(house.at())
    assert seen == ["canary@5", "canary@2", "canary@1", "off@0"]


def test_previous_is_the_last_step_of_this_rollout_that_passed_its_bake(house: House) -> None:
    house.ramp_to("half@50")
    assert house.site.state().passed == [("canary", 10.0), ("half", 40.0)]
    go(house, "previous")
    assert house.at() == "half@40"
    go(house, "previous")
    assert house.at() == "canary@10"


def test_a_step_that_was_only_gone_back_to_has_not_passed(house: House) -> None:
    house.ramp_to("half@40")
    go(house, "fallback")
    way = propose_back(house.site, how="previous")
    assert way.to is not None and way.to.name == "canary@10"


def test_off_the_ladder_the_next_step_up_is_the_first_rung_above(house: House) -> None:
    house.ramp_to("half@50")
    go(house, "fallback")
    house.ramp()
    assert house.at() == "half@40"
    house.ramp()
    assert house.at() == "half@50"


@pytest.mark.parametrize(
    ("here", "target", "there"),
    [
        ("half@50", "25", "half@25"),
        ("half@50", "half@25", "half@25"),
        ("canary@10", "5", "canary@5"),
        ("half@50", "10", "canary@10"),
        ("half@50", "half@10", "half@10"),
        ("second@100", "full", "full@100"),
        ("second@10", "100", "full@100"),
        ("second@100", "50", "half@50"),
        ("second@100", "second@50", "second@50"),
    ],
)
def test_a_fallback_and_the_parts_can_be_named_and_the_ladder_wins(
    house: House, here: str, target: str, there: str
) -> None:
    house.stand_at(here)
    go(house, "rollback", target)
    assert position(house) == (there, "rollback")


@pytest.mark.parametrize(("target", "said"), [("30", "no step '30'"), ("half@30", "no step 'half@30'")])
def test_a_percentage_that_nothing_names_is_refused_with_all_that_is_named(
    house: House, target: str, said: str
) -> None:
    house.stand_at("half@50")
    with pytest.raises(Refusal, match=said) as refused:
        propose_back(house.site, target)
    told = "\n".join([refused.value.message, *refused.value.next_steps])
    assert "off@0 > canary@10 > half@40 > half@50" in told
    assert "in parts: 100 > 50 > 25 > 10" in told
    assert "the fallback of half: to 25 %" in told


def test_what_was_decided_twice_is_done_once(house: House) -> None:
    house.stand_at("half@50")
    first, second = (propose_back(house.site, how="halve") for _ in range(2))
    house.clock.pass_time(1)
    assert carry_back(house.site, first, house.heard, automatic="error_rate > 5%").outcome == "done"
    with pytest.raises(Refusal, match="somebody moved the service since the look"):
        carry_back(house.site, second, house.heard, automatic="error_rate > 5%")
    assert (house.at(), house.deploys()) == ("half@25", 1)


def test_after_an_automatic_way_down_the_service_is_held_and_after_a_persons_it_is_not(house: House) -> None:
    house.stand_at("half@50")
    go(house, "fallback", automatic="error_rate > 5%")
    held = house.site.state().hold
    assert held is not None
    assert (held.automatic, held.robots) == (True, True) and "error_rate > 5%" in held.reason
    assert house.site.state().automatic == [house.clock.now]
    other = make_house(house.folder / "other", PLAYBOOK + STAGES)
    other.stand_at("half@50")
    go(other, "fallback")
    assert other.site.state().hold is None


def test_of_two_steps_with_one_percentage_going_up_takes_the_next_and_adopt_asks(house: House) -> None:
    house.stand_at("full@100")
    assert house.propose("10").to.name == "second@10"
    house.ramp("10")
    assert (house.at(), shown(house)) == ("second@10", ("10", "12"))
    with pytest.raises(Refusal, match="10 may be canary@10, second@10"):
        adopt(house.site, "10", "which")


def test_with_the_store_away_the_flag_file_tells_where_we_are(house: House) -> None:
    house.stand_at("half@50")
    go(house, "fallback")
    away = open_house(house.folder, house.clock, store=False)
    way = propose_back(away.site, how="partial")
    assert (way.plan.came_from if way.plan else "", way.to.name if way.to else "") == ("half@25", "half@10")
    assert carry_back(away.site, way, away.heard).outcome == "done"
    assert shown(away) == ("10", "3")
