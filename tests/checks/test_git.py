"""`git`: repositories on disk, made by the real git; hostile ones run nothing, and nothing is written or fetched."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.base import CheckResult
from runbook.checks.platforms.git import Git
from runbook.judge.verdicts import Reason, Status
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, surroundings

pytestmark = pytest.mark.needs("git")
PERSON = ("-c", "user.name=Jo", "-c", "user.email=jo@example.test", "-c", "protocol.file.allow=always")


def git(folder: Path, *words: str) -> str:
    argv = ["git", *PERSON, "-c", "init.defaultBranch=main", *words]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path, name: str) -> None:
    (folder / name).write_text(name)
    git(folder, "add", name)
    git(folder, "commit", "-q", "-m", name)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A clone on main whose remote has main; feature-x is merged, feature-y is not, v1 and v2 are tags."""
    there, folder = tmp_path / "there.git", tmp_path / "here"
    folder.mkdir()
    git(folder, "init", "-q")
    commit(folder, "one")
    git(folder, "tag", "v1")
    for branch in ("feature-x", "feature-y"):
        git(folder, "checkout", "-q", "-b", branch, "main")
        commit(folder, branch)
    commit(folder, "more")
    git(folder, "checkout", "-q", "main")
    git(folder, "merge", "-q", "--no-ff", "-m", "merge", "feature-x")
    git(folder, "tag", "-a", "-m", "second", "v2")
    git(tmp_path, "clone", "-q", "--bare", str(folder), str(there))
    git(folder, "remote", "add", "origin", str(there))
    git(folder, "push", "-q", "-u", "origin", "main", "feature-y")
    git(folder, "branch", "-q", "-D", "feature-y")
    return folder


def seen(folder: Path, seconds: float = 10.0, **options: Any) -> CheckResult:
    process = {"PATH": os.environ["PATH"], "HOME": str(folder.parent)}
    around = surroundings(folder, seconds=seconds, variables=Variables(process=process))
    return looked({"git": ".", **options}, around)


