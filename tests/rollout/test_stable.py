"""Declaring a rollout stable: only at the end, only when everything holds, and once."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.judge.verdicts import Verdict
from runbook.rollout.journey import stable_since
from runbook.rollout.roles import sign_role
from runbook.rollout.sign_rows import sign_rows
from runbook.rollout.stable import Ending, declare_stable, propose_stable
from runbook.store.state import State
from runbook.system.refusals import Exit, Refusal
from tests.rollout.site import PLAYBOOK, STAGES, House, make_house, open_house

DAY = 86_400.0
EXTRA = "  - {stage: extra, percent: 100, set: {LIMIT: 12}, optional: true}\n"
SIGNED = STAGES.replace('gates: ["error_rate < 1%"]}', 'gates: ["error_rate < 1%"], sign: final_review}')


def with_extra(text: str, extra: str = EXTRA) -> str:
    return text.replace("rollback:", extra + "rollback:")


def house_at(folder: Path, where: str, stages: str = STAGES) -> House:
    house = make_house(folder, PLAYBOOK + stages)
    house.stand_at(where)
    house.clock.pass_time(DAY)
    return house


def proposed(house: House) -> Ending:
    house.site.forget_state()
    return propose_stable(house.site, house.standing(), 10.0)


def refused(house: House) -> Refusal:
    with pytest.raises(Refusal) as caught:
        proposed(house)
    assert caught.value.next_steps
    return caught.value


def state(house: House) -> State:
    house.site.forget_state()
    return house.site.state()


def test_the_last_step_with_everything_held_ends_the_rollout(tmp_path: Path) -> None:
    house = house_at(tmp_path, "full@100")
    ending = proposed(house)
    assert ending.decision.verdict is Verdict.GO
    declare_stable(house.site, ending, "seven quiet days")
    now = state(house)
    assert (now.rollout, now.stable, now.position and now.position.name) == (None, house.clock.wall(), "full@100")
    assert house.kinds()[-2:] == ["bake.passed", "rollout.ended"]
    ended = [one.event for one in house.store.events(house.site.chain)][-1]
    assert (ended.payload, ended.rollout) == ({"why": "stable", "reason": "seven quiet days"}, 1)
    assert "full" in now.stages, "the numbers of the last stage are kept too"


def test_twice_says_since_when(tmp_path: Path) -> None:
    house = house_at(tmp_path, "full@100")
    declare_stable(house.site, proposed(house))
    since, count = house.clock.wall(), len(house.kinds())
    house.clock.pass_time(DAY)
    assert proposed(house).since == since
    assert len(house.kinds()) == count


def test_what_does_not_hold_is_told_as_for_a_step(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK + SIGNED)
    house.stand_at("full@100")
    house.numbers(error_rate=0.5)
    opened = {"id": 1, "title": "slow", "severity": "P2"}
    house.site.record(house.site.event("incident.opened", opened))
    ending = proposed(house)
    assert ending.decision.verdict is Verdict.NO_GO
    assert [row.kind for row in ending.decision.against()] == ["bake", "gate", "incident", "sign"]


def test_sign_offs_are_asked_and_then_no_more(tmp_path: Path) -> None:
    house = house_at(tmp_path, "full@100", SIGNED)
    assert proposed(house).decision.verdict is Verdict.UNKNOWN
    sign_role(house.site, house.standing(), "final_review", yes=True)
    declare_stable(house.site, proposed(house))
    house.site.forget_state()
    assert sign_rows(house.site, house.standing()) == []


def test_the_calendar_does_not_stand_in_the_way(tmp_path: Path) -> None:
    frozen = "calendar: {freeze: [{from: 2026-09-01, to: 2026-12-31, why: the sale}]}\n"
    house = house_at(tmp_path, "full@100", frozen + STAGES)
    assert proposed(house).decision.verdict is Verdict.GO


@pytest.mark.parametrize(
    ("where", "following"), [("off@0", "canary@5"), ("canary@10", "full@50"), ("full@50", "full@100")]
)
def test_before_the_end_of_the_ladder_it_is_refused(where: str, following: str, tmp_path: Path) -> None:
    said = refused(house_at(tmp_path, where))
    assert said.exit is Exit.NO_GO
    assert said.message == f"we are at {where}: the next step is {following}, which is not optional"
    assert said.next_steps[0] == "runbook gate"


def test_before_the_first_stage_it_is_refused(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    said = refused(house)
    assert (said.exit, "nothing to declare stable" in said.message) == (Exit.NO_GO, True)


def test_optional_stages_may_be_left_out_and_taken_later(tmp_path: Path) -> None:
    house = house_at(tmp_path, "full@100", with_extra(STAGES))
    declare_stable(house.site, proposed(house))
    assert state(house).rollout is None
    house.ramp()
    assert house.at() == "extra@100"
    assert (state(house).rollout, stable_since(state(house))) == (2, None), "the next step began a rollout of its own"


def test_a_stage_after_the_optional_one_that_is_not_keeps_it_open(tmp_path: Path) -> None:
    more = EXTRA + "  - {stage: last, percent: 100, set: {LIMIT: 13}}\n"
    said = refused(house_at(tmp_path, "full@100", with_extra(STAGES, more)))
    assert "the next step is extra@100" in said.message


def test_after_a_way_back_nothing_is_stable(tmp_path: Path) -> None:
    house = house_at(tmp_path, "full@100")
    declare_stable(house.site, proposed(house))
    house.clock.pass_time(60)
    house.rollback("full@50")
    assert stable_since(state(house)) is None


def test_somebody_who_moved_it_since_the_look_is_not_overlooked(tmp_path: Path) -> None:
    house = house_at(tmp_path, "full@100")
    ending = proposed(house)
    house.clock.pass_time(1)
    house.again().rollback("full@50")
    with pytest.raises(Refusal, match="somebody moved the service since the look"):
        declare_stable(house.site, ending)
    assert "rollout.ended" not in house.kinds()


def test_without_the_store_nothing_is_declared(tmp_path: Path) -> None:
    house = house_at(tmp_path, "full@100")
    away = open_house(house.folder, house.clock, store=False)
    assert refused(away).exit is Exit.FAILED


def test_what_came_up_since_the_look_is_seen_under_the_lock(tmp_path: Path) -> None:
    house = house_at(tmp_path, "full@100", SIGNED)
    sign_role(house.site, house.standing(), "final_review", yes=True)
    ending = proposed(house)
    assert ending.decision.verdict is Verdict.GO
    ben = house.again()
    sign_role(ben.site, ben.standing(), "final_review", yes=False, evidence="not yet")
    with pytest.raises(Refusal, match="since the look: final_review: no, ben"):
        declare_stable(house.site, ending)
    assert state(house).rollout == 1
