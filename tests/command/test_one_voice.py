"""`gate`, `watch`, `status`, `now` and `explain` say the same of one state, and begin with the same command."""

from __future__ import annotations

import pytest

from tests.command.project import FLAGS, Project
from tests.command.test_watch import PRACTICE
from tests.servers import raw

STAGES = """
  - {stage: off, percent: 0}
  - {stage: first, percent: 10, set: {RANKER_MODEL: small}BAKE}
  - {stage: wide, percent: [50, 100]}"""
PARTIAL = "{set: safe, objective: 1m, incident: P1, partial: {ladder: [5, 2], bake: 1h}}"
HALVES = '\n  - {when: "p95 > 3500ms", severity: P2, then: halve, within: 10h}'
LOOKS_ON = "runbook watch --act --for 8h  # keeps the triggers armed"


def typed(project: Project, *args: str) -> str:
    """The first command that a screen tells to type."""
    for line in project.run(*args).said.splitlines():
        for lead in ("Next: ", "  ->         "):
            if line.startswith(lead):
                return line.removeprefix(lead).partition("  ")[0]
    raise AssertionError(f"runbook {' '.join(args)} tells nothing to type")


def all_say(project: Project, command: str) -> None:
    assert project.run("gate").code == 1
    assert [typed(project, one) for one in ("gate", "status", "now", "explain")] == [command] * 4


@pytest.mark.parametrize(
    ("more", "then"),
    [("", "runbook rollback --emergency"), (", on_down: hold", "runbook hold --reason TEXT")],
    ids=["rollback", "hold"],
)
def test_a_service_that_is_down_is_never_a_go_also_without_gates(project: Project, more: str, then: str) -> None:
    project.write(stages=STAGES.replace("BAKE", more), metrics="{}")
    project.at_first().script("/health", raw(b""))
    ran = project.json("gate")
    row = ran.rows("triggers")["service_down"]
    assert (ran.code, row["status"], row["counts"]) == (3, "unknown", True)
    assert row["message"].startswith("pending: for ") and row["message"].endswith(" of 1 m")
    assert typed(project, "gate") == typed(project, "status") == typed(project, "now") == then


def test_a_pending_row_of_the_matrix_is_no_go(project: Project) -> None:
    matrix = '\n  - {when: "errors > 5% for 10m", then: rollback}'
    project.write(stages=STAGES.replace("BAKE", ""), matrix=matrix)
    project.at_first().numbers(errors=0.08)
    [row] = [one for one in project.json("gate").document["rules"] if one["kind"] == "matrix"]
    assert (row["status"], row["counts"]) == ("fail", True) and row["message"].startswith("pending: for ")
    all_say(project, "runbook rollback --emergency")


def test_a_row_that_is_true_leads_to_its_own_way_down(project: Project) -> None:
    project.write(stages=STAGES.replace("BAKE", ""), matrix=HALVES, rollback=PARTIAL)
    project.at_first().numbers(p95=3800)
    all_say(project, "runbook rollback --partial")


@pytest.mark.parametrize("entered", [False, True], ids=["before", "off"])
def test_at_the_safe_flags_all_look_elsewhere(project: Project, entered: bool) -> None:
    project.write(stages=STAGES.replace("BAKE", ""), matrix=HALVES, rollback=PARTIAL)
    if entered:
        assert project.at_first().run("rollback", "--yes").code == 0
    project.numbers(p95=3800)
    all_say(project, "runbook incident open")
    assert "runbook rollback" not in project.run("status").out
    assert project.run("incident", "open", "Slow").code == 0
    all_say(project, "runbook incident show")


def test_a_critical_number_comes_before_the_step_up(project: Project) -> None:
    project.write(stages=STAGES.replace("BAKE", ""))
    project.at_first().numbers(errors=0.08)
    told = [line.strip() for line in project.run("gate").out.splitlines()]
    assert told[-2:] == ["Next: runbook rollback --emergency  # to the safe flags", "runbook ramp 50"]


def test_a_hold_is_released_after_all_else(project: Project) -> None:
    project.at_first().numbers(errors=0.03)
    project.run("incident", "open", "Errors")
    project.run("hold", "--reason", "we are looking")
    for command in ("gate", "explain"):
        told = [line.removeprefix("Next: ").strip() for line in project.run(command).out.splitlines()]
        assert told[-2:] == ["runbook incident resolve --incident 1", "runbook release"]


def test_an_armed_watch_stays_beyond_the_bake_until_the_rule_has_acted(project: Project) -> None:
    triggers = ', bake: 20s, triggers: [{when: "errors > 5% for 3m", then: rollback}]'
    project.write(environments=PRACTICE, stages=STAGES.replace("BAKE", triggers))
    project.at_first().numbers(errors=0.08)
    ran = project.run("watch", "--act")
    assert ran.code == 1 and "bake over" not in ran.out.splitlines()[0], ran
    assert project.flags.read_text() == FLAGS


def test_a_watch_that_ends_before_the_sign_offs_says_how_to_stay(project: Project) -> None:
    project.write(environments=PRACTICE, stages=STAGES.replace("BAKE", ", bake: 20s, sign: [reviewed_by]"))
    ran = project.at_first().run("watch", "--act")
    lines = [line.strip() for line in ran.out.splitlines()]
    assert "Still to sign: reviewed_by. Nobody is watching now." in lines
    assert lines[-1] == LOOKS_ON
    assert LOOKS_ON not in project.run("watch").out, "it was not armed"


@pytest.mark.parametrize("gone", [True, False], ids=["missing", "empty"])
def test_a_flag_file_that_is_not_there_comes_first(project: Project, gone: bool) -> None:
    project.write(stages=STAGES.replace("BAKE", ""))
    project.at_first()
    project.flags.unlink() if gone else project.flags.write_text("")
    makes = "echo '# flags of ranker"
    assert [typed(project, one).startswith(makes) for one in ("gate", "status", "now")] == [True] * 3
    assert "UNKNOWN" in project.run("status").out.splitlines()[0]
    ran = project.run("gate")
    assert ran.code == (4 if gone else 1)
    if not gone:
        row = project.json("gate").rows("rules")["flags"]
        assert row["status"] == "fail" and "is empty" in row["observed"]
    command = next(line for line in project.run("status").out.splitlines() if line.startswith("Next: "))
    text = command.removeprefix("Next: ").partition("  # ")[0].partition("'")[2].partition("'")[0]
    project.flags.write_text(f"{text}\n")
    assert not [row for row in project.json("gate").document["rules"] if row["kind"] == "flags"]
