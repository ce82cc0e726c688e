"""The decision matrix, guardrails and partial ways down under a watch, by command."""

from __future__ import annotations

import pytest

from tests.command.project import FLAGS, Project
from tests.command.test_watch import PRACTICE

STAGES = """
  - {stage: off, percent: 0}
  - {stage: first, percent: 10, set: {RANKER_MODEL: small}, bake: 30m, gates: GATES}
  - {stage: wide, percent: [50, 100], bake: 30m, fallback: 20}"""
PARTIAL = "{set: safe, objective: 1m, incident: P1, partial: {ladder: [5, 2], bake: 1h}}"
AT_5 = FLAGS.replace("= 0", "= 5").replace("'plain'", "'small'")


def ruled(project: Project, *rows: str, gates: str = "[]", **sections: str | None) -> Project:
    """The project at first@10, with these rows in its matrix."""
    matrix = "".join(f"\n  - {row}" for row in rows) or None
    more = {"matrix": matrix} if matrix else {}
    project.write(
        **{"environments": PRACTICE, "stages": STAGES.replace("GATES", gates), "rollback": PARTIAL, **more, **sections}
    )
    return project.at_first()


def test_a_row_of_the_matrix_counts_down_in_the_gate(project: Project) -> None:
    ruled(project, '{when: "p95 > 3500ms", severity: P2, then: halve, within: 10h}').numbers(p95=4000)
    ran = project.json("gate")
    [row] = [one for one in ran.document["rules"] if one["kind"] == "matrix"]
    assert ran.code == 1
    assert (row["id"], row["status"], row["severity"]) == ("matrix/0", "fail", "P2")
    assert row["due"].startswith("20")
    assert row["message"].startswith("firing: within 10 h, ")
    told = project.run("gate")
    assert "P2 p95 > 3500ms -> halve" in told.out
    assert "Next: runbook rollback --partial" in told.out
    assert [one["payload"]["then"] for one in project.events("matrix.fired")] == ["halve"], "told once"
    again = [one for one in project.json("gate").document["rules"] if one["kind"] == "matrix"]
    assert again[0]["due"] == row["due"]


def test_quiet_rows_stand_in_the_document_too(project: Project) -> None:
    ruled(project, '{when: "p95 > 3500ms", severity: P2, then: halve, within: 10h}')
    ran = project.json("gate")
    [row] = [one for one in ran.document["rules"] if one["kind"] == "matrix"]
    assert (row["status"], row["message"], row["due"]) == ("pass", "quiet", None)
    assert "matrix.fired" not in [one["kind"] for one in project.events()]


def test_when_the_time_is_over_an_armed_watch_goes_down_in_part_and_holds(project: Project) -> None:
    ruled(project, '{when: "p95 > 3500ms", severity: P2, then: halve, within: 1s}').numbers(p95=4000)
    ran = project.run("watch", "--act", "--for", "20s")
    assert ran.code == 1
    assert "P2 p95 > 3500ms: halve within 1 s, 1 s left: runbook rollback --partial" in ran.err
    assert "matrix fired: p95 > 3500ms (4 s) -> halve" in ran.err
    assert ran.out.startswith("DOWN  ranker is at first@5")
    assert "By the rule p95 > 3500ms -> halve." in ran.out
    assert "Next: look at it, then  runbook release" in ran.out
    assert project.flags.read_text() == AT_5
    assert project.running()["RANKER_SHARE"] == "5"
    status = project.json("status").document
    assert (status["percent"], status["hold"]["automatic"]) == (5, True)
    assert project.events("trigger.fired")[0]["payload"]["when"] == "p95 > 3500ms"
    assert project.run("watch", "--act", "--for", "1s").code == 1
    assert project.flags.read_text() == AT_5, "it goes no further until a person released it"


def test_a_rollback_row_takes_two_looks_and_needs_no_person(project: Project) -> None:
    ruled(project, '{when: "errors > 5%", severity: P0, then: rollback}').numbers(errors=0.08)
    ran = project.run("watch", "--act", "--for", "20s")
    assert ran.code == 1
    assert "SAFE" in ran.out
    assert project.flags.read_text() == FLAGS
    assert project.json("status").document["operation"]["kind"] == "emergency"


def test_at_safe_flags_the_matrix_only_tells(project: Project) -> None:
    ruled(project, '{when: "errors > 5%", severity: P0, then: rollback}')
    assert project.run("rollback", "--yes").code == 0
    restarts = project.restarts()
    project.numbers(errors=0.08)
    ran = project.run("watch", "--act", "--for", "2s")
    assert ran.code == 1
    assert "already safe, look elsewhere" in ran.err
    assert (project.restarts(), project.json("status").document["incidents"]) == (restarts, [])


def test_an_investigating_row_opens_one_incident(project: Project) -> None:
    ruled(project, '{when: "p95 > 3s", severity: P2, then: investigate, within: 1d}').numbers(p95=4000)
    for _ in range(2):
        project.run("watch", "--act", "--for", "1s")
    opened = project.events("incident.opened")
    assert [one["payload"]["severity"] for one in opened] == ["P2"]
    assert project.events("incident.joined") == []


@pytest.mark.parametrize("fallback", [True, False])
def test_a_guardrail_does_the_fallback_else_it_holds(project: Project, fallback: bool) -> None:
    gates = '[{gate: "p95 < 2s", as: guardrail}]' + (", fallback: 3" if fallback else "")
    ruled(project, gates=gates).numbers(p95=2500)
    ran = project.run("watch", "--act", "--for", "3s")
    assert ran.code == 1
    assert "guardrail p95 < 2s" in ran.err
    status = project.json("status").document
    assert status["percent"] == (3 if fallback else 10)
    assert status["hold"]["automatic"] is True
    if fallback:
        assert ran.out.startswith("DOWN  ranker is at first@3")
        assert "By the rule guardrail p95 < 2s -> fallback." in ran.out


def test_each_look_is_one_line_of_eighty_columns(project: Project) -> None:
    gates = '["errors < 1%", "p95 < 2s", "p95 < 2s + 1ms + 1ms + 1ms + 1ms"]'
    ruled(project, gates=gates).numbers(errors=0.5, p95=9000)
    ran = project.run("watch", "--for", "1s", env={"COLUMNS": "80"})
    looks = [line for line in ran.err.splitlines() if line.startswith("  ..  ")]
    assert looks
    assert all(len(line) <= 80 for line in looks)
    assert looks[0].endswith(" ...")


def test_a_watch_where_nothing_bakes_goes_on_for_its_time(project: Project) -> None:
    project.write(
        environments=PRACTICE, stages=STAGES.replace("GATES", "[]"), matrix="\n  - {when: p95 > 3s, then: page}"
    )
    project.numbers(p95=4000)
    ran = project.json("watch", "--act", "--for", "1s")
    assert "time over" in ran.document["message"]
    assert "matrix fired: p95 > 3s (4 s) -> page" in ran.err
    assert "nothing to watch" in project.json("watch").document["message"]
