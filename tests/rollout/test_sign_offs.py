"""Roles that sign before a stage is left: who may, for what it counts, and when it no longer does."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from runbook.judge.verdicts import Reason, Status, Verdict
from runbook.rollout.roles import sign_role
from runbook.rollout.rows import Decision, Row
from runbook.rollout.signing import refuse_claimed, refuse_elsewhere, refuse_signing, role_here
from runbook.store.events import Who
from runbook.system.refusals import Exit, Refusal
from tests.rollout.site import PLAYBOOK, STAGES, House, make_house, open_house

HOUR = 3600.0
SIGN = "sign: [verified_by, {reviewed_by: not deployed_by}, {approved_by: not reviewed_by}]"
TEXT = PLAYBOOK + STAGES.replace("bake: 1h", f"bake: 1h, {SIGN}".replace(", ", "\n    ", 1))
PROTECTED = TEXT.replace("  production:\n", "  production:\n    protected: true\n")


def house_at(folder: Path, where: str = "canary@10", text: str = TEXT) -> House:
    """A service that ana brought there, with its bake over."""
    house = make_house(folder, text)
    house.stand_at(where)
    house.clock.pass_time(HOUR)
    return house


@pytest.fixture
def house(tmp_path: Path) -> House:
    return house_at(tmp_path)


def decision(house: House) -> Decision:
    return house.propose().decision


def row(house: House, role: str) -> Row:
    return next(row for row in decision(house).rows if row.kind == "sign" and row.id == role)


def as_(house: House, who: str, known: str = "os-user") -> House:
    """The same service, as somebody else's command finds it."""
    other = open_house(house.folder, house.clock, operator=who)
    other.site.who = Who(operator=who, host="app-2", known=known)
    return other


def sign(house: House, who: str, role: str, *, yes: bool = True, known: str = "os-user", evidence: str = "") -> None:
    """Sign as the command does: what refuses it is raised."""
    other = as_(house, who, known)
    refuse_claimed(other.site, f"runbook sign {role}", "root")
    refuse_signing(other.site, other.standing(), role)
    sign_role(other.site, other.standing(), role, yes=yes, evidence=evidence)
    house.site.forget_state()


def refused(house: House, who: str, role: str, known: str = "os-user") -> Refusal:
    before = len(house.kinds())
    with pytest.raises(Refusal) as caught:
        sign(house, who, role, known=known)
    assert caught.value.exit is Exit.NO_GO
    assert caught.value.next_steps
    assert len(house.kinds()) == before, "what is refused is not recorded"
    return caught.value


def test_a_stage_is_left_when_every_role_has_signed(house: House) -> None:
    assert decision(house).verdict is Verdict.UNKNOWN
    sign(house, "ana", "verified_by")
    sign(house, "ben", "reviewed_by", evidence="https://wiki.example.com/42")
    assert decision(house).verdict is Verdict.UNKNOWN, "one is missing"
    sign(house, "ana", "approved_by")
    made = decision(house)
    assert made.verdict is Verdict.GO
    signed = [one for one in made.rows if one.kind == "sign"]
    assert [one.id for one in signed] == ["verified_by", "reviewed_by", "approved_by"], "in the playbook's order"
    assert signed[1].observed.startswith("ben, ")
    assert signed[1].message == "https://wiki.example.com/42"
    assert signed[1].expected == "not deployed_by (ana)"


def test_nobody_has_signed_yet(house: House) -> None:
    bare, ruled, other = (row(house, role) for role in ("verified_by", "reviewed_by", "approved_by"))
    assert (bare.status, bare.reason, bare.observed) == (Status.UNKNOWN, Reason.NODATA, "no sign-off yet")
    assert bare.remedy == "runbook sign verified_by"
    assert ruled.remedy == "runbook sign reviewed_by  typed by somebody else than ana"
    assert (other.expected, other.remedy) == ("not reviewed_by", "runbook sign approved_by"), "nobody reviewed yet"


def test_sign_offs_stand_after_everything_else(house: House) -> None:
    house.numbers(error_rate=0.5)
    kinds = [row.kind for row in decision(house).rows]
    assert kinds[-3:] == ["sign"] * 3
    assert "gate" in kinds[:-3]


def test_within_a_stage_nobody_signs(tmp_path: Path) -> None:
    house = house_at(tmp_path, "canary@5")
    assert [row for row in decision(house).rows if row.kind == "sign"] == []
    assert "canary@10, is still within it" in refused(house, "ben", "verified_by").message


def test_below_the_ladder_of_its_stage_nobody_signs_either(tmp_path: Path) -> None:
    house = house_at(tmp_path, "canary@5")
    told = {"stage": "canary", "percent": 7.0, "how": "fallback", "flags": dict(house.flags())}
    house.site.record(house.site.event("position.entered", told))
    assert [row for row in decision(house).rows if row.kind == "sign"] == []


