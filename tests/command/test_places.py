"""Which playbook, environment and folder are meant; and strange places to stand in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.command.project import AT_FIRST, FLAGS, RUNBOOK, Project, environment

SECOND = "runbook: 1\nservice: second\nenvironments: {local: {}}\n"


def test_no_playbook_anywhere(project: Project) -> None:
    project.playbook.unlink()
    for command in (["ramp"], ["preflight"], ["gate"], ["lint"]):
        ran = project.json(*command)
        assert ran.code == 2 and "no playbook" in ran.document["message"] and ran.document["next"], command
    for command in (["playbooks"], ["doctor"], ["schema"], ["exit-codes"], ["audit", "verify"]):
        assert project.json(*command).code == 0, command


def test_with_one_none_has_to_be_named(project: Project) -> None:
    document = project.json("status").document
    assert (document["service"], document["environment"]) == ("ranker", "local")


def test_with_two_one_has_to_be_named(project: Project) -> None:
    (project.playbook.parent / "second.yaml").write_text(SECOND)
    ran = project.run("status")
    assert ran.code == 2 and "ranker" in ran.said and "second" in ran.said and "-p" in ran.said
    for named in ("ranker", "playbooks/ranker.yaml", str(project.playbook), "./playbooks/ranker.yaml"):
        assert project.json("status", "-p", named).document["service"] == "ranker"
    assert project.json("status", "-p", "second").document["service"] == "second"


def test_by_the_service(project: Project) -> None:
    project.write(service="ordering")
    assert project.json("status", "-p", "ordering").document["service"] == "ordering"


def test_other_yaml_beside_it_is_no_candidate(project: Project) -> None:
    for name, text in {
        "base.yaml": "flags: {}\n",
        "notes.yaml": "- x\n",
        ".hidden.yaml": SECOND,
        "old.yaml.bak": SECOND,
    }.items():
        (project.playbook.parent / name).write_text(text)
    (project.playbook.parent / "sandbox").mkdir()
    (project.playbook.parent / "sandbox" / "ranker.yaml").write_text("sandbox: 1\n")
    assert project.run("status").code == 0


def test_a_broken_one_is_never_passed_over(project: Project) -> None:
    (project.playbook.parent / "second.yaml").write_text("runbook: [")
    assert project.run("status").code == 2
    ran = project.run("status", "-p", "second")
    assert ran.code in (0, 2) and "second" in ran.said


def test_a_shipped_one_has_to_be_named_and_keeps_to_its_sandbox(project: Project) -> None:
    project.playbook.unlink()
    ran = project.run("ramp", "-p", "enrichment", "-e", "production", "--yes")
    assert ran.code == 2 and "sandbox" in ran.said
    ran = project.run("ramp", "-p", "enrichment", "--yes")
    assert ran.code != 0 and "sandbox up" in ran.said


def test_from_a_folder_below_and_from_far_away(installed: Project, tmp_path: Path) -> None:
    below = installed.folder / "src" / "deep"
    below.mkdir(parents=True)
    assert installed.run("ramp", "10", "--yes", cwd=below).code == 0
    assert installed.flags.read_text() == AT_FIRST
    far = {"RUNBOOK_PROJECT": str(installed.folder)}
    assert installed.json("status", cwd=tmp_path, env=far).document["stage"] == "first"
    assert installed.run("rollback", "--yes", cwd=tmp_path, env=far).code == 0
    assert installed.flags.read_text() == FLAGS and not (tmp_path / ".runbook").exists()
    assert installed.run("status", env={"RUNBOOK_PROJECT": "/nowhere"}).code == 2


def test_a_relative_path_from_a_folder_below_starts_at_the_project(project: Project) -> None:
    (project.playbook.parent / "second.yaml").write_text(SECOND)
    below = project.folder / "src"
    below.mkdir()
    assert project.run("status", "-p", "playbooks/ranker.yaml", cwd=below).code == 0
    assert project.run("status", "-p", "../playbooks/ranker.yaml", cwd=below).code == 0


def test_the_folder_was_deleted_under_our_feet(project: Project, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f'cd "{gone}" && rmdir "{gone}" && exec "{RUNBOOK}" status'
    ran = subprocess.run(
        check=False, args=["sh", "-c", script], capture_output=True, text=True, env=environment(), timeout=30
    )
    assert ran.returncode == 2 and "current folder" in ran.stderr and "Traceback" not in ran.stderr
    script = script.replace("status", "rollback --emergency --yes")
    told = environment(RUNBOOK_PROJECT=str(project.folder))
    ran = subprocess.run(check=False, args=["sh", "-c", script], capture_output=True, text=True, env=told, timeout=30)
    assert ran.returncode in (0, 2) and "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    "variables",
    [
        {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}, {"TERM": "dumb"}, {"TERM": ""},
        {"COLUMNS": "1"}, {"COLUMNS": "nonsense"}, {"TZ": "Nowhere/Land"}, {"PYTHONOPTIMIZE": "2"},
        {"TMPDIR": "/nonexistent"},
        {"PYTHONWARNINGS": "error"}, {"HOME": "/nonexistent", "XDG_STATE_HOME": "", "XDG_CONFIG_HOME": ""},
    ],
)  # fmt: skip
def test_strange_surroundings(installed: Project, variables: dict[str, str]) -> None:
    assert installed.run("ramp", "10", "--yes", env=variables).code == 0
    assert installed.run("status", env=variables).code == 0
    assert installed.run("rollback", "--emergency", "--yes", env=variables).code == 0
    assert installed.flags.read_text() == FLAGS


def test_an_environment_with_nothing_in_it(project: Project) -> None:
    for words in (["status"], ["ramp", "10", "--yes"], ["rollback", "--emergency", "--yes"]):
        ran = subprocess.run(
            check=False,
            args=[RUNBOOK, *words],
            cwd=project.folder,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ran.returncode == 0 and "Traceback" not in ran.stderr, ran


def test_modules_that_lie_around_are_not_ours(installed: Project) -> None:
    for name in ("yaml", "json", "typer", "runbook", "rich", "httpx", "jq"):
        (installed.folder / f"{name}.py").write_text("open('hijacked', 'w').close()\nraise SystemExit(7)\n")
    assert installed.run("ramp", "10", "--yes").code == 0
    assert not (installed.folder / "hijacked").exists()


def test_a_project_that_cannot_be_written_keeps_its_state_elsewhere(project: Project, tmp_path: Path) -> None:
    (project.folder / ".runbook").write_text("in the way")
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    ran = project.run("ramp", "10", "--yes", env=state)
    assert ran.code == 0 and str(tmp_path / "state") in ran.err
    assert project.json("status", env=state).document["stage"] == "first"
    assert project.run("rollback", "--emergency", "--yes", env=state).code == 0


def test_names_that_are_hard_to_handle(installed: Project) -> None:
    folder = installed.folder.with_name("a project with 'quotes' and ünïcode $HOME")
    installed.folder.rename(folder)
    installed.folder, installed.flags = folder, folder / "ranker.env"
    assert installed.run("ramp", "10", "--yes").code == 0
    assert installed.run("rollback", "--emergency", "--yes").code == 0
    assert installed.flags.read_text() == FLAGS


def test_other_environments_are_chosen_by_name(project: Project) -> None:
    one = "{url: http://127.0.0.1:PORT, flags_in: {env: ranker.env}, redeploy: {command: [sh, restart.sh]}}"
    project.write(environments=f"\n  local: {one}\n  staging: {one.replace('ranker.env', 'staging.env')}")
    ran = project.json("ramp", "10", "--yes")
    typed = "runbook ramp 10 --yes --format json"
    assert ran.code == 2 and ran.document["next"] == [f"{typed} -e local", f"{typed} -e staging"]
    (project.folder / "staging.env").write_text(FLAGS)
    assert project.run("ramp", "10", "-e", "staging", "--yes").code in (0, 4)
    assert project.flags.read_text() == FLAGS
    assert project.json("status", "-e", "local").document["stage"] == "off"
