"""What happens where a program that tests start is missing: skipped aloud for a person, a failure in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.places import PROJECT

NEEDED_BY_THE_SCRIPT = ("sh", "sed", "sort", "tr")


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A machine, as seen by a PATH: what the script itself runs, an ordinary user, none of the tests' programs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in NEEDED_BY_THE_SCRIPT:
        (folder / name).symlink_to(shutil.which(name) or name)
    put(folder, "id", "echo 1000")
    return folder


def put(folder: Path, name: str, does: str) -> None:
    (folder / name).write_text(f"#!{folder / 'sh'}\n{does}\n", "utf-8")
    (folder / name).chmod(0o755)


def look_for_programs(folder: Path, what: str = "for-tests", **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [folder / "sh", PROJECT / "tools/servers.sh", what],
        env={"PATH": str(folder), **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_an_ordinary_user_is_told_what_is_missing(programs: Path) -> None:
    put(programs, "tmux", "true")
    put(programs, "faketime", "true")
    put(programs, "apt-get", f"echo called > {programs}/apt-was-called")
    done = look_for_programs(programs)
    assert done.returncode == 0
    assert "missing: strace;" in done.stderr
    assert "next: make servers" in done.stderr
    assert not (programs / "apt-was-called").exists()


def test_in_ci_what_is_missing_is_a_failure(programs: Path) -> None:
    done = look_for_programs(programs, CI="true")
    assert done.returncode == 1
    assert "missing: faketime strace tmux" in done.stderr


def test_nothing_is_said_where_nothing_is_missing(programs: Path) -> None:
    for name in ("strace", "tmux", "faketime"):
        put(programs, name, "true")
    done = look_for_programs(programs, CI="true")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_root_installs_what_is_missing(programs: Path) -> None:
    put(programs, "id", "echo 0")
    put(programs, "env", 'shift; exec "$@"')
    put(programs, "apt-get", f'echo "$@" >> {programs}/asked')
    put(programs, "tmux", "true")
    put(programs, "faketime", "true")
    assert "installing strace\n" in look_for_programs(programs).stdout
    updated, installed = (programs / "asked").read_text("utf-8").splitlines()
    assert updated.startswith("update")
    assert installed.startswith("install")
    assert installed.endswith(" strace")


def test_without_apt_there_is_nothing_to_install_with(programs: Path) -> None:
    done = look_for_programs(programs, "install")
    assert done.returncode == 1
    assert "faketime strace tmux must be installed by other means" in done.stderr


@pytest.mark.parametrize(("ci", "ends_with", "told"), [("", 0, "1 skipped"), ("true", 1, "1 error")])
def test_a_test_whose_program_is_missing(tmp_path: Path, ci: str, ends_with: int, told: str) -> None:
    (tmp_path / "test_one.py").write_text(
        "import pytest\n\n@pytest.mark.needs('no-such-program')\ndef test_it() -> None:\n    pass\n", "utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-ra", "--rootdir", tmp_path, tmp_path],
        cwd=PROJECT,
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, told in done.stdout) == (ends_with, True), done.stdout
    assert "no-such-program is not on this machine; next: make servers" in done.stdout