def test_who_deployed_does_not_review(house: House) -> None:
    said = refused(house, "ana", "reviewed_by")
    assert said.message == "ana deployed, and reviewed_by has to be somebody else"
    assert said.next_steps == ("runbook sign reviewed_by  typed by somebody else than ana",)
    assert "ANA deployed" in refused(house, "ANA", "reviewed_by").message, "capitals make nobody another person"


def test_who_deployed_is_who_made_the_last_step(tmp_path: Path) -> None:
    house = make_house(tmp_path, TEXT)
    house.stand_at("canary@5")
    house.clock.pass_time(HOUR)
    ben = as_(house, "ben")
    ben.ramp()
    assert ben.at() == "canary@10"
    assert "ben deployed" in refused(ben, "ben", "reviewed_by").message
    sign(ben, "ana", "reviewed_by")
    assert row(ben, "reviewed_by").status is Status.PASS


def test_a_rule_between_two_roles_holds_in_either_order(house: House) -> None:
    sign(house, "ben", "reviewed_by")
    assert "ben signed reviewed_by" in refused(house, "ben", "approved_by").message
    sign(house, "eva", "approved_by")
    assert (
        "eva signed approved_by, and reviewed_by has to be somebody else"
        in refused(house, "eva", "reviewed_by").message
    )
    assert {row(house, role).status for role in ("reviewed_by", "approved_by")} == {Status.PASS}


def test_a_sign_off_that_no_rule_lets_count_is_a_no(house: House) -> None:
    """As events from another machine can be there, which asked nobody."""
    sign_role(house.site, house.standing(), "reviewed_by", yes=True)
    house.site.forget_state()
    shown = row(house, "reviewed_by")
    assert (shown.status, shown.message) == (Status.FAIL, "ana deployed as well: somebody else has to sign")
    assert decision(house).verdict is Verdict.NO_GO


def test_a_no_is_a_no_until_the_next_word(house: House) -> None:
    sign(house, "ben", "reviewed_by", yes=False, evidence="the answers are wrong")
    shown = row(house, "reviewed_by")
    assert (shown.status, shown.message) == (Status.FAIL, "the answers are wrong")
    assert shown.observed.startswith("no, ben, ")
    assert shown.remedy.startswith("runbook sign reviewed_by")
    sign(house, "ben", "reviewed_by")
    assert row(house, "reviewed_by").status is Status.PASS


def test_another_text_of_the_playbook_asks_again(house: House) -> None:
    sign(house, "ben", "reviewed_by")
    path = house.file("playbooks/checkout.yaml")
    path.write_text(path.read_text().replace("error_rate < 1%", "error_rate < 3%"))
    house.site = open_house(house.folder, house.clock).site
    shown = row(house, "reviewed_by")
    assert (shown.status, shown.observed) == (Status.UNKNOWN, "signed by ben for another text of the playbook")
    assert shown.remedy == "runbook sign reviewed_by  typed by somebody else than ana"


def test_a_comment_in_the_playbook_is_no_other_text(house: House) -> None:
    sign(house, "ben", "reviewed_by")
    path = house.file("playbooks/checkout.yaml")
    path.write_text("# who reads this\n" + path.read_text())
    house.site = open_house(house.folder, house.clock).site
    assert row(house, "reviewed_by").status is Status.PASS


def test_entering_again_asks_again(house: House) -> None:
    sign(house, "ben", "verified_by")
    house.rollback("canary@5")
    house.clock.pass_time(HOUR)
    house.ramp()
    assert house.at() == "canary@10"
    shown = row(house, "verified_by")
    assert (shown.status, shown.observed) == (Status.UNKNOWN, "signed by ben for an earlier entry, of canary@10")


def test_a_new_build_asks_again(house: House) -> None:
    sign(house, "ben", "verified_by")
    house.clock.pass_time(60)
    told = {"version": "2", "before": "1", "boot": house.clock.boot_id(), "boot_time": house.clock.boot_time()}
    house.site.record(house.site.event("bake.restarted", told))
    shown = row(house, "verified_by")
    assert (shown.status, shown.observed) == (Status.UNKNOWN, "signed by ben before the new build came")
    sign(house, "ben", "verified_by")
    assert row(house, "verified_by").status is Status.PASS


def test_another_rollout_asks_again(house: House) -> None:
    sign(house, "ben", "verified_by")
    house.site.record(house.site.event("rollout.started", {"number": 2}))
    assert row(house, "verified_by").observed == "signed by ben in another rollout"


