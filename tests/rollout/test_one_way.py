"""A stage that is not gone back past: every way down is held to it, and the emergency ends at its own fallback."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from runbook.actions.steps import Act, SetFlags
from runbook.rollout.emergency import Alarm, emergency, way_out
from runbook.rollout.ladder import ladder
from runbook.rollout.operation import Ended
from runbook.rollout.refuge import refuge_of
from runbook.rollout.rollback import carry_back, propose_back
from runbook.rollout.standing import Standing
from runbook.store.state import Position
from runbook.system.refusals import Exit, Refusal
from tests.rollout.site import PLAYBOOK, House, make_house, open_house

STAGES = """\
stages:
  - {stage: off, percent: 0}
  - {stage: canary, percent: 10, set: {NEW_CART: true, LIMIT: 3}}
  - {stage: moved, percent: [40, 50], set: {LIMIT: 5}, one_way: true, fallback: 25}
  - {stage: full, percent: [80, 100], set: {LIMIT: 9}, fallback: previous}
rollback:
  set: safe
  partial: {ladder: [50, 25], bake: 2h}
"""
BY_ACTION = STAGES.replace("fallback: 25", "fallback: {do: Switch reads, run: echo switched >> own.log}")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path, PLAYBOOK + STAGES)


def alarm(house: House) -> Ended:
    house.site.forget_state()
    return emergency(house.site, house.heard, Alarm(reason="answers are wrong"))


def shown(house: House) -> tuple[str | None, str | None]:
    flags = house.flags()
    return flags["PERCENT"], flags["LIMIT"]


@pytest.mark.parametrize(
    ("here", "how", "target", "told"),
    [
        (
            "moved@40",
            "rollback",
            None,
            ["--fallback  does the fallback of moved: to 25 %", "--partial  goes to moved@25"],
        ),
        ("full@100", "rollback", "canary", ["rollback  goes to full@80", "--emergency  does the fallback of moved"]),
        ("full@80", "rollback", "off", ["rollback  goes to moved@50", "--partial  goes to full@50"]),
        ("full@100", "rollback", "0", ["--emergency  does the fallback of moved: to 25 %"]),
    ],
)
def test_going_back_past_it_is_refused_with_what_is_possible(
    house: House, here: str, how: str, target: str | None, told: list[str]
) -> None:
    house.stand_at(here)
    with pytest.raises(Refusal, match="cannot be gone back to: moved is one_way") as refused:
        propose_back(house.site, target, how)
    assert refused.value.exit is Exit.NO_GO
    said = "\n".join(refused.value.next_steps)
    assert [line for line in told if line not in said] == []


def test_below_the_last_part_stands_the_same_wall(house: House) -> None:
    house.stand_at("moved@50")
    for there in ("moved@25",):
        way = propose_back(house.site, how="partial")
        carry_back(house.site, way, house.heard)
        assert house.at() == there
    with pytest.raises(Refusal, match="off@0 cannot be gone back to"):
        propose_back(house.site, how="partial")


@pytest.mark.parametrize(
    ("here", "target", "there"),
    [("full@80", None, "moved@50"), ("moved@50", None, "moved@40"), ("canary@10", None, "off@0")],
)
def test_within_it_and_below_it_the_way_back_is_free(house: House, here: str, target: str | None, there: str) -> None:
    house.stand_at(here)
    way = propose_back(house.site, target)
    assert way.to is not None and way.to.name == there


@pytest.mark.parametrize(
    ("here", "there", "values"),
    [
        ("full@100", "moved@25", ("25", "5")),
        ("moved@50", "moved@25", ("25", "5")),
        ("canary@10", "off@0", ("0", "0")),
        ("off@0", "off@0", ("0", "0")),
    ],
)
def test_the_emergency_ends_at_its_own_fallback(house: House, here: str, there: str, values: tuple[str, str]) -> None:
    house.stand_at(here)
    out = way_out(house.site)
    ended = alarm(house)
    assert (ended.outcome, ended.exit, ended.incident) == ("done", Exit.GO, 1)
    assert (house.at(), shown(house)) == (there, values)
    assert house.file("live.env").read_text() == house.env()
    position, safe = house.standing().position, there == "off@0"
    assert position is not None and position.how == "emergency"
    assert (house.site.state().rollout is None) is safe
    assert ("one_way" in out.way.message) is not safe
    assert ended.message.startswith(f"checkout is at {'safe' if safe else there}")


def test_the_emergency_never_goes_up_within_it(house: House) -> None:
    house.stand_at("moved@50")
    for _ in range(2):
        assert alarm(house).outcome == "done"
        assert house.at() == "moved@25"
    assert house.standing().drift == ()


@pytest.mark.parametrize(
    ("fallback", "here", "there"),
    [
        ("25", "full@10", "moved@10"),
        ("25", "full@30", "moved@25"),
        ("25", "again@20", "moved@20"),
        ("25", "again@100", "moved@25"),
        ("{do: Switch reads, run: echo switched}", "full@10", "moved@10"),
        ("{do: Switch reads, run: echo switched}", "again@20", "moved@20"),
        ("{do: Switch reads, run: echo switched}", "again@100", "moved@40"),
    ],
)
def test_the_emergency_gives_it_to_no_more_users_than_now(tmp_path: Path, fallback: str, here: str, there: str) -> None:
    again = "  - {stage: again, percent: [20, 100], again: true, set: {LIMIT: 12}}\nrollback:"
    text = STAGES.replace("rollback:", again).replace("fallback: 25", f"fallback: {fallback}")
    site = make_house(tmp_path, PLAYBOOK + text).site
    stage, _, percent = here.partition("@")
    standing = Standing(ladder(site.playbook), Position(stage=stage, percent=float(percent), since=0.0), True)
    to = refuge_of(standing).to
    assert to is not None and to.name == there


def test_a_one_way_stage_without_a_way_of_its_own_is_gone_past_and_named(house: House) -> None:
    stages = [msgspec.structs.replace(stage, fallback=None) for stage in house.site.playbook.stages]
    house.site.playbook = msgspec.structs.replace(house.site.playbook, stages=tuple(stages))
    house.stand_at("full@100")
    way = way_out(house.site).way
    assert way.safe and way.message.endswith("past moved, which is one_way and has no fallback of its own")


def test_its_action_is_run_where_we_are_and_from_above_after_its_lowest_step(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK + BY_ACTION)
    house.stand_at("moved@50")
    before = house.env()
    assert [type(step) for step in way_out(house.site).plan.steps[:-1]] == [Act]
    assert alarm(house).outcome == "done"
    assert (house.env(), house.deploys(), house.at()) == (before, 0, "moved@50")
    house.stand_at("full@100")
    assert isinstance(way_out(house.site).plan.steps[0], SetFlags)
    assert alarm(house).outcome == "done"
    assert (house.at(), shown(house), house.deploys()) == ("moved@40", ("40", "5"), 1)
    assert house.file("own.log").read_text() == "switched\nswitched\n"


def test_with_the_store_away_the_file_tells_and_where_nothing_tells_it_is_the_safe_flags(house: House) -> None:
    house.stand_at("moved@50")
    away = open_house(house.folder, house.clock, store=False)
    assert alarm(away).outcome == "done"
    assert shown(away) == ("25", "5")
    away.file(".env").write_text("PERCENT=33\nLIMIT=77\nNEW_CART=true\n")
    assert alarm(away).outcome == "done"
    assert shown(away) == ("0", "0")
