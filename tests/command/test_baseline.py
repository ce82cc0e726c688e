"""`baseline capture` and `show`, and the gates that are judged by it, as an operator has them."""

from __future__ import annotations

import os
import re
import signal

import pytest

from tests.command.project import SECTIONS, Project
from tests.command.waiting import wait_until
from tests.servers import answer, raw

STAGES = """
  - {stage: off, percent: 0, baseline: capture, gates: ["errors < 1%"]}
  - {stage: first, percent: 10, set: {RANKER_MODEL: small}, gates: ["p95 increase < 30%"]}
  - {stage: wide, percent: [50, 100], gates: ["errors < 1%"]}"""
QUICK = SECTIONS["metrics"].replace("unit: ratio,", "unit: ratio, interval: 50ms, max_age: 10s,")


def quick(project: Project, **sections: str) -> Project:
    project.write(**{"stages": STAGES, "metrics": QUICK, **sections})
    return project


def test_nothing_is_captured_yet_and_what_to_type(project: Project) -> None:
    ran = quick(project).run("baseline", "show")
    assert ran.code == 0
    assert "no baseline was captured yet" in ran.out
    assert "ramp captures one itself when off is left" in ran.out
    assert "Next: runbook baseline capture --for 5m" in ran.out
    assert project.json("baseline", "show").document["metrics"] == []


def test_two_samples_are_too_few(project: Project) -> None:
    quick(project).run("gate")
    ran = project.run("baseline", "capture")
    assert ran.code == 1
    assert "2 samples of p95 of late, 10 are needed" in ran.said
    assert re.search(r"runbook baseline capture --for \d+[ms]", ran.said)
    document = project.json("baseline", "capture").document
    assert (document["verdict"], document["exit_reason"]) == ("no-go", "no-go")


def test_it_is_captured_shown_replaced_and_judged_by(project: Project) -> None:
    quick(project).run("ramp", "0", "--yes")
    ran = project.run("baseline", "capture", "--for", "1s", "--reason", "before the canary")
    assert ran.code == 0, ran
    assert re.search(r"captured 2 metrics of off@0, from \d+ samples or more", ran.out)
    shown = project.run("baseline", "show")
    assert re.search(r"baseline  of off@0, \S+ \d\d:\d\d, counts now \(rollout 1\)", shown.out)
    assert re.search(r"p95\s+700 ms\s+\d+\s+0 ms", shown.out)
    document = project.json("baseline", "show").document
    rows = {row["name"]: row for row in document["metrics"]}
    assert (rows["p95"]["value"], rows["p95"]["unit"], rows["p95"]["reference"]) == (700, "ms", "baseline")
    assert rows["p95"]["n"] >= 10 and rows["p95"]["spread"] == 0
    (reference,) = document["details"]["references"]
    assert (reference["stage"], reference["rollout"], reference["counts"]) == ("off", 1, True)
    (event,) = project.events("baseline.captured")
    assert (event["payload"]["how"], event["payload"]["reason"]) == ("person", "before the canary")
    again = project.run("baseline", "capture")
    assert "it replaces the one of off@0 by" in again.out
    assert project.run("ramp", "10", "--yes").code == 0
    assert [one["payload"]["how"] for one in project.events("baseline.captured")] == ["person", "person"]
    project.numbers(p95=950)
    gate = project.json("gate")
    assert gate.code == 1
    assert gate.rows("gates")["gate/0"]["observed"].startswith("now +36 %")


def test_ramp_captures_it_when_the_stage_is_left(project: Project) -> None:
    quick(project).run("ramp", "0", "--yes")
    held = project.json("gate")
    row = held.rows("rules")["baseline"]
    assert held.code == 3 and row["status"] == "unknown" and row["reason"] == "nodata"
    assert row["observed"] == "1 of 10 samples of p95" and "runbook baseline capture --for" in row["remedy"]
    assert project.run("ramp", "10", "--yes").code == 3
    project.run("watch", "--for", "1s")
    ran = project.run("ramp", "10", "--yes")
    assert ran.code == 0, ran
    (event,) = project.events("baseline.captured")
    assert event["payload"]["how"] == "ramp" and event["payload"]["numbers"]["p95"][0] == 700
    assert project.events("bake.passed")[-1]["payload"]["numbers"]["errors"][1] >= 10
    shown = project.run("baseline", "show").out
    assert "off  of off@0" in shown  # and the numbers of each stage that was left
    assert project.run("rollback", "--emergency", "--yes").code == 0
    assert len(project.events("baseline.captured")) == 1


def test_the_baseline_of_a_rollout_that_ended_does_not_count(project: Project) -> None:
    quick(project).run("ramp", "0", "--yes")
    project.run("baseline", "capture", "--for", "1s")
    project.run("ramp", "10", "--yes")
    project.run("rollback", "--emergency", "--yes")
    assert "counts now" in project.run("baseline", "show").out  # until the service has recovered
    assert project.run("incident", "resolve", "it was a drill").code == 0
    project.write(stages=STAGES.replace("baseline: capture, ", ""), metrics=QUICK)
    ran = project.run("ramp", "10", "--yes")
    assert ran.code == 0, ran
    shown = project.run("baseline", "show").out
    assert "does not count any more (it is of rollout 1)" in shown
    gate = project.json("gate")
    assert gate.code == 3
    assert "no baseline of p95 was captured" in gate.rows("gates")["gate/0"]["message"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_nothing_is_captured(project: Project, number: signal.Signals, code: int) -> None:
    quick(project).run("ramp", "0", "--yes")
    process = project.start("baseline", "capture", "--for", "60s")
    wait_until(lambda: project.asked("/numbers") >= 15)
    os.kill(process.pid, number)
    ran = project.ended(process)
    assert ran.code == code
    assert "nothing was captured" in ran.said
    assert project.events("baseline.captured") == []


def test_numbers_that_nobody_can_read_are_no_baseline(project: Project) -> None:
    quick(project).run("ramp", "0", "--yes")
    for script in (answer("<html>no</html>"), raw(b"\x00\xff"), answer("{}")):
        project.script("/numbers", script)
        ran = project.run("baseline", "capture")
        assert ran.code == 1
        assert "1 sample of p95" in ran.said or "0 samples of p95" in ran.said


def test_not_beside_an_operation(project: Project) -> None:
    quick(project)
    with project.restarting_slowly("ramp", "0", "--yes"):
        ran = project.run("baseline", "capture")
        assert ran.code == 5 and "busy" in ran.said


def test_a_wrong_time_is_said(project: Project) -> None:
    ran = quick(project).run("baseline", "capture", "--for", "5")
    assert ran.code == 2 and "5m" in ran.said
