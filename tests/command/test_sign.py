"""`sign`: the sign-offs of a stage by two people, and the answers to items, as they are typed."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.command.project import SECTIONS, Project, Ran

ROLES = "sign: [verified_by, {reviewed_by: not deployed_by}]"
STAGES = SECTIONS["stages"].replace("    triggers:", f"    {ROLES}\n    triggers:")
PROTECTED = SECTIONS["environments"].rstrip() + "\n    protected: true"
PAPER = "\n  ready: [{check: Team is told, id: told, sign: true}]"
ROLLBACK = "{set: safe, objective: 1m, incident: P1, checklist: [root-cause, told]}"
ANA, BEN = {"RUNBOOK_OPERATOR": "ana"}, {"RUNBOOK_OPERATOR": "ben"}


def role_events(project: Project, *here: str) -> list[dict[str, Any]]:
    events = project.json("history", *here).document["events"]
    return [event for event in events if event["kind"] == "role.signed"]


def signed(project: Project, *here: str) -> list[tuple[str, str, bool]]:
    found = role_events(project, *here)
    return [(event["who"], event["payload"]["role"], event["payload"]["yes"]) for event in found]


def sign_rows(ran: Ran) -> dict[str, dict[str, object]]:
    return {row["id"]: row for row in ran.document["gates"] if row["kind"] == "sign"}


@pytest.fixture
def first(project: Project) -> Project:
    """The project at first@10, where ana brought it, and which asks for two roles."""
    project.write(stages=STAGES)
    ran = project.run("ramp", "10", "--yes", env=ANA)
    assert ran.code == 0, ran
    return project


def test_two_people_sign_and_the_stage_is_left(first: Project) -> None:
    assert first.run("gate").code == 3
    assert first.run("ramp", "--yes", env=BEN).code == 3
    assert first.run("sign", "verified_by", env=ANA).code == 0
    ran = first.json("sign", "reviewed_by", "--evidence", "https://wiki.example.com/42", env=BEN)
    assert (ran.code, ran.document["message"]) == (0, "reviewed_by of first@10: yes, by ben (claimed)")
    assert signed(first) == [("ana", "verified_by", True), ("ben", "reviewed_by", True)]
    rows = sign_rows(first.json("gate"))
    assert [rows[role]["status"] for role in ("verified_by", "reviewed_by")] == ["pass", "pass"]
    assert rows["reviewed_by"]["message"] == "https://wiki.example.com/42"
    assert first.run("ramp", "--yes").code == 0


def test_what_is_recorded_binds_it_to_here_and_now(first: Project) -> None:
    assert first.run("sign", "verified_by", env=BEN).code == 0
    [event] = first.events("role.signed")
    told = event["payload"]
    assert event["rollout"] == 1
    assert (told["role"], told["yes"], told["stage"], told["percent"]) == ("verified_by", True, "first", 10.0)
    assert len(told["playbook"]) == 64
    assert told["since"] > 0


def test_who_deployed_is_refused_with_what_to_do(first: Project) -> None:
    ran = first.json("sign", "reviewed_by", env={"RUNBOOK_OPERATOR": "Ana"})
    assert (ran.code, ran.document["message"]) == (1, "Ana deployed, and reviewed_by has to be somebody else")
    assert ran.document["next"] == ["runbook sign reviewed_by  # typed by somebody else than Ana"]
    assert signed(first) == []


def test_a_no_stops_with_its_evidence(first: Project) -> None:
    for role in ("verified_by", "reviewed_by"):
        assert first.run("sign", role, env=BEN).code == 0
    assert first.run("sign", "reviewed_by", "--no", "--evidence", "answers are wrong", env=BEN).code == 0
    ran = first.json("gate")
    row = sign_rows(ran)["reviewed_by"]
    assert (ran.code, row["status"], row["message"]) == (1, "fail", "answers are wrong")


def test_another_text_of_the_playbook_asks_again(first: Project) -> None:
    for role in ("verified_by", "reviewed_by"):
        assert first.run("sign", role, env=BEN).code == 0
    assert first.run("gate").code == 0
    first.write(stages=STAGES.replace("p95 < 2s", "p95 < 3s"))
    ran = first.json("gate")
    assert ran.code == 3
    assert sign_rows(ran)["verified_by"]["observed"] == "signed by ben (claimed) for another text of the playbook"


def test_where_a_role_is_not_asked_for_it_says_who_is(project: Project) -> None:
    project.write(stages=STAGES)
    ran = project.json("sign", "verified_by")
    assert (ran.code, "no stage was entered yet" in ran.document["message"]) == (1, True)
    assert ran.document["next"][0] == "runbook ramp 10"
    project.at_first()
    ran = project.json("sign", "reveiwed_by")
    assert (ran.code, "did you mean reviewed_by?" in ran.document["message"]) == (2, True)
    assert ran.document["next"] == ["runbook sign reviewed_by", "runbook sign verified_by"]
    assert project.run("sign", "deployed_by").code == 1
    for role, who in (("verified_by", ANA), ("reviewed_by", BEN)):
        assert project.run("sign", role, env=who).code == 0
    assert project.run("ramp", "--yes").code == 0
    ran = project.json("sign", "verified_by")
    assert (ran.code, "we are at wide@50, which asks for nobody's sign-off" in ran.document["message"]) == (1, True)


def test_a_role_wins_over_an_item_of_its_name(project: Project) -> None:
    lists = "\n  ready: [{check: Somebody verified, id: verified_by, sign: true, valid: 30d}]"
    project.write(stages=STAGES, checklists=lists)
    assert project.run("sign", "verified_by").code == 0
    assert len(project.events("check.signed")) == 1, "before the stage is entered only the item is there"
    project.at_first()
    assert project.run("sign", "verified_by").code == 0
    assert len(signed(project)) == 1
    assert project.run("sign", "ready/verified_by", "--no").code == 0
    assert [event["payload"]["yes"] for event in project.events("check.signed")] == [True, False]


def test_a_claim_does_not_sign_in_a_protected_environment(project: Project) -> None:
    """Under sudo the one who called is known; RUNBOOK_OPERATOR is what anybody can write."""
    if os.geteuid() != 0:
        pytest.skip("only root is under sudo")
    project.write(stages=STAGES, environments=PROTECTED)
    here = ("-e", "local")
    ramp = project.run("ramp", "10", *here, "--confirm", "local", env={"SUDO_USER": "ana"})
    assert ramp.code == 0, ramp
    ran = project.json("sign", "verified_by", *here, env=BEN)
    assert ran.code == 1
    assert "RUNBOOK_OPERATOR (ben) is only claimed, and local is protected" in ran.document["message"]
    assert "unset it: you are root by the system" in ran.document["message"]
    assert project.run("sign", "reviewed_by", *here, env={"SUDO_USER": "ana"}).code == 1
    assert signed(project, *here) == []
    for role in ("verified_by", "reviewed_by"):
        assert project.run("sign", role, *here, env={"SUDO_USER": "ben"}).code == 0
    assert [(event["who"], event["known"]) for event in role_events(project, *here)] == [("ben", "sudo")] * 2


def test_a_claimed_deployer_is_told_what_helps(project: Project) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root is under sudo")
    project.write(stages=STAGES, environments=PROTECTED)
    here = ("-e", "local")
    assert project.run("ramp", "10", *here, "--confirm", "local", env=ANA).code == 0
    ran = project.json("sign", "reviewed_by", *here, env={"SUDO_USER": "ben"})
    assert (ran.code, "ana deployed by claim only" in ran.document["message"]) == (1, True)
    assert ran.document["next"][0].startswith("runbook adopt first@10 --reason TEXT")
    adopt = project.run("adopt", "first@10", "--reason", "ana stands for it", *here, env={"SUDO_USER": "ana"})
    assert adopt.code == 0, adopt
    assert project.run("sign", "reviewed_by", *here, env={"SUDO_USER": "ben"}).code == 0


def test_valid_is_for_items(first: Project) -> None:
    ran = first.json("sign", "verified_by", "--valid", "2d")
    assert (ran.code, ran.document["next"]) == (2, ["runbook sign verified_by"])
    assert signed(first) == []


def test_an_item_of_an_incident_is_answered_by_its_name(project: Project) -> None:
    project.write(checklists=PAPER, rollback=ROLLBACK, severities="{P1: {respond: 15m}}")
    assert project.run("sign", "told").code == 0
    assert project.run("ramp", "10", "--yes").code == 0
    assert project.run("sign", "root-cause").code == 2, "no incident is open"
    assert project.run("rollback", "--emergency", "--yes").code == 0
    ran = project.json("sign", "root-cause", "--evidence", "a full disk")
    assert (ran.code, ran.document["message"].startswith("root-cause: yes, by ")) == (0, True)
    assert project.run("sign", "incident/1/root_cause", "--no").code == 0
    answers = [(one["payload"]["check"], one["payload"]["yes"]) for one in project.events("check.signed")[1:]]
    assert answers == [("incident/1/root_cause", True), ("incident/1/root_cause", False)]
    ran = project.json("sign", "told")
    assert (ran.code, ran.document["next"]) == (2, ["runbook sign ready/told", "runbook sign incident/1/told"])
    assert project.run("sign", "root-cause", "--valid", "2d").code == 2


def test_a_sample_needs_a_terminal(project: Project) -> None:
    project.write(checklists="\n  ready: [{check: Words read well, id: words, inspect: words.txt, questions: [Is it]}]")
    ran = project.json("sign", "words")
    assert ran.code == 2
    assert ran.document["message"] == "Words read well needs a terminal: it is judged item by item"
    assert project.run("sign", "words", "--no").code == 2
    assert project.run("preflight").code == 3
    assert project.run("preflight", "--automatic").code == 0
    assert project.events("check.signed") == []
