"""What a service answers instead of a number: never a pass, within the deadline."""

from __future__ import annotations

import json
import time

import pytest

from tests.command.project import AT_FIRST, Project
from tests.hostile import BROKEN
from tests.servers import Script, answer, closed_port

NODATA = [
    '{"errors": null, "p95": 700}',
    '{"errors": NaN, "p95": 700}',
    '{"p95": 700}',
    '{"errors": 1e999, "p95": 700}',
]
ERROR = [
    '{"errors": "low", "p95": 700}', '{"errors": [0.001, 0.002], "p95": 700}', '{"errors": {}, "p95": 700}',
    '{"errors": 15, "p95": 700}', '{"errors": -0.1, "p95": 700}', '{"errors": true, "p95": 700}',
    '{"errors": false, "p95": 700}', "<html>Sign in</html>",
    "", '{"errors": 0.0', "[]", "0.001",
]  # fmt: skip
AWAY = ["hang", "slow drip", "gzip bomb", "a gigabyte", "500", "404", "redirect elsewhere", "reset", "not HTTP"]


def gate_rows(project: Project) -> tuple[int, dict[str, str | None]]:
    ran = project.json("gate", "--deadline", "2s")
    return ran.code, {row["title"]: row["reason"] for row in ran.document["gates"]}


@pytest.mark.parametrize("body", [*NODATA, *ERROR])
def test_no_sound_number_holds_the_ramp(project: Project, body: str) -> None:
    project.at_first().script("/numbers", answer(body))
    code, rows = gate_rows(project)
    assert code == 3 and rows["errors < 1%"] in ("nodata", "error")
    if body in NODATA[:3]:
        assert rows["errors < 1%"] == "nodata"
    assert project.run("ramp", "50", "--yes", "--deadline", "2s").code == 3
    assert project.flags.read_text() == AT_FIRST
    health = project.json("health-check")
    assert health.code == 3 and health.rows("checks")["up"]["status"] == "pass"
    metric = {row["name"]: row for row in health.document["metrics"]}["errors"]
    assert metric["level"] == "unknown" and metric["value"] is None


@pytest.mark.parametrize("name", AWAY)
def test_a_source_that_cannot_be_asked_is_unknown_within_the_deadline(project: Project, name: str) -> None:
    script: Script = BROKEN[name]
    project.at_first().script("/numbers", script)
    began = time.monotonic()
    code, rows = gate_rows(project)
    assert code == 3 and rows["errors < 1%"] == "error"
    assert time.monotonic() - began < 8


@pytest.mark.parametrize("name", AWAY)
def test_an_endpoint_that_is_asked_whether_it_is_there_fails(project: Project, name: str) -> None:
    script: Script = BROKEN[name]
    project.script("/health", script)
    ran = project.json("preflight", "--deadline", "2s")
    row = ran.rows("checks")["answers"]
    if name in ("slow drip", "gzip bomb", "a gigabyte"):
        assert row["status"] in ("pass", "fail", "unknown")  # it is there; what it says is not asked for
    else:
        assert (ran.code, row["status"]) == (1, "fail")
        assert row["advice"] == "look at restart.sh"


def test_nobody_listens(project: Project) -> None:
    project.at_first()
    with closed_port() as port:
        project.playbook.write_text(project.playbook.read_text().replace(str(project.service.port), str(port)))
        gate = project.json("gate")
        assert gate.code == 3 and "down" in json.dumps(gate.document["gates"]) + json.dumps(gate.document["triggers"])
        assert project.run("health-check").code == 1, "the service is down, which is no unknown number"
        assert project.run("ramp", "50", "--yes").code in (1, 3)
        assert project.run("status").code == 0
    assert project.flags.read_text() == AT_FIRST


def test_a_redirect_is_not_followed(project: Project) -> None:
    project.at_first()
    there = f"Location: http://127.0.0.1:{project.service.port}/numbers2\r\n"
    project.script("/numbers", answer("", status="302 Found", headers=there))
    project.script("/numbers2", answer('{"errors": 0.001, "p95": 700}'))
    assert project.run("gate").code == 3
    assert project.asked("/numbers2") == 0


def test_old_numbers_are_no_numbers(project: Project) -> None:
    project.at_first()
    project.script(
        "/numbers", answer(json.dumps({"errors": 0.001, "p95": 700}), headers="Date: Tue, 01 Jan 2019 00:00:00 GMT\r\n")
    )
    code, rows = gate_rows(project)
    assert code == 3 and rows["errors < 1%"] in ("nodata", "error")


def test_equal_requests_are_made_once_a_look(project: Project) -> None:
    project.at_first()
    before = project.asked("/numbers")
    project.run("health-check")
    assert project.asked("/numbers") == before + 1


def test_one_bad_hour_is_not_forgotten_after_one_good_minute(project: Project) -> None:
    project.at_first()
    for errors in (0.5, 0.5, 0.5):
        project.numbers(errors=errors)
        assert project.run("gate").code == 1
    project.numbers(errors=0.001)
    ran = project.json("gate")
    assert ran.code == 1, "now it holds, on average over the bake it does not"
    row = next(row for row in ran.document["gates"] if row["title"] == "errors < 1%")
    assert row["n"] >= 4


@pytest.mark.parametrize(("numbers", "code", "strict"), [
    ({"errors": 0.001}, 0, 0), ({"errors": 0.02}, 0, 1), ({"errors": 0.06}, 1, 1), ({"p95": 2000}, 0, 1),
])  # fmt: skip
def test_health_is_held_against_target_warning_and_critical(
    project: Project, numbers: dict[str, float], code: int, strict: int
) -> None:
    project.numbers(**numbers)
    assert project.run("health-check").code == code
    assert project.run("health-check", "--strict").code == strict
