"""Waivers: a check that is passed over for a while, with a reason; and what can never be."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.checks.base import CheckResult
from runbook.judge.verdicts import Status, Verdict
from runbook.rollout.rows import Decision
from runbook.rollout.waivers import end_waiver, find_waivable, waivable, waive_check
from runbook.system.refusals import Exit, Refusal
from tests.rollout.site import PLAYBOOK, STAGES, House, make_house

DAY = 86_400.0
LISTS = """\
checklists:
  ready:
    - {check: Backup is there, id: backup, file: backup}
    - check: On paper
      all:
        - {check: Words are there, id: words, file: words}
        - {check: Team is told, id: told, sign: true}
"""
TEXT = (
    PLAYBOOK
    + LISTS
    + STAGES.replace("percent: [5, 10]", "percent: [5, 10]\n    requires: ready").replace(
        'gates: ["error_rate < 2%"]', 'gates: ["error_rate < 2%", {sign: No bug is open}]\n    sign: verified_by'
    )
)


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = make_house(tmp_path, TEXT)
    house.stand_at("off@0")
    return house


def waive(house: House, name: str, seconds: float = DAY, reason: str = "the host is replaced") -> None:
    check = find_waivable(house.site, name)
    waive_check(house.site, check, until=house.clock.wall() + seconds, reason=reason)
    house.site.forget_state()


def decision(house: House) -> Decision:
    return house.propose("5").decision


def checks(made: Decision) -> dict[str, CheckResult]:
    flat = [*made.checks, *(nested for one in made.checks for nested in one.nested)]
    return {one.check.id: one for one in flat}


def test_a_waived_check_holds_nothing_back_until_it_ends(house: House) -> None:
    assert decision(house).verdict is Verdict.NO_GO
    for name in ("backup", "words", "ready/told"):
        waive(house, name)
    made = decision(house)
    assert made.verdict is Verdict.GO
    shown = checks(made)
    assert {shown[name].status for name in ("backup", "words", "told")} == {Status.WAIVED}
    assert "by ana: the host is replaced" in shown["backup"].message
    assert shown["on_paper"].status is Status.PASS
    house.clock.pass_time(DAY - 1)
    assert decision(house).verdict is Verdict.GO
    house.clock.pass_time(1)
    assert decision(house).verdict is Verdict.NO_GO


def test_a_whole_list_on_paper_may_be_waived(house: House) -> None:
    house.file("backup").write_text("")
    waive(house, "on_paper")
    assert decision(house).verdict is Verdict.GO


def test_one_that_has_ended_is_told_beside_what_does_not_hold(house: House) -> None:
    for name in ("backup", "words"):
        waive(house, name, 3600)
    house.clock.pass_time(7200)
    shown = checks(decision(house))
    for name in ("backup", "words"):
        assert shown[name].status is Status.FAIL
        assert "waived until " in shown[name].message
        assert shown[name].message.endswith(" by ana; it has ended")
    assert "waived" not in shown["told"].message
    house.file("backup").write_text("")
    assert "waived" not in checks(decision(house))["backup"].message, "where it holds nothing is told"


def test_one_that_a_person_ended_is_over(house: House) -> None:
    waive(house, "backup")
    was = end_waiver(house.again().site, find_waivable(house.site, "backup"), reason="the host is there")
    assert was is not None
    assert (was.who, was.reason) == ("ana", "the host is replaced")
    house.site.forget_state()
    shown = checks(decision(house))["backup"]
    assert (shown.status, "waived" in shown.message) == (Status.FAIL, False)
    assert end_waiver(house.site, find_waivable(house.site, "backup"), reason="twice") is None


def test_the_newest_waiver_counts(house: House) -> None:
    house.file("words").write_text("")
    waive(house, "told")
    waive(house, "backup", 60)
    waive(house, "backup", 2 * DAY, "longer")
    house.clock.pass_time(3600)
    assert "longer" in checks(decision(house))["backup"].message
    waive(house, "backup", 60, "shorter")
    house.clock.pass_time(61)
    assert decision(house).verdict is Verdict.NO_GO


def test_a_waiver_is_no_answer(house: House) -> None:
    """It passes with the check; the rollout's own gates and sign-offs are asked all the same."""
    for name in ("backup", "words", "told"):
        waive(house, name)
    house.ramp_to("canary@10")
    house.clock.pass_time(3600)
    asked = {row.id: row.status for row in house.propose().decision.rows if row.kind == "sign"}
    assert asked == {"no_bug_is_open": Status.UNKNOWN, "verified_by": Status.UNKNOWN}


def test_ninety_days_are_the_longest(house: House) -> None:
    waive(house, "backup", 90 * DAY)
    with pytest.raises(Refusal) as caught:
        waive(house, "backup", 90 * DAY + 1)
    assert caught.value.exit is Exit.NO_GO
    assert "90 d" in caught.value.message
    assert caught.value.next_steps[0] == "runbook waive ready/backup --until 90d --reason TEXT"


def test_only_checks_of_checklists_can_be_waived(house: House) -> None:
    names = [check.full_id for check in waivable(house.site)]
    assert names == ["ready/backup", "ready/on_paper", "ready/words", "ready/told"]


@pytest.mark.parametrize(
    ("name", "why", "exit_"),
    [
        ("the_service_runs_with_the_file", "belongs to verify", Exit.NO_GO),
        ("error_rate < 2%", "a gate is passed by ramp --override", Exit.NO_GO),
        ("gate/0", "a gate is passed by ramp --override", Exit.NO_GO),
        ("no_bug_is_open", "a gate is passed by ramp --override", Exit.NO_GO),
        ("verified_by", "a gate is passed by ramp --override", Exit.NO_GO),
        ("bake", "a gate is passed by ramp --override", Exit.NO_GO),
        ("calendar", "a gate is passed by ramp --override", Exit.NO_GO),
        ("safe_defaults", "the safe flags cannot be waived", Exit.NO_GO),
        ("drift", "the safe flags cannot be waived", Exit.NO_GO),
        ("NEW_CART", "the safe flags cannot be waived", Exit.NO_GO),
        ("bakcup", "did you mean backup?", Exit.USAGE),
        ("quite another thing", "there is no check", Exit.USAGE),
    ],
)
def test_what_cannot_be_waived_says_why(house: House, name: str, why: str, exit_: Exit) -> None:
    with pytest.raises(Refusal) as caught:
        find_waivable(house.site, name)
    assert why in caught.value.message
    assert caught.value.exit is exit_
    assert caught.value.next_steps


def test_a_name_of_two_lists_has_to_be_told_apart(tmp_path: Path) -> None:
    more = LISTS + "  later:\n    - {check: Backup is there, id: backup, file: backup}\n"
    house = make_house(tmp_path, TEXT.replace(LISTS, more))
    with pytest.raises(Refusal) as caught:
        find_waivable(house.site, "backup")
    assert [step.split()[2] for step in caught.value.next_steps] == ["ready/backup", "later/backup"]
    assert find_waivable(house.site, "later/backup").full_id == "later/backup"
