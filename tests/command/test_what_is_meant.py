"""Names, texts and moments typed by somebody tired: each refusal says what, why, and what to type instead."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.command.project import RUNBOOK, SECTIONS, Project, Ran, environment

MANY = "\n  ready:" + "".join(
    f"\n    - {{check: Box number {number} is ticked, id: box_{number}, sign: true}}" for number in range(12)
)
PROTECTED = SECTIONS["environments"].rstrip() + "\n    protected: true"
ELSEWHERE = PROTECTED + SECTIONS["environments"].replace("  local:", "  staging:").rstrip()
LOAD = "\n  ready: [{check: Load, load: /health, requests: 10000, expect: 'p95 < 3s'}, {check: Answers, http: /health}]"
GATE_ITEM = SECTIONS["stages"].replace('"p95 < 2s"]', "{sign: All is quiet}]\n    sign: [verified_by]", 1)
WHY = ("--reason", "later")


def following(ran: Ran) -> str:
    """The first line that a screen says to type."""
    return next(line for line in ran.out.splitlines() if line.startswith("Next: ")).removeprefix("Next: ")


def test_an_item_is_named_by_what_the_screen_shows(project: Project) -> None:
    project.write(checklists=MANY)
    assert project.json("sign", "Box number 3 is ticked").code == 0
    assert project.json("waive", "box number 4 is TICKED", "--until", "2d", *WHY).code == 0
    statuses = {row["id"]: row["status"] for row in project.json("preflight").document["checks"]}
    assert (statuses["box_3"], statuses["box_4"], statuses["box_5"]) == ("pass", "waived", "unknown")


@pytest.mark.parametrize("command", [("sign",), ("waive", "--until", "2d", *WHY)])
def test_of_many_names_the_likeliest_are_said(project: Project, command: tuple[str, ...]) -> None:
    project.write(checklists=MANY)
    ran = project.json(*command, "bxo_7")
    assert (ran.code, len(ran.document["next"])) == (2, 6)
    assert "ready/box_7" in ran.document["next"][0]
    assert ran.document["next"][-1] == "and 7 more, in playbooks/ranker.yaml"


def test_a_stage_that_is_none_is_usage_and_another_one_no_go(project: Project) -> None:
    ran = project.json("gate", "frist")
    assert (ran.code, "did you mean first?" in ran.document["message"]) == (2, True)
    assert "it has off, first, wide" in project.json("gate", "30").document["message"]
    project.at_first()
    ran = project.json("gate", "wide")
    assert (ran.code, ran.document["message"]) == (1, "only where we are can be left: we are at first@10")


def test_where_our_stage_is_gone_nobody_speaks_of_the_top(project: Project) -> None:
    project.at_first()
    project.write(stages=SECTIONS["stages"].replace("stage: first", "stage: other"))
    ran = project.run("gate")
    assert ran.code == 1
    assert "first@10, which is no step of the ladder" in ran.out and "the top" not in ran.out


def test_blanks_are_no_reason_and_a_book_is_no_evidence(project: Project) -> None:
    project.write(checklists=MANY)
    ran = project.json("waive", "box_1", "--until", "2d", "--reason", "  ")
    assert (ran.code, ran.document["message"]) == (2, "a waiver needs --reason")
    for option in (("sign", "box_1", "--evidence"), ("waive", "box_1", "--until", "2d", "--reason")):
        ran = project.json(*option, "x" * 5001)
        assert (ran.code, "5,001 characters" in ran.document["message"]) == (2, True)
    assert project.events() == []


def test_an_answer_that_never_counts_is_none(project: Project) -> None:
    project.write(checklists=MANY)
    ran = project.json("sign", "box_1", "--valid", "0s")
    assert (ran.code, ran.document["message"]) == (2, "--valid 0s: the answer would never count")
    assert project.events() == []


def test_long_evidence_is_shown_in_part(project: Project) -> None:
    project.write(stages=GATE_ITEM)
    project.at_first()
    assert project.run("sign", "verified_by", "--evidence", "y" * 4000).out.count("y") < 500
    assert project.run("sign", "all_is_quiet", "--evidence", "z" * 4000).out.count("z") < 500
    shown = project.run("gate").out
    assert 0 < shown.count("y" * 250) == shown.count("z" * 250) and "y" * 400 not in shown
    assert project.events("role.signed")[0]["payload"]["evidence"] == "y" * 4000


def test_what_preflight_says_next_can_be_typed(project: Project) -> None:
    project.write(checklists=LOAD)
    ran = project.run("preflight", "--deadline", "1s", "--only", "ready/load")
    assert ran.code == 3
    assert following(ran).startswith("runbook preflight first --only ready/load --deadline ")
    assert following(project.run("preflight", "--only", "answers")) == "runbook preflight first"


@pytest.mark.parametrize(
    ("environments", "said"),
    [
        (ELSEWHERE, "runbook preflight first --only load -e staging"),
        (PROTECTED, "allow: true at the load in the playbook, then  runbook preflight first --only load -e local"),
    ],
)
def test_a_load_on_a_protected_environment_is_sent_elsewhere(project: Project, environments: str, said: str) -> None:
    project.write(checklists=LOAD, environments=environments)
    ran = project.run("preflight", "--only", "load", "-e", "local")
    assert ran.code == 3
    assert "local is protected, and a load may do harm: nothing was sent" in ran.out
    assert project.asked("/health") == 0
    assert following(ran) == said


def test_a_no_while_the_stage_is_being_left_is_not_lost(project: Project) -> None:
    project.write(stages=GATE_ITEM)
    project.at_first()
    for name in ("verified_by", "all_is_quiet"):
        assert project.run("sign", name).code == 0
    with project.restarting_slowly("ramp", "50", "--yes"):
        for name in ("verified_by", "all_is_quiet"):
            ran = project.json("sign", name, "--no")
            assert (ran.code, "rollback --emergency" in " ".join(ran.document["next"])) == (5, True)
    assert len(project.events("role.signed")) == 1


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed here")
def test_under_a_clock_set_back_what_is_said_is_marked(project: Project) -> None:
    project.write(stages=GATE_ITEM)
    project.at_first()
    for args in (("sign", "verified_by"), ("waive", "answers", "--until", "2d", *WHY), ("baseline", "capture")):
        made = subprocess.run(
            ["faketime", "-f", "-1d", RUNBOOK, *args],
            cwd=project.folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "the newest event is of" in made.stdout + made.stderr, (args, made)
        assert "timedatectl" in made.stdout + made.stderr
