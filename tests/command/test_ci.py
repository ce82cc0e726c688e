"""`preflight --automatic` as CI runs it: a fresh clone, no terminal, nothing kept before, maybe nowhere to keep it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.command.held_formats import FORMATS, hold_to_the_format
from tests.command.project import Project
from tests.show.readers import read_github, read_junit

IN_CI = {"CI": "true", "GITHUB_ACTIONS": "true"}
PEOPLE = """
  ready:
    - {check: Answers, http: /health}
    - {check: Words are there, file: words.txt, advice: make words}
    - {check: Team is told, sign: true}"""

pytestmark = pytest.mark.needs("git")


def git(folder: Path, *words: str) -> str:
    named = ("-c", "user.name=a", "-c", "user.email=a@example.invalid", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *named, *words], cwd=folder, capture_output=True, text=True, check=True, timeout=30)
    return done.stdout


@pytest.fixture
def clone(installed: Project) -> Path:
    """A clone of the project, as a runner makes it."""
    installed.write(checklists=PEOPLE)
    git(installed.folder, "init", "-q")
    git(installed.folder, "add", "playbooks", "ranker.env", "words.txt", "restart.sh")
    git(installed.folder, "commit", "-q", "-m", "all of it")
    git(installed.folder.parent, "clone", "-q", str(installed.folder), "clone")
    return installed.folder.parent / "clone"


def test_what_people_answer_is_left_to_them(installed: Project, clone: Path) -> None:
    ran = installed.run("preflight", "--automatic", cwd=clone, env=IN_CI)
    assert ran.code == 0 and "Left to people:" in ran.out
    assert ran.err == ""
    assert installed.run("preflight", cwd=clone, env=IN_CI).code == 3, "without --automatic somebody has to answer"


def test_the_checkout_stays_clean(installed: Project, clone: Path) -> None:
    before = {path.name for path in clone.iterdir()}
    installed.run("preflight", "--automatic", cwd=clone, env=IN_CI)
    assert git(clone, "status", "--porcelain", "--untracked-files=all") == ""
    assert {path.name for path in clone.iterdir()} - before <= {".runbook"}
    assert not (clone / ".runbook" / "journal").exists()
    assert installed.json("history", cwd=clone).document["events"] == []


def test_a_no_is_red_and_names_the_check(installed: Project, clone: Path) -> None:
    (clone / "words.txt").unlink()
    ran = installed.run("preflight", "--automatic", "-f", "github", cwd=clone, env=IN_CI)
    assert ran.code == 1
    [error] = read_github(ran.out)
    assert (error.level, error.properties["title"]) == ("error", "Words are there")
    line = (clone / error.properties["file"]).read_text().splitlines()[int(error.properties["line"]) - 1]
    assert "check: Words are there" in line
    assert "do: make words" in error.message


def test_what_could_not_be_measured_is_no_go_either(installed: Project, clone: Path) -> None:
    installed.write(checklists="\n  ready: [{check: Number, http: /none, jq: .n, expect: '> 1'}]")
    (clone / "playbooks" / "ranker.yaml").write_text(installed.playbook.read_text())
    assert installed.run("preflight", "--automatic", cwd=clone, env=IN_CI).code == 3


@pytest.mark.parametrize("wanted", FORMATS)
def test_every_format_in_a_clone(installed: Project, clone: Path, wanted: str, tmp_path: Path) -> None:
    out = tmp_path / "report"
    words = ("preflight", "--automatic", "-f", wanted, "-o", str(out))
    assert installed.run(*words, cwd=clone, env=IN_CI).code == 0
    hold_to_the_format(wanted, 0, out.read_text())


def test_where_nothing_can_be_kept_it_looks_all_the_same(installed: Project, clone: Path) -> None:
    """A file stands where the state would lie, and the user's own folder cannot be made."""
    (clone / ".runbook").write_text("in the way")
    nowhere = {**IN_CI, "XDG_STATE_HOME": "/dev/null/state", "HOME": "/dev/null"}
    ran = installed.run("preflight", "--automatic", "-f", "junit", cwd=clone, env=nowhere)
    assert ran.code == 0
    assert "nothing is kept" in ran.err
    assert {point.outcome for point in read_junit(ran.out)} == {"ok", "skipped"}
    assert installed.run("health-check", cwd=clone, env=nowhere).code == 0
    (clone / "words.txt").unlink()
    assert installed.run("preflight", "--automatic", cwd=clone, env=nowhere).code == 1
    before = (clone / "ranker.env").read_bytes()
    assert installed.run("ramp", "10", "--yes", cwd=clone, env=nowhere).code == 4, "what changes something is refused"
    assert (clone / "ranker.env").read_bytes() == before


