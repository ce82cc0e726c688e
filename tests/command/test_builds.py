"""A new build in mid-bake, as an operator sees it; and endpoints that say anything but a version."""

from __future__ import annotations

import json
import socket

import pytest

from tests.command.project import SECTIONS, Project
from tests.servers import Script, answer, raw

ENVIRONMENTS = SECTIONS["environments"] + "\n    version: {http: /build, jq: .version, timeout: 300ms}"
STAGES = """
  - {stage: off, percent: 0}
  - {stage: first, percent: 10, set: {RANKER_MODEL: small}, bake: 1h, gates: ["errors < 1%"]}
  - {stage: wide, percent: [50, 100]}"""


def never(connection: socket.socket, request: str) -> None:
    """Says nothing until the caller hangs up."""
    connection.recv(1)


def built(project: Project, version: str) -> None:
    project.script("/build", answer(json.dumps({"version": version})))


@pytest.fixture
def baking(project: Project) -> Project:
    """At first@10, with build 2.4.0."""
    project.write(environments=ENVIRONMENTS, stages=STAGES)
    built(project, "2.4.0")
    project.at_first().run("gate")
    return project


def test_a_new_build_begins_the_bake_again_and_says_so(baking: Project) -> None:
    assert "2.4.0" in baking.json("gate").rows("rules")["build"]["observed"]
    built(baking, "2.4.1")
    watched = baking.run("watch", "--for", "1s")
    assert "a new build 2.4.1 (it was 2.4.0) came in mid-bake: the bake begins again" in watched.err
    row = baking.json("gate").rows("rules")["build"]
    assert row["observed"].startswith("2.4.1 since ") and row["observed"].endswith("bake began again")
    assert row["counts"] is False
    (event,) = baking.events("bake.restarted")
    assert (event["payload"]["version"], event["payload"]["before"]) == ("2.4.1", "2.4.0")


def test_a_dry_run_does_not_ask_for_it(baking: Project) -> None:
    built(baking, "2.4.1")
    before = baking.asked("/build")
    baking.run("ramp", "50", "--dry-run")
    assert baking.asked("/build") == before
    assert baking.events("bake.restarted") == []


@pytest.mark.parametrize(
    "script",
    [
        answer("<!doctype html><title>Sign in</title>"),
        answer('{"version": "<html>"}'),
        answer('{"version": {"major": 2}}'),
        answer('{"version": ""}'),
        answer("no", status="503 Service Unavailable"),
        raw(b"\x00\x01"),
        never,
    ],
)
def test_what_is_no_version_changes_nothing(baking: Project, script: Script) -> None:
    baking.script("/build", script)
    ran = baking.json("gate")
    assert ran.rows("rules")["build"]["observed"] == "2.4.0"
    assert ran.rows("gates")["gate/0"]["status"] == "pass"
    assert ran.document["duration_ms"] < 5000
    assert baking.events("bake.restarted") == []


def test_a_build_that_the_next_step_brings_is_no_new_one(project: Project) -> None:
    project.write(environments=ENVIRONMENTS, stages=STAGES.replace("bake: 1h, ", ""))
    built(project, "2.4.0")
    project.at_first().run("gate")
    assert project.run("ramp", "50", "--yes").code == 0
    built(project, "2.5.0")
    project.run("gate")
    assert project.events("bake.restarted") == []
    assert [one["payload"]["version"] for one in project.events("version.seen")] == ["2.4.0", "2.5.0"]
