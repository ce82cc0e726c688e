"""`runbook test --record`: what is kept tells no secret, is found again by a test, and takes no other file's place."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.command.project import Project
from tests.servers import answer

KEY = "s3cret-s3cret-Xy"
ENV = {"RANKER_KEY": KEY}
SECRETS = "{RANKER_KEY: {env: RANKER_KEY}}"


def answers_of(project: Project, name: str = "answers.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.folder / name).read_text())["answers"]
    return found


def test_a_secret_that_json_hides_does_not_reach_the_file(project: Project) -> None:
    ready = '\n  ready:\n    - {check: P, http: /private, headers: {x-key: "${RANKER_KEY}"}}'
    project.write(secrets=SECRETS, checklists=ready)
    body = '{"x": "s3cret-s3cret-\\u0058y", "access_token": "made-just-now", "s3cret-s3cret-\\u0058y": 1}'
    project.script("/private", answer(body))
    assert project.run("test", "--record", "answers.json", env=ENV).code == 0
    text = (project.folder / "answers.json").read_text()
    assert "s3cret-s3cret" not in text
    assert answers_of(project)["GET /private"]["json"] == {"x": "***", "access_token": "***", "***": 1}


def test_a_secret_that_no_check_used_is_masked_too(project: Project) -> None:
    project.write(secrets=SECRETS)
    project.script("/health", answer(json.dumps({"said": KEY})))
    assert project.run("test", "--record", "answers.json", env=ENV).code == 0
    assert answers_of(project)["GET /health"]["json"] == {"said": "***"}


def test_a_secret_in_a_query_stands_in_as_a_test_asks_it(project: Project) -> None:
    ready = '\n  ready:\n    - {check: Private, http: "/private?key=${RANKER_KEY}", jq: .ok, expect: "== true"}'
    tests = "[{test: a, answers: answers.json, expect: {checks: {private: pass}}}]"
    project.write(secrets=SECRETS, checklists=ready)
    project.script(f"/private?key={KEY}", answer('{"ok": true}'))
    project.script("/private", answer('{"ok": true}'))
    assert project.run("test", "--record", "answers.json", env=ENV).code == 0
    assert answers_of(project)["GET /private?key=ranker-key"]["json"] == {"ok": True}
    project.write(secrets=SECRETS, checklists=ready, tests=tests)
    ran = project.run("test")
    assert ran.code == 0, ran


PLACES = ["ranker.env", "playbooks/ranker.yaml", "playbooks/new.yaml", "words.txt", "playbooks", "pipe"]
PLACES += [".runbook/state.db", ".runbook/new.json", "link.json", "nowhere.json"]


@pytest.mark.parametrize("name", PLACES)
def test_no_other_file_is_written_over(project: Project, name: str) -> None:
    project.at_first()
    (project.folder / "link.json").symlink_to("words.txt")
    (project.folder / "nowhere.json").symlink_to("later.json")
    os.mkfifo(project.folder / "pipe")
    before, asked = project.files(), len(project.service.asked)
    ran = project.run("test", "--record", name)
    assert ran.code == 2, ran
    assert name in ran.said
    assert "runbook test --record answers.json" in ran.said
    assert len(project.service.asked) == asked
    (project.folder / "pipe").unlink()
    assert {path: data for path, data in before.items() if path != "pipe"} == project.files()
    assert not (project.folder / "later.json").exists()


def test_a_flag_file_that_is_not_there_yet_is_none_of_its_places(project: Project) -> None:
    project.flags.unlink()
    assert "is a flag file" in project.run("test", "--record", "ranker.env").said
    assert not project.flags.exists()
    folder = Path("elsewhere")
    (project.folder / folder).symlink_to(".runbook")
    assert project.run("test", "--record", "elsewhere/answers.json").code == 2


def test_answers_are_recorded_anew_and_that_is_said(project: Project) -> None:
    first = project.run("test", "--record", "answers.json")
    assert "in place of" not in first.out
    again = project.run("test", "--record", "answers.json")
    assert again.code == 0
    assert "in place of those recorded there before" in again.out
    (project.folder / "own.json").write_text('{"answers": {}}')
    assert "holds no recorded answers" in project.run("test", "--record", "own.json").said


def test_names_beside_it_are_refused(project: Project) -> None:
    ran = project.run("test", "--record", "answers.json", "goes back")
    assert ran.code == 2
    assert "'goes back' names a test" in ran.said
    assert not (project.folder / "answers.json").exists()


def test_what_is_cut_is_named(project: Project) -> None:
    project.script("/health", answer(json.dumps({"words": ["word"] * 20_000})))
    ran = project.run("test", "--record", "answers.json")
    assert "GET /health is longer than 64 KiB: only its beginning is kept, as text" in ran.out
    document = json.loads((project.folder / "answers.json").read_text())
    assert document["cut"] == ["GET /health"]
    assert len(document["answers"]["GET /health"]["text"]) == 65_536


def test_live_flags_are_what_the_service_told(project: Project) -> None:
    assert project.run("test", "--record", "answers.json").code == 0
    assert "verify/live_share" not in answers_of(project)
    assert answers_of(project)["GET /config"]["json"] == {"share": 0}
    project.write(tests="[{test: a, at: first@10, answers: answers.json, expect: {checks: {live_share: fail}}}]")
    ran = project.run("test")
    assert ran.code == 0, ran