def digest_of(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(str(path).encode() + (path.read_bytes() if path.is_file() else b""))
    return digest.hexdigest()


@pytest.mark.parametrize(
    ("options", "status", "observed"),
    [
        ({"clean": True}, Status.PASS, "clean"),
        ({"branch": "main"}, Status.PASS, "on main"),
        ({"branch": "feature-x"}, Status.FAIL, "on main, not on feature-x"),
        ({"at": "v2"}, Status.PASS, "at v2"),
        ({"at": "main"}, Status.PASS, "at main"),
        ({"at": "v1"}, Status.FAIL, None),
        ({"at": "v3"}, Status.UNKNOWN, ""),
        ({"pushed": True}, Status.PASS, "pushed"),
        ({"merged": "feature-x"}, Status.PASS, "feature-x is in HEAD"),
        ({"merged": "feature-x", "into": "main"}, Status.PASS, "feature-x is in main"),
        ({"merged": "feature-x", "into": "v1"}, Status.FAIL, "1 commit of feature-x not in v1"),
        ({"merged": "feature-y", "into": "main"}, Status.FAIL, "2 commits of feature-y not in main"),
        ({"merged": "v1"}, Status.PASS, "v1 is in HEAD"),
        ({"merged": "feature-z"}, Status.UNKNOWN, ""),
        ({"merged": "feature-x", "into": "no-such"}, Status.UNKNOWN, ""),
        ({"branch": "main", "clean": True, "pushed": True}, Status.PASS, "on main, clean, pushed"),
        ({"at": "v3", "branch": "other"}, Status.FAIL, "on main, not on other"),
    ],
)
def test_what_is_asked(here: Path, options: dict[str, Any], status: Status, observed: str | None) -> None:
    before = digest_of(here)
    row = seen(here, **options)
    assert row.status is status, row
    assert observed is None or row.observed == observed
    assert row.message or status is Status.PASS
    assert digest_of(here) == before


def test_the_id_of_a_commit(here: Path) -> None:
    whole = git(here, "rev-parse", "HEAD")
    assert seen(here, at=whole).status is Status.PASS
    assert seen(here, at=whole[:9]).status is Status.PASS
    assert seen(here, at="0" * 40).status is Status.UNKNOWN


def test_what_is_changed_is_listed(here: Path) -> None:
    (here / "one").write_text("other")
    (here / "new\x1b[2J").write_text("")
    (here / "staged").write_text("")
    git(here, "add", "staged")
    row = seen(here, clean=True)
    assert (row.status, row.observed) == (Status.FAIL, "3 files changed and not committed")
    assert sorted(row.listed) == [" M one", "?? new\\x1b[2J", "A  staged"]


def test_many_changes_and_several_wrongs(here: Path) -> None:
    for number in range(100):
        (here / f"file-{number:03}").touch()
    row = seen(here, clean=True, branch="other")
    assert row.observed == "on main, not on other"
    assert list(row.listed[:2]) == ["on main, not on other", "100 files changed and not committed"]
    assert len(row.listed) == 22


def test_commits_that_are_not_pushed(here: Path) -> None:
    commit(here, "later")
    row = seen(here, pushed=True)
    assert (row.status, row.message) == (Status.FAIL, "1 commit not pushed; git push")
    git(here, "checkout", "-q", "-b", "alone")
    row = seen(here, pushed=True)
    assert (row.status, "git push --set-upstream" in row.message) == (Status.FAIL, True)
    git(here, "checkout", "-q", "--detach", "origin/main")
    assert seen(here, pushed=True).status is Status.PASS
    assert seen(here, branch="main").observed == "on a commit, on no branch, not on main"


def test_a_shallow_clone_knows_no_history(here: Path, tmp_path: Path) -> None:
    url = f"file://{tmp_path}/there.git"
    git(tmp_path, "clone", "-q", "--depth", "1", "--no-single-branch", url, str(tmp_path / "shallow"))
    row = seen(tmp_path / "shallow", merged="v1", into="main")
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert "git fetch --unshallow" in row.message
    assert seen(tmp_path / "shallow", merged="main").status is Status.PASS


def test_no_repository_and_one_without_commits(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for options in ({"clean": True}, {"at": "v1"}, {"pushed": True}, {"merged": "x"}, {"branch": "main"}):
        row = seen(outside, **options)
        assert (row.status, row.reason, row.message) == (Status.UNKNOWN, Reason.ERROR, ". is in no git repository")
    assert seen(outside, git="no-such-folder", clean=True).status is Status.UNKNOWN
    git(outside, "init", "-q")
    assert seen(outside, clean=True).status is Status.PASS
    assert seen(outside, branch="main").status is Status.PASS
    assert "nothing was committed" in seen(outside, at="HEAD").message
    assert seen(outside, pushed=True).status is Status.UNKNOWN
    (outside / ".git/HEAD").write_bytes(b"\xff\x00rubbish")
    assert seen(outside, clean=True).status is Status.UNKNOWN


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a folder away takes root")
def test_a_repository_of_somebody_else(here: Path) -> None:
    for path in (here, here / ".git"):
        os.chown(path, 65534, 65534)
    for options in ({"clean": True}, {"at": "v2"}):
        row = seen(here, **options)
        assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
        assert "git config --global --add safe.directory" in row.message


def evil(here: Path) -> tuple[Path, str]:
    """A program that leaves a mark when it is run."""
    mark, program = here.parent / "was-run", here.parent / "evil"
    program.write_text(f"#!/bin/sh\necho run >> {mark}\ncat\n")
    program.chmod(0o755)
    return mark, str(program)


def test_nothing_that_a_repository_configures_is_run(here: Path) -> None:
    mark, program = evil(here)
    for name in ("core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "diff.external", "gpg.program"):
        git(here, "config", name, program)
    for name in ("diff.x.command", "diff.x.textconv", "core.alternateRefsCommand", "credential.helper", "alias.status"):
        git(here, "config", name, f"!{program}" if name == "alias.status" else program)
    (here / ".git/info/attributes").write_text("* diff=x\n")
    for hook in ("post-index-change", "reference-transaction", "pre-commit", "post-checkout"):
        (here / ".git/hooks" / hook).write_bytes(Path(program).read_bytes())
        (here / ".git/hooks" / hook).chmod(0o755)
    git(here, "config", "core.hooksPath", str(here / ".git/hooks"))
    mark.unlink(missing_ok=True)
    os.utime(here / "one", (0, 0))  # git has to read it again
    row = seen(here, clean=True, branch="main", at="v2", pushed=True, merged="feature-x")
    assert row.status is Status.PASS, row
    assert not mark.exists()
    git(here, "status")
    assert mark.exists()  # git itself does run it


@pytest.mark.parametrize("way", ["clean", "process", "included"])
def test_a_filter_of_the_repository_is_not_run(here: Path, way: str) -> None:
    mark, program = evil(here)
    if way == "included":
        (here / ".git/more").write_text(f'[filter "x"]\n\tclean = {program}\n')
        git(here, "config", "include.path", "more")
    else:
        git(here, "config", f"filter.x.{way}", program)
    (here / ".git/info/attributes").write_text("* filter=x\n")
    os.utime(here / "one", (0, 0))
    row = seen(here, clean=True)
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert "filter.x." in row.message
    assert not mark.exists()
    assert seen(here, at="v2").status is Status.PASS


def test_large_files_and_filters_of_the_operator_are_as_usual(here: Path) -> None:
    git(here, "config", "filter.lfs.clean", "git-lfs clean -- %f")
    git(here, "config", "filter.lfs.process", "git-lfs filter-process")
    (here.parent / ".gitconfig").write_text('[filter "mine"]\n\tclean = cat\n')
    assert seen(here, clean=True).status is Status.PASS


def test_a_submodule_runs_nothing(here: Path, tmp_path: Path) -> None:
    git(here, "submodule", "--quiet", "add", str(tmp_path / "there.git"), "part")
    git(here, "commit", "-q", "-m", "part")
    mark, program = evil(here)
    git(here / "part", "config", "core.fsmonitor", program)
    git(here / "part", "config", "filter.x.clean", program)
    (here / ".git/modules/part/info/attributes").write_text("* filter=x\n")
    (here / "part/one").write_text("changed")
    mark.unlink(missing_ok=True)
    assert seen(here, clean=True).status is Status.PASS  # what counts is which commit it is at
    assert not mark.exists()
    git(here / "part", "config", "--unset", "core.fsmonitor")
    git(here / "part", "checkout", "-q", "--force", "v1")
    assert seen(here, clean=True).status is Status.FAIL


def test_a_partial_clone_fetches_nothing(here: Path, tmp_path: Path) -> None:
    mark, program = evil(here)
    Path(program).write_text(Path(program).read_text().replace("cat", "exit 1"))
    settings = {"core.repositoryFormatVersion": "1", "extensions.partialClone": "origin", "protocol.allow": "always"}
    settings |= {"remote.origin.promisor": "true", "remote.origin.uploadpack": program}
    for name, value in settings.items():
        git(here, "config", name, value)
    wanted = git(here, "rev-parse", "HEAD^")
    (here / ".git/objects" / wanted[:2] / wanted[2:]).unlink()
    row = seen(here, merged="feature-y", into="main")
    assert row.status is Status.UNKNOWN, row
    assert not mark.exists()
    with pytest.raises(subprocess.CalledProcessError):
        git(here, "log")
    assert mark.exists()  # git itself does ask


def test_a_git_that_hangs_or_floods(tmp_path: Path) -> None:
    program = tmp_path / "git"
    for script, says in (
        ("exec sleep 60", "timed out"),
        ("head -c 20000000 /dev/zero", "more than can be read"),
        ("kill -9 $$", "signal 9"),
        ("printf '\\377\\033[2J' >&2; exit 3", "\\x1b[2J"),
    ):
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        variables = Variables(process={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
        began = time.monotonic()
        row = looked({"git": ".", "pushed": True}, surroundings(tmp_path, seconds=1.0, variables=variables))
        assert time.monotonic() - began < 5
        assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
        assert says in row.message
    row = looked({"git": ".", "clean": True}, variables=Variables(process={"PATH": str(tmp_path / "none")}))
    assert (row.status, "install git" in row.message) == (Status.UNKNOWN, True)


def test_names_that_are_none_and_what_is_wrong_before() -> None:
    for name in ("-x", "a b", "a..b", "a~1", "a^", "@{u}", "a:b", "a\n", "", "x.lock", "a//b", "a/", "$(x)", "\x1b"):
        assert a_check({"git": ".", "branch": name}).options.problems(), name
        row = looked({"git": ".", "at": "${NAME}"}, variables=Variables(process={"NAME": name}))
        assert row.status is Status.UNKNOWN, name
    for name in ("main", "feature/x-1", "v2.4.0", "release_3", "dependabot/npm/@types/node-1"):
        assert a_check({"git": ".", "merged": name}).options.problems() == [], name
    assert len(a_check({"git": " "}).options.problems()) == 2
    assert "into belongs to merged" in a_check({"git": ".", "into": "main", "clean": True}).options.problems()[0]


def test_by_hand() -> None:
    options = a_check({"git": "app", "clean": True, "merged": "feature-x", "at": "v1"}).options
    assert isinstance(options, Git)
    status, log = "git -C app status --short --branch", "git -C app log -1 --oneline --decorate"
    assert options.by_hand(None) == f"{status}; {log}; git -C app log --oneline HEAD..feature-x"
    assert not options.takes_value()
    assert not options.presence()
    assert not a_check({"git": "."}).options.asserts()
