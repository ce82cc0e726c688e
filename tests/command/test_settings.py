"""Where a setting comes from: option, environment, `.env`, runbook.toml, default; and `doctor` tells."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.command.project import Project


def told(project: Project, *args: str, **env: str) -> dict[str, tuple[str, str]]:
    ran = project.json("doctor", *args, env=env)
    assert ran.code in (0, 1), ran
    return {row["name"]: (row["value"], row["source"]) for row in ran.document["details"]["settings"]}


def test_the_stronger_source_wins(project: Project) -> None:
    assert told(project)["env"] == ("-", "default")
    (project.folder / "runbook.toml").write_text('env = "from-toml"\noperator = "day-shift"\n')
    assert told(project)["env"][0] == "from-toml" and "runbook.toml" in told(project)["env"][1]
    (project.folder / ".env").write_text("RUNBOOK_ENV=from-dotenv\nRANKER_SHARE=99\nPATH=/nowhere\n")
    assert told(project)["env"][0] == "from-dotenv" and ".env" in told(project)["env"][1]
    value, source = told(project, RUNBOOK_ENV="from-environment")["env"]
    assert value == "from-environment" and "environment" in source
    value, source = told(project, "-e", "from-option", RUNBOOK_ENV="from-environment")["env"]
    assert value == "from-option" and "-e" in source
    assert told(project)["operator"][0] == "day-shift", "what nothing stronger names stays"


def test_an_empty_variable_is_none(project: Project) -> None:
    assert told(project, RUNBOOK_ENV="")["env"] == ("-", "default")


def test_the_settings_are_followed(project: Project) -> None:
    one = "{url: http://127.0.0.1:PORT, flags_in: {env: ranker.env}}"
    project.write(environments=f"\n  local: {one}\n  staging: {one}")
    (project.folder / "runbook.toml").write_text('env = "staging"\n')
    assert project.json("status").document["environment"] == "staging"
    assert project.json("status", "-e", "local").document["environment"] == "local"
    assert project.json("status", env={"RUNBOOK_ENV": "local"}).document["environment"] == "local"


def test_the_operator_is_recorded(project: Project) -> None:
    assert project.run("note", "complaint", env={"RUNBOOK_OPERATOR": "night-shift"}).code == 0
    assert (project.events()[0]["who"], project.events()[0]["known"]) == ("night-shift", "claimed")


def test_the_store_may_lie_elsewhere(project: Project) -> None:
    path = project.folder / "elsewhere.db"
    assert project.run("note", "complaint", env={"RUNBOOK_STATE": str(path)}).code == 0
    assert path.exists()
    assert project.events() == []


@pytest.mark.parametrize(
    "text", ["env = [", "env = 7", "env = ['a']", "\x00", "enviroment = 'local'\n", "[env]\nname = 1\n"]
)
def test_a_settings_file_that_is_wrong_is_named_and_stops_no_emergency(project: Project, text: str) -> None:
    project.at_first()
    (project.folder / "runbook.toml").write_text(text)
    ran = project.json("ramp", "50", "--yes")
    assert ran.code == 2 and "runbook.toml" in ran.document["message"] and ran.document["next"]
    ran = project.run("rollback", "--emergency", "--yes")
    assert ran.code == 0 and "runbook.toml" in ran.said


def test_doctor_hides_what_is_secret(project: Project) -> None:
    ran = project.run("doctor", env={"RUNBOOK_STATE": "postgresql://nobody:hunter22hunter@127.0.0.1:1/x"})
    assert ran.code == 1 and "hunter22hunter" not in ran.said
    ran = project.run("ramp", "10", "--yes", env={"RUNBOOK_STATE": "postgresql://nobody:hunter22hunter@127.0.0.1:1/x"})
    assert ran.code != 0 and "hunter22hunter" not in ran.said


def test_doctor_tells_what_only_some_kinds_need_and_does_not_count_it(project: Project, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    git = tmp_path / "bin/git"
    git.write_text("#!/bin/sh\n")
    git.chmod(0o755)
    ran = project.json("doctor", env={"PATH": str(git.parent)})
    found = {row["name"]: (row["kind"], row["found"]) for row in ran.document["details"]["needs"]}
    assert ran.code == 0
    assert found["kubectl"] == ("kubernetes", None)
    assert found["systemctl"] == ("systemd", None)
    assert found["git"] == ("git", str(git))
    assert found["psycopg"][1] and found["sqlalchemy"][1] and found["azure-cosmos"][1]
    shown = project.run("doctor", env={"PATH": str(git.parent)}).out
    assert re.search(r"-- +kubectl +not found +only for the kind kubernetes", shown)