def test_where_the_checkout_is_read_only_the_state_goes_elsewhere(
    installed: Project, clone: Path, tmp_path: Path
) -> None:
    (clone / ".runbook").write_text("in the way")
    home = tmp_path / "state"
    ran = installed.run("preflight", "--automatic", cwd=clone, env={**IN_CI, "XDG_STATE_HOME": str(home)})
    assert ran.code == 0 and str(home) in ran.err
    assert (clone / ".runbook").read_text() == "in the way"


def test_lint_in_a_clone(installed: Project, clone: Path) -> None:
    assert installed.run("lint", "--strict", "-f", "github", cwd=clone, env=IN_CI).code in (0, 1)
    (clone / "playbooks" / "ranker.yaml").write_text("runbook: 1\nservce: x\n")
    ran = installed.run("lint", "-f", "github", cwd=clone, env=IN_CI)
    assert ran.code == 2
    assert {found.properties["file"] for found in read_github(ran.out)} == {"playbooks/ranker.yaml"}


def test_a_flag_file_that_is_not_in_git_is_left_out_and_listed(installed: Project, clone: Path) -> None:
    (clone / "ranker.env").unlink()
    plain = installed.run("preflight", cwd=clone, env=IN_CI)
    assert plain.code == 3, "nobody can look, which is no no"
    assert "ranker.env is not there: run it where the flag file lies, or put ranker.env there" in plain.out
    ran = installed.json("preflight", "--automatic", cwd=clone, env=IN_CI)
    assert ran.code == 0 and "cannot be seen from here" in ran.document["message"]
    row = ran.rows("checks")["safe_defaults"]
    assert (row["status"], row["counts"]) == ("unknown", False)
    shown = installed.run("preflight", "--automatic", cwd=clone, env=IN_CI).out
    assert "The flag file shows the safe defaults" in shown.partition("Cannot be seen from here, not counted:")[2]
    points = read_junit(installed.run("preflight", "--automatic", "-f", "junit", cwd=clone, env=IN_CI).out)
    assert {point.outcome for point in points} == {"ok", "skipped"}
    (clone / "words.txt").unlink()
    assert installed.run("preflight", "--automatic", cwd=clone, env=IN_CI).code == 1, "what can be seen counts"


def test_a_flag_file_that_was_there_once_is_a_no(installed: Project) -> None:
    installed.write(checklists="\n  ready: [{check: Answers, http: /health}]")
    installed.at_first()
    installed.flags.unlink()
    ran = installed.run("preflight", "wide", "--automatic", env=IN_CI)
    assert ran.code == 1 and "ranker.env is not there" in ran.out and "do: echo " in ran.out


@pytest.mark.parametrize("workspace", [True, False])
def test_paths_begin_at_the_repository(installed: Project, clone: Path, workspace: bool) -> None:
    """The project is a folder of a repository, as the runner checked it out."""
    root = clone.parent
    named = {**IN_CI, "GITHUB_WORKSPACE": str(root) if workspace else "/nowhere"}
    if not workspace:
        (clone / ".git").rename(root / ".git")
    (clone / "words.txt").unlink()
    [error] = read_github(installed.run("preflight", "--automatic", "-f", "github", cwd=clone, env=named).out)
    assert error.properties["file"] == "clone/playbooks/ranker.yaml"
    (clone / "playbooks" / "ranker.yaml").write_text("runbook: 1\nservce: x\n")
    found = read_github(installed.run("lint", "-f", "github", cwd=clone, env=named).out)
    assert {one.properties["file"] for one in found} == {"clone/playbooks/ranker.yaml"}