def test_a_claimed_name_does_not_sign_in_a_protected_environment(tmp_path: Path) -> None:
    house = house_at(tmp_path, text=PROTECTED)
    said = refused(house, "ben", "verified_by", known="claimed")
    assert "RUNBOOK_OPERATOR (ben) is only claimed, and production is protected" in said.message
    assert "unset it: you are root by the system" in said.message
    assert said.next_steps[0].endswith("then  runbook sign verified_by")
    claimed = as_(house, "ben", "claimed")
    sign_role(claimed.site, claimed.standing(), "verified_by", yes=True)
    house.site.forget_state()
    shown = row(house, "verified_by")
    assert shown.status is Status.UNKNOWN
    assert shown.observed == "signed by ben (claimed) but only by claim, and production is protected"


@pytest.mark.parametrize("known", ["os-user", "sudo", "ci-token"])
def test_a_known_name_signs_in_a_protected_environment(known: str, tmp_path: Path) -> None:
    house = house_at(tmp_path, text=PROTECTED)
    sign(house, "ben", "reviewed_by", known=known)
    assert row(house, "reviewed_by").status is Status.PASS


def test_in_a_protected_environment_a_claimed_deployer_keeps_everybody_out(tmp_path: Path) -> None:
    house = make_house(tmp_path, PROTECTED)
    as_(house, "ana", "claimed").stand_at("canary@10")
    house.clock.pass_time(HOUR)
    said = refused(house, "ben", "reviewed_by")
    assert "ana deployed by claim only, so nobody can be shown to be somebody else" in said.message
    assert said.next_steps[0].startswith("runbook adopt canary@10 --reason TEXT")
    shown = row(house, "reviewed_by")
    assert (shown.status, shown.expected) == (Status.UNKNOWN, "not deployed_by (ana, claimed)")
    assert shown.remedy == said.next_steps[0]
    sign(house, "ben", "verified_by")
    assert row(house, "verified_by").status is Status.PASS, "a role without a rule needs nobody else"


def test_elsewhere_a_claimed_name_counts_and_is_marked(house: House) -> None:
    sign(house, "ben", "reviewed_by", known="claimed")
    shown = row(house, "reviewed_by")
    assert shown.status is Status.PASS
    assert shown.observed.startswith("ben (claimed), ")


def test_a_role_signs_only_in_its_stage(tmp_path: Path) -> None:
    house = make_house(tmp_path, TEXT)
    assert role_here(house.standing(), "verified_by") is None
    for where, told in [("", "no stage was entered yet"), ("full@50", "we are at full@50, which asks for nobody's")]:
        if where:
            house.stand_at(where)
        with pytest.raises(Refusal) as caught:
            refuse_elsewhere(house.site, house.standing(), "verified_by")
        assert "verified_by signs before canary is left" in caught.value.message
        assert told in caught.value.message
        assert caught.value.exit is Exit.NO_GO
    refuse_elsewhere(house.site, house.standing(), "nobody_by")
    with pytest.raises(Refusal, match="recorded by ramp itself"):
        refuse_elsewhere(house.site, house.standing(), "deployed_by")


def test_without_the_store_nobody_signs(house: House) -> None:
    away = open_house(house.folder, house.clock, operator="ben", store=False)
    with pytest.raises(Refusal) as caught:
        refuse_elsewhere(away.site, away.standing(), "verified_by")
    assert caught.value.exit is Exit.FAILED
    assert "the store is away" in caught.value.message


def test_a_manual_item_among_the_gates_may_be_left_out_somewhere(tmp_path: Path) -> None:
    gates = 'gates: [{sign: No bug is open, unless: production}, {gate: "error_rate < 1%", only: staging}]'
    text = TEXT.replace('gates: ["error_rate < 2%"]', gates).replace(f"    {SIGN}\n", "")
    text = text.replace("environments:\n", "environments:\n  staging: {flags_in: {env: .env}}\n")
    house = house_at(tmp_path, text=text)
    house.numbers(error_rate=0.03)
    made = decision(house)
    skipped = {one.id: (one.status, one.message) for one in made.rows if one.status is Status.SKIPPED}
    assert skipped == {
        "gate/1": (Status.SKIPPED, "not judged in production"),
        "no_bug_is_open": (Status.SKIPPED, "not asked in production"),
    }
    assert made.verdict is Verdict.GO


def test_a_role_may_be_dropped_from_the_playbook(house: House) -> None:
    sign(house, "ben", "reviewed_by")
    stages = [msgspec.structs.replace(stage, sign=()) for stage in house.site.playbook.stages]
    house.site.playbook = msgspec.structs.replace(house.site.playbook, stages=tuple(stages))
    assert decision(house).verdict is Verdict.GO
