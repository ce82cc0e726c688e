"""`lint --prove`: what decides nothing is a warning with its place, what was tried is told, and nothing is asked."""

from __future__ import annotations

from pathlib import Path

from tests.command.project import Project
from tests.places import PROJECT

WORTHLESS = """
  ready:
    - {check: Answers, http: /health, status: [200, 404, 500]}
    - {check: Rows, sql: "${DB}", query: select count(*) from t, expect: ">= 0"}
    - {check: Ready, run: "pg_isready || true", reads: true}
    - {check: Good, http: /health}"""
STAGES = """
  - {stage: off, percent: 0}
  - stage: first
    percent: 10
    requires: [ready]
    gates: ["errors <= 100%", "p95 < 2s"]
    triggers: [{when: "p95 < 0ms for 5m", then: hold}]"""


def test_what_is_sound_is_left_in_peace(project: Project) -> None:
    asked = list(project.service.asked)
    ran = project.run("lint", "--prove", "--strict")
    assert ran.code == 0, ran
    assert "playbooks/ranker.yaml: 4 of 6 checks and metrics were made to fail, 0 are suspicious" in ran.out
    assert "10 of 10 conditions can be both true and false." in ran.out
    assert "1 file, 1 flags (what they look at cannot be made up)" in ran.out
    assert list(project.service.asked) == asked


def test_what_decides_nothing_is_a_warning_with_its_place(project: Project) -> None:
    project.write(checklists=WORTHLESS, stages=STAGES)
    ran = project.run("lint", "--prove")
    assert ran.code == 0
    assert "this check cannot go red: it passes on status 500 and status 404" in ran.out
    assert "this check cannot go red: expect: >= 0 holds for every count" in ran.out
    assert "this check cannot go red: || true makes every end a good one" in ran.out
    assert "the gate errors <= 100% can never say no: it holds at every value" in ran.out
    assert "p95 < 0ms for 5m can never be true: its rule never fires" in ran.out
    assert "3 are suspicious" in ran.out
    assert project.run("lint", "--prove", "--strict").code == 1
    assert "cannot go red" not in project.run("lint").out


def test_each_has_its_line_and_column_in_the_document(project: Project) -> None:
    project.write(checklists=WORTHLESS, stages=STAGES)
    lines = project.playbook.read_text().splitlines()
    found = project.json("lint", "--prove").document["problems"]
    pointed = {(lines[one["line"] - 1][one["column"] - 1 :][:6], one["level"]) for one in found}
    assert {text for text, _ in pointed} >= {"Answer", "Rows, ", "Ready,", "errors", "p95 < "}
    assert {level for _, level in pointed} == {"warning"}
    assert all(one["hint"] for one in found)


def test_a_limit_that_no_value_reaches_is_found(project: Project) -> None:
    project.write(
        metrics="""
  errors: {http: /numbers, jq: .errors, unit: ratio, target: "<= 100%", critical: "< 0"}
  p95: {http: /numbers, jq: ".p95 // 0", unit: ms, warning: "> 2s"}"""
    )
    ran = project.run("lint", "--prove")
    assert "the target <= 100% of errors is met at every value" in ran.out
    assert "errors can never reach the limit < 0" in ran.out
    assert "this metric has a number where none is: it gives one on null and {}" in ran.out


def test_a_playbook_with_errors_is_not_proved(project: Project) -> None:
    project.write(rollback="{set: everything}")
    ran = project.run("lint", "--prove")
    assert ran.code == 2
    assert "has errors, so nothing of it was proved" in ran.out


def test_a_share_above_a_hundred_percent_is_an_error_already(project: Project) -> None:
    project.write(stages=STAGES.replace("errors <= 100%", "errors < 200%"))
    ran = project.run("lint", "--prove")
    assert ran.code == 2
    assert "errors (ratio) never exceeds 100 %, and this is 200 %" in ran.out


def test_the_shipped_playbooks_are_proved(project: Project) -> None:
    paths = [str(path) for path in sorted(Path(PROJECT / "playbooks").glob("*.yaml")) if path.stem != "base"]
    ran = project.run("lint", "--prove", "--strict", *paths)
    assert ran.code == 0, ran.out
    assert "0 are suspicious" in ran.out
