"""What people say counts for the step it was said of: not from before it, and also after the plan was shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.checks.turns import never_came
from runbook.judge.verdicts import Status
from runbook.rollout.ramp import carry_out
from runbook.rollout.roles import sign_role
from runbook.rollout.rows import Row
from runbook.rollout.sign_rows import sign_rows
from runbook.system.refusals import Exit, Refusal
from tests.rollout.site import PLAYBOOK, STAGES, House, make_house

HOUR = 3600.0
TEXT = PLAYBOOK + STAGES.replace(
    'gates: ["error_rate < 2%"]',
    'gates: ["error_rate < 2%", {sign: No bug}, {sign: Trained, valid: 30d}]\n    sign: [verified_by]',
)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """At canary@10 with its bake over."""
    house = make_house(tmp_path, TEXT)
    house.stand_at("canary@10")
    house.clock.pass_time(HOUR)
    return house


def answer(house: House, name: str, *, yes: bool = True, **more: float) -> None:
    told = {"check": f"canary/{name}", "title": name, "yes": yes, "evidence": "", **more}
    house.site.record(house.site.event("check.signed", told))
    house.site.forget_state()


def row(house: House, name: str) -> Row:
    return next(one for one in sign_rows(house.site, house.standing()) if one.id == name)


def test_an_answer_from_before_the_step_is_asked_again(house: House) -> None:
    answer(house, "no_bug")
    assert row(house, "no_bug").status is Status.PASS
    house.clock.pass_time(HOUR)
    house.stand_at("canary@10")  # down and up again
    house.clock.pass_time(HOUR)
    again = row(house, "no_bug")
    assert (again.status, again.observed) == (Status.UNKNOWN, "yes, ana, before this step was entered")
    assert again.remedy == "runbook sign no_bug"
    answer(house, "no_bug")
    assert row(house, "no_bug").status is Status.PASS


def test_what_is_valid_for_a_time_outlives_the_step(house: House) -> None:
    answer(house, "trained", valid_until=house.clock.wall() + 30 * 24 * HOUR)
    house.stand_at("canary@10")
    assert row(house, "trained").status is Status.PASS
    house.clock.pass_time(29 * 24 * HOUR)
    assert row(house, "trained").status is Status.PASS
    house.clock.pass_time(25 * HOUR)
    assert row(house, "trained").status is Status.UNKNOWN


def test_a_new_build_asks_again(house: House) -> None:
    answer(house, "no_bug")
    told = {"version": "2", "before": "1", "boot": house.clock.boot_id(), "boot_time": house.clock.boot_time()}
    house.clock.pass_time(1)
    house.site.record(house.site.event("bake.restarted", told))
    house.site.forget_state()
    assert row(house, "no_bug").status is Status.UNKNOWN


@pytest.mark.parametrize("said", ["verified_by", "no_bug", "incident"])
def test_a_no_between_the_plan_and_its_confirmation_stops_it(house: House, said: str) -> None:
    for name in ("no_bug", "trained"):
        answer(house, name)
    sign_role(house.site, house.standing(), "verified_by", yes=True)
    proposal = house.propose()
    assert proposal.decision.verdict == "go"
    before, ben = house.env(), house.again()
    house.clock.pass_time(60)
    if said == "verified_by":
        sign_role(ben.site, ben.standing(), "verified_by", yes=False, evidence="p95 grows")
    elif said == "no_bug":
        answer(ben, "no_bug", yes=False)
    else:
        ben.site.record(ben.site.event("incident.opened", {"id": 1, "title": "slow", "severity": "P2"}))
    with pytest.raises(Refusal, match=r"since the look: .*Nothing was changed") as refused:
        carry_out(house.site, proposal, house.heard)
    assert (refused.value.exit, house.env(), house.at()) == (Exit.NO_GO, before, "canary@10")


def test_what_was_known_and_overridden_does_not_stop_it(house: House) -> None:
    proposal = house.propose()
    assert proposal.decision.verdict != "go"
    assert carry_out(house.site, proposal, house.heard).outcome == "done"


def test_no_time_at_all_is_no_negative_time() -> None:
    assert never_came(-0.004).startswith("the other checks took all 0 s of this look")
