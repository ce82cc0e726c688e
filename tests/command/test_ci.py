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
