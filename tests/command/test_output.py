"""Standard output is data, standard error is talk; and the formats."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.command.project import RUNBOOK, Project, environment, schema

ALL = [
    "status", "status --all", "status --live", "gate", "preflight", "health-check", "health", "history", "audit verify",
    "lint", "doctor", "playbooks", "schema", "schema --documents", "exit-codes", "incident list", "ramp --dry-run",
    "rollback --dry-run", "rollback --emergency --dry-run", "adopt --restore --dry-run", "resume", "release",
    "sandbox status",
]  # fmt: skip


@pytest.mark.parametrize("words", ALL)
def test_every_command_in_every_format(standing: Project, words: str) -> None:
    before = standing.files()
    args = words.split()
    told = standing.json(*args)
    assert told.code == 0 or words == "sandbox status", told
    assert told.document["command"] in (" ".join(word for word in args if not word.startswith("-")), "health-check")
    for form in ("plain", "markdown", "table"):
        ran = standing.run(*args, "-f", form)
        assert ran.code == told.code and (ran.out or ran.err)
        assert "\x1b" not in ran.said
    assert standing.files() == before, "looking changes nothing"


@pytest.mark.parametrize("words", ["ramp 10 --yes", "ramp --yes", "hold --until 2h", "note complaint", "sandbox down"])
def test_commands_that_do_something_in_json(project: Project, words: str) -> None:
    ran = project.json(*words.split())
    assert ran.code in (0, 2), ran


def test_talk_goes_to_standard_error(project: Project) -> None:
    ran = project.run("ramp", "10", "--yes")
    assert ran.out.startswith("GO") and "redeploy" not in ran.out and "redeploy" in ran.err
    ran = project.json("rollback", "--emergency", "--yes")
    assert ran.err and json.loads(ran.out)["verdict"] == "go"


def test_quiet_says_nothing_where_all_is_well(project: Project) -> None:
    ran = project.run("ramp", "10", "--yes", "-q")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    project.numbers(errors=0.5)
    ran = project.run("gate", "-q")
    assert ran.code == 1 and "errors" in ran.said
    assert project.run("ramp", "50", "--yes", "-q").code == 1


def test_verbose_shows_the_output_of_a_redeploy(project: Project) -> None:
    (project.folder / "restart.sh").write_text("echo warming up; cat *.env > running\n")
    assert "warming up" not in project.run("ramp", "10", "--yes").err
    assert "warming up" in project.run("ramp", "50", "--yes", "-v").err


def test_into_a_file(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    ran = project.run("status", "-f", "json", "-o", str(path))
    assert (ran.code, ran.out) == (0, "")
    schema().validate(json.loads(path.read_text()))
    ran = project.run("status", "-o", str(path))
    assert ran.code == 0 and path.read_text().startswith("ranker · local")
    project.at_first().numbers(errors=0.5)
    ran = project.run("gate", "-f", "markdown", "--output", str(path))
    assert ran.code == 1 and "NO-GO" in path.read_text()


def test_into_a_file_also_when_it_is_refused(project: Project, tmp_path: Path) -> None:
    """A machine that reads the file must not find the document of the time before."""
    path = tmp_path / "ramp.json"
    path.write_text('{"verdict": "go"}')
    ran = project.run("ramp", "10", "-f", "json", "-o", str(path))
    assert ran.code == 2
    assert json.loads(path.read_text())["verdict"] == "failed" or json.loads(ran.out)["verdict"] == "failed"
    assert json.loads(path.read_text())["verdict"] == "failed"
    path.unlink()
    project.write(rollback="{sett: safe}")
    assert project.run("lint", "-o", str(path)).code == 2
    assert "sett" in path.read_text()


@pytest.mark.parametrize("path", ["/nonexistent/out.txt", "/", "/dev/full"])
def test_into_a_file_that_cannot_be_written(project: Project, path: str) -> None:
    ran = project.run("status", "-o", path)
    assert ran.code == 2 and path in ran.err


def test_markdown_is_markdown(project: Project) -> None:
    project.at_first()
    out = project.run("history", "-f", "markdown").out
    assert out.lstrip().startswith("|") and "|---" in out.replace("|:--", "|---")


def test_a_reader_that_goes_away_and_a_full_disk_do_not_stop_the_work(project: Project) -> None:
    script = f'"{RUNBOOK}" ramp 10 --yes 2>&1 | true; "{RUNBOOK}" status > /dev/full'
    ran = subprocess.run(
        check=False,
        args=["sh", "-c", script],
        cwd=project.folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in ran.stderr and "Exception ignored" not in ran.stderr
    assert project.json("status").document["stage"] == "first"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(project: Project, closed: str) -> None:
    ran = subprocess.run(
        check=False, args=["sh", "-c", f'"{RUNBOOK}" ramp 10 --yes {closed}'], cwd=project.folder, env=environment(),
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0 and "Traceback" not in ran.stderr
    assert "= 10" in project.flags.read_text(), "and nothing was written into it that was meant for a stream"
    assert project.flags.read_text().count("\n") == 4


def test_the_schemas_are_schemas(project: Project) -> None:
    for words in (["schema"], ["schema", "--documents"]):
        jsonschema.Draft202012Validator.check_schema(json.loads(project.run(*words).out))
    playbook = json.loads(project.run("schema").out)
    # PyYAML takes a bare `off` for a truth; the playbook language and editors do not.
    written = yaml.safe_load(project.playbook.read_text().replace("stage: off", 'stage: "off"'))
    jsonschema.Draft202012Validator(playbook).validate(written)
    written["stages"][0]["percnt"] = 7
    assert not jsonschema.Draft202012Validator(playbook).is_valid(written)


def test_the_schema_refuses_what_no_document_is() -> None:
    made = {"schema": "runbook/1", "command": "x", "service": None, "environment": None, "verdict": "go",
            "exit_reason": "go", "message": "", "started_at": "", "duration_ms": 1.0}  # fmt: skip
    schema().validate(made)
    for key in made:
        assert list(schema().iter_errors({name: value for name, value in made.items() if name != key})), key
    assert list(schema().iter_errors({**made, "verdict": "maybe"}))


def test_unknown_commands_have_a_document_too(project: Project) -> None:
    document = project.json("rolback").document
    assert document["verdict"] == "failed" and document["exit_reason"] == "usage"
    document = project.json("incident", "opne").document
    assert document["exit_reason"] == "usage"


def test_no_colour_in_a_pipe(project: Project) -> None:
    ran = subprocess.run(
        check=False,
        args=[RUNBOOK, "status"],
        cwd=project.folder,
        env=environment(FORCE_COLOR="1"),
        capture_output=True,
        timeout=30,
    )
    assert b"\x1b" not in ran.stdout or os.environ.get("FORCE_COLOR")
