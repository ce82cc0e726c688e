"""`git` where a repository hides something: files that git does not look at, an upstream that is no remote's, a branch
that went on elsewhere.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from runbook.judge.verdicts import Status
from tests.checks.test_git import commit, digest_of, git, seen

pytestmark = pytest.mark.needs("git")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A clone on main, which is pushed; it holds `one` and `sub/two`."""
    folder = tmp_path / "here"
    (folder / "sub").mkdir(parents=True)
    git(folder, "init", "-q")
    commit(folder, "one")
    commit(folder, "sub/two")
    git(tmp_path, "clone", "-q", "--bare", str(folder), "there.git")
    git(folder, "remote", "add", "origin", str(tmp_path / "there.git"))
    git(folder, "push", "-q", "-u", "origin", "main")
    return folder


@pytest.mark.parametrize("mark", ["--assume-unchanged", "--skip-worktree"])
@pytest.mark.parametrize("name", ["one", "sub/two"])
@pytest.mark.parametrize("asked", [".", "sub"])
def test_a_file_that_git_does_not_look_at_is_not_clean(here: Path, mark: str, name: str, asked: str) -> None:
    git(here, "update-index", mark, name)
    (here / name).write_text("changed in production")
    assert git(here, "status", "--porcelain") == ""
    before = digest_of(here)
    row = seen(here, git=asked, clean=True)
    assert (row.status, row.observed) == (Status.FAIL, "1 file that git was told not to look at")
    assert "git update-index --no-assume-unchanged FILE, or --no-skip-worktree FILE" in row.message
    assert [entry.rpartition("/")[2] for entry in row.listed] == [name.rpartition("/")[2]]
    assert digest_of(here) == before
    git(here, "update-index", mark.replace("--", "--no-"), name)
    assert seen(here, clean=True).observed == "1 file changed and not committed"


def test_both_are_told(here: Path) -> None:
    git(here, "update-index", "--assume-unchanged", "one")
    (here / "new").touch()
    row = seen(here, clean=True)
    assert row.message.startswith("1 file changed and not committed, and 1 file that git was told not to look at; ")
    assert list(row.listed) == ["?? new", "one"]


def test_what_a_sparse_checkout_leaves_out_is_meant(here: Path) -> None:
    git(here, "sparse-checkout", "set", "--no-cone", "/one")
    assert not (here / "sub").exists()
    assert seen(here, clean=True).status is Status.PASS
    git(here, "update-index", "--assume-unchanged", "one")
    assert seen(here, clean=True).status is Status.FAIL


def test_more_files_than_are_read_of_a_program(here: Path) -> None:
    """14,000 that a sparse checkout leaves out, with 5.8 MB of names."""
    blob = git(here, "rev-parse", "HEAD:one")
    names = [f"many/{'x' * 200}/{'y' * 200}/{number:05}" for number in range(14_000)]
    lines = "".join(f"100644 {blob}\t{name}\n" for name in names)
    subprocess.run(["git", "update-index", "--index-info"], cwd=here, input=lines, text=True, check=True)
    git(here, "commit", "-q", "-m", "many")
    git(here, "sparse-checkout", "set", "--no-cone", "/one")
    row = seen(here, clean=True)
    assert (row.status, row.observed) == (Status.PASS, "clean")


@pytest.mark.parametrize("way", ["branch", "remote"])
def test_an_upstream_that_is_a_branch_here_is_none(here: Path, way: str) -> None:
    git(here, "checkout", "-q", "-b", "work", "main")
    commit(here, "later")
    git(here, "branch", "-q", "copy")
    git(here, "branch", "-q", "--set-upstream-to", "copy")
    if way == "remote":
        git(here, "config", "branch.work.merge", "refs/heads/work")
    row = seen(here, pushed=True)
    assert (row.status, row.observed) == (Status.FAIL, "1 commit not pushed")
    assert row.message.endswith(", is of this repository: git push --set-upstream origin HEAD")
    git(here, "push", "-q", "origin", "work")
    assert seen(here, pushed=True).status is Status.PASS


def test_an_upstream_that_is_gone(here: Path) -> None:
    commit(here, "later")
    git(here, "update-ref", "-d", "refs/remotes/origin/main")
    row = seen(here, pushed=True)
    assert (row.status, "not pushed" in row.message) == (Status.FAIL, True)


def test_a_branch_that_went_on_at_origin_is_not_merged(here: Path, tmp_path: Path) -> None:
    git(here, "checkout", "-q", "-b", "feature", "main")
    commit(here, "first")
    git(here, "push", "-q", "origin", "feature")
    git(here, "checkout", "-q", "main")
    git(here, "merge", "-q", "--no-ff", "-m", "merge", "feature")
    assert seen(here, merged="feature").observed == "feature is in HEAD"
    git(tmp_path, "clone", "-q", "-b", "feature", str(tmp_path / "there.git"), "elsewhere")
    commit(tmp_path / "elsewhere", "second")
    git(tmp_path / "elsewhere", "push", "-q", "origin", "feature")
    git(here, "fetch", "-q")
    row = seen(here, merged="feature", into="main")
    assert (row.status, row.observed) == (Status.FAIL, "1 commit of origin/feature not in main")
    git(here, "checkout", "-q", "feature")
    git(here, "reset", "-q", "--hard", "origin/feature")
    commit(here, "third")
    row = seen(here, merged="feature", into="main")
    assert row.observed == "2 commits of feature not in main"
