"""`runbook status` on a rollout with everything that people have to do: one screen, and nothing said twice."""

from __future__ import annotations

import pytest

from tests.command.project import SECTIONS, Project

STAGES = """
  - {stage: off, percent: 0}
  - stage: first
    percent: [10, 20]
    set: {RANKER_MODEL: small}
    bake: 1s..2h
    cadence: [{every: 4h}]
    gates: ["errors < 1%", {sign: No bug was reported}]
    fallback: 5
    sign: [verified_by, {reviewed_by: not verified_by}]
  - {stage: wide, percent: [50, 100], gates: ["errors < 1%"]}"""
ROLLBACK = """
  set: safe
  objective: 1m
  incident: P1
  recovered: "errors < 1% for 10m"
  checklist: [Find the cause]
  partial: {ladder: [50, 10], bake: 2h}"""
MATRIX = '\n  - {when: "p95 > 1500ms", severity: P2, then: halve, within: 1h}'


@pytest.fixture
def rollout(project: Project) -> Project:
    """At first@10 of a playbook with sign-offs, a cadence, a matrix and a way back in parts."""
    project.write(stages=STAGES, rollback=ROLLBACK, matrix=MATRIX)
    return project.at_first()


def status(project: Project) -> dict[str, str]:
    """The lines of the screen by their first word, several of one word joined."""
    ran = project.run("status")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert len(lines) <= 23, ran.out
    found: dict[str, str] = {"first": lines[0]}
    for line in lines[1:]:
        word = line[:12].strip() if line.startswith("  ") else line.partition(":")[0]
        found[word] = f"{found[word]}\n{line}" if word in found else line
    return found


def at(project: Project, name: str) -> Project:
    """Further up, whatever the bake says: an adopted position."""
    stage, _, percent = name.partition("@")
    flags = project.flags.read_text().replace("= 10", f"= {percent}")
    project.flags.write_text(flags)
    (project.folder / "running").write_text(flags)
    assert project.run("adopt", name, "--reason", f"we stand in {stage}", "--yes").code == 0
    return project


def test_a_bake_says_when_it_opens_and_until_when_it_is_recommended(rollout: Project) -> None:
    told = status(rollout)
    assert "recommended until " in told["bake"]
    assert "rollout 1" in told["open"]
    assert "look by " in told["due"]


def test_the_last_step_of_a_stage_asks_for_its_sign_offs(rollout: Project) -> None:
    told = status(at(rollout, "first@20"))
    assert "sign no_bug_was_reported, verified_by, reviewed_by" in told["due"]
    assert rollout.run("sign", "verified_by", env={"RUNBOOK_OPERATOR": "ben"}).code == 0
    told = status(rollout)
    assert "verified_by ben" in told["signed"]
    assert "sign no_bug_was_reported, reviewed_by" in told["due"]


def test_a_row_of_the_matrix_counts_down(rollout: Project) -> None:
    rollout.numbers(p95=1800)
    for _ in range(2):
        rollout.run("gate")
    told = status(rollout)
    assert "P2 p95 > 1500ms: halve within 1 h, " in told["matrix"]
    assert "UNSAFE since " in told["first"]


def test_a_partial_way_back_is_told(rollout: Project) -> None:
    rollout.run("rollback", "--fallback", "--yes")
    told = status(rollout)
    assert "first@5, off the ladder, by a fallback" in told["here"]
    assert told["Next"].startswith("Next: runbook ")


def test_after_an_emergency_recovery_and_the_checklist_are_told(rollout: Project) -> None:
    rollout.run("rollback", "--emergency", "--yes")
    told = status(rollout)
    assert "SAFE" in told["first"]
    assert "not yet seen: errors < 1% for 10m" in told["recovery"]
    assert "0 of 1 done" in told["incident"] and "answer due in " in told["incident"]
    assert told["Next"].startswith("Next: runbook incident show")


def test_the_baseline_is_told(rollout: Project) -> None:
    for _ in range(12):
        rollout.run("gate")
    assert rollout.run("baseline", "capture").code == 0
    told = status(rollout)
    assert "of first@10, n 1" in told["baseline"]


def test_the_document_says_the_state_and_the_next_command(rollout: Project) -> None:
    told = rollout.json("status").document
    assert told["state"] in ("BAKING", "BAKED")
    assert told["next"][0].startswith("runbook ")


def many(project: Project) -> None:
    """Thirty metrics, of which the gates name the last."""
    metrics = SECTIONS["metrics"] + "".join(
        f"\n  m{n}: {{http: /numbers, jq: .errors, unit: ratio}}" for n in range(30)
    )
    stages = SECTIONS["stages"].replace('"p95 < 2s"', '"m29 < 2%"')
    project.write(metrics=metrics, stages=stages)
    project.at_first()
    project.run("gate")


def test_thirty_metrics_are_one_screen_and_those_of_the_gates_stand_first(project: Project) -> None:
    many(project)
    project.run("hold", "--reason", "rain " * 30)
    project.run("incident", "open", "Strange " * 20, "--severity", "P2")
    ran = project.run("status")
    lines = ran.out.splitlines()
    assert len(lines) <= 23
    assert "m29 " in ran.out and "  m25 " not in ran.out
    assert "HELD" in lines[0] and any(line.startswith("Next: ") for line in lines)


def test_nothing_is_said_twice(rollout: Project) -> None:
    rollout.run("hold", "--reason", "rain")
    rollout.run("incident", "open", "Strange", "--severity", "P2")
    lines = rollout.run("status").out.splitlines()
    assert sum("rain" in line for line in lines) == 1
    assert sum("Strange" in line for line in lines) == 1
    assert len({line.split("  ")[1] for line in lines if line.startswith("  ")}) == sum(
        line.startswith("  ") for line in lines
    )
