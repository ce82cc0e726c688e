"""`rollback --partial`: down in parts within the stage; with `--watch` as far as it takes."""

from __future__ import annotations

import json
import socket

import pytest

from tests.command.project import FLAGS, Project
from tests.servers import answer

STAGES = """
  - {stage: off, percent: 0}
  - {stage: first, percent: 10, set: {RANKER_MODEL: small}, gates: ["errors < 1%"]}
  - stage: wide
    percent: [50, 100]
    gates: ["errors < 1%"]
    triggers: [{when: "errors > 60%", then: rollback}]"""
METRICS = "{errors: {http: /numbers, jq: .errors, unit: ratio, interval: 1s}}"
ROLLBACK = "{set: safe, objective: 1m, incident: P1, partial: {ladder: [50, 25, 10], bake: 1s}}"


@pytest.fixture
def top(project: Project) -> Project:
    """The project at wide@100."""
    project.write(stages=STAGES, metrics=METRICS, rollback=ROLLBACK)
    for step in ("10", "50", "100"):
        ran = project.run("ramp", step, "--yes")
        assert ran.code == 0, ran
    return project


def errors_by_share(project: Project, rates: dict[str, float | None]) -> None:
    """The service's errors follow the percentage that it runs with."""

    def tell(connection: socket.socket, request: str) -> None:
        share = project.running().get("RANKER_SHARE", "0")
        answer(json.dumps({"errors": rates[share], "p95": 700}))(connection, request)

    project.script("/numbers", tell)


def entered(project: Project) -> list[tuple[str, float, str]]:
    told = [event["payload"] for event in project.events("position.entered")]
    return [(one["stage"], one["percent"], one["how"]) for one in told if one["how"] != "ramp"]


def test_step_by_step_to_the_safe_flags(top: Project) -> None:
    seen = []
    for _ in range(4):
        ran = top.json("rollback", "--partial", "--yes")
        assert ran.code == 0 and ran.document["how"] == "partial", ran
        seen.append((ran.document["stage"], ran.document["percent"], top.running()["RANKER_MODEL"]))
    assert seen == [("wide", 50, "small"), ("wide", 25, "small"), ("wide", 10, "small"), ("off", 0, "plain")]
    assert top.flags.read_text() == FLAGS
    ran = top.json("rollback", "--partial", "--yes")
    assert ran.code == 0 and "nothing below 0 %" in ran.document["message"]


def test_a_part_can_be_named_and_what_is_no_part_is_refused_with_all_there_is(top: Project) -> None:
    assert top.run("rollback", "--to", "25", "--yes").code == 0
    assert top.running()["RANKER_SHARE"] == "25"
    ran = top.json("rollback", "--to", "30", "--yes")
    assert ran.code == 2 and "in parts: 50 > 25 > 10" in ran.document["next"]
    ran = top.json("ramp", "30", "--yes")
    assert ran.code in (1, 2) and "off@0 > first@10 > wide@50 > wide@100" in ran.document["message"]
    assert top.running()["RANKER_SHARE"] == "25"


def test_without_such_a_ladder_it_says_which_line_to_add(project: Project) -> None:
    ran = project.at_first().json("rollback", "--partial", "--yes")
    assert ran.code == 1 and "partial: {ladder: [50, 25, 10], bake: 2h}" in ran.document["next"][0]


def test_watching_it_stays_where_it_helped(top: Project) -> None:
    errors_by_share(top, {"100": 0.08, "50": 0.079, "25": 0.03, "10": 0.0})
    ran = top.json("rollback", "--partial", "--watch", "--yes")
    assert ran.code == 0, ran
    assert "improved" in ran.document["message"] and "8 %, then 3 %" in ran.document["message"]
    assert entered(top) == [("wide", 50, "partial"), ("wide", 25, "partial")]


def test_watching_it_goes_on_to_the_safe_flags_while_nothing_helps(top: Project) -> None:
    top.numbers(errors=0.08)
    ran = top.run("rollback", "--partial", "--watch", "--yes")
    assert ran.code == 0 and "ranker is at off@0" in ran.out, ran
    assert "nothing improved" in ran.err
    assert [percent for _, percent, _ in entered(top)] == [50, 25, 10, 0]
    assert top.flags.read_text() == FLAGS
    assert len(top.events("operation.ended")) == 3 + 4, "each step is an operation of its own"


def test_what_cannot_be_told_goes_no_further(top: Project) -> None:
    errors_by_share(top, {"100": 0.08, "50": None})
    ran = top.json("rollback", "--partial", "--watch", "--yes")
    assert ran.code == 3 and "cannot be told" in ran.document["message"], ran
    assert entered(top) == [("wide", 50, "partial")]


def test_the_triggers_stay_armed_while_it_is_watched(top: Project) -> None:
    errors_by_share(top, {"100": 0.08, "50": 0.7, "0": 0.0})
    top.write(stages=STAGES, metrics=METRICS, rollback=ROLLBACK.replace("bake: 1s", "bake: 30s"))
    ran = top.json("rollback", "--partial", "--watch", "--yes")
    assert ran.code == 1 and "a trigger fired" in ran.document["message"], ran
    assert top.flags.read_text() == FLAGS and entered(top)[-1] == ("off", 0, "emergency")


def test_without_a_bake_there_is_nothing_to_watch(top: Project) -> None:
    top.write(stages=STAGES, metrics=METRICS, rollback=ROLLBACK.replace(", bake: 1s", ""))
    ran = top.json("rollback", "--partial", "--watch", "--yes")
    assert ran.code == 2 and "has no bake" in ran.document["message"]
    assert top.running()["RANKER_SHARE"] == "100"
