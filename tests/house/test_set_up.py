"""What happens where a program that tests start is missing: skipped aloud for a person, a failure in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.places import PROJECT

NEEDED_BY_THE_SCRIPT = ("sh", "sed", "sort", "tr", "mkdir", "rm", "chmod")
OF_APT = (
    "strace", "tmux", "faketime", "git", "openssl", "kubectl", "initdb", "prometheus", "prometheus-alertmanager",
    "prometheus-pushgateway", "redis-server", "nginx", "mariadbd", "node",
)  # fmt: skip
BY_NPM = "cosmosdb-server"


@dataclass(frozen=True)
class Machine:
    """A machine, as seen by a PATH: what the script itself runs, an ordinary user, none of the tests' programs."""

    folder: Path

    @property
    def programs(self) -> Path:
        return self.folder / "bin"

    @property
    def policy(self) -> Path:
        return self.folder / "policy-rc.d"

    def put(self, *names: str, does: str = "true") -> None:
        for name in names:
            path = self.programs / name
            path.write_text(f"#!{self.programs / 'sh'}\n{does}\n", "utf-8")
            path.chmod(0o755)

    def noted(self, name: str) -> list[str]:
        """What a program was called with, a line a call."""
        path = self.folder / f"{name}-was-called"
        return path.read_text("utf-8").splitlines() if path.exists() else []

    def put_noting(self, name: str, then: str = "true") -> None:
        self.put(name, does=f'echo "$@" >> {self.folder}/{name}-was-called\n{then}')

    def put_root_with_apt(self, then: str = "true") -> None:
        self.put("id", does="echo 0")
        self.put("env", does='shift; exec "$@"')
        self.put_noting("apt-get", then)

    def look(self, what: str = "for-tests", **env: str) -> subprocess.CompletedProcess[str]:
        given = {"PATH": str(self.programs), "RUNBOOK_TEST_SERVER_FOLDERS": "", "RUNBOOK_TEST_POLICY": str(self.policy)}
        return subprocess.run(
            [self.programs / "sh", PROJECT / "tools/servers.sh", what], cwd=self.folder, env={**given, **env},
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    made.programs.mkdir()
    for name in NEEDED_BY_THE_SCRIPT:
        (made.programs / name).symlink_to(shutil.which(name) or name)
    made.put("id", does="echo 1000")
    return made


def all_but(*names: str) -> list[str]:
    return [name for name in (*OF_APT, BY_NPM) if name not in names]


def test_an_ordinary_user_is_told_what_is_missing(machine: Machine) -> None:
    machine.put(*all_but("strace"))
    machine.put_noting("apt-get")
    done = machine.look()
    assert done.returncode == 0
    assert done.stderr == "missing: strace; the tests that need it are skipped; next: make servers\n"
    assert machine.noted("apt-get") == []


def test_in_ci_what_is_missing_is_a_failure(machine: Machine) -> None:
    machine.put(*all_but("strace", "initdb", "mariadbd", "nginx"))
    done = machine.look(CI="true")
    assert done.returncode == 1
    assert done.stderr == "missing: mariadb-server-core nginx-light postgresql strace; in CI that is a failure\n"


def test_all_that_is_missing_is_named_by_its_package(machine: Machine) -> None:
    named = machine.look().stderr.partition("missing: ")[2].partition(";")[0].split()
    assert named == [
        "faketime", "git", "kubernetes-client", "mariadb-server-core", "nginx-light", "nodejs", "npm", "openssl",
        "postgresql", "prometheus", "prometheus-alertmanager", "prometheus-pushgateway", "redis-server", "strace",
        "tmux", "@vercel/cosmosdb-server",
    ]  # fmt: skip


def test_nothing_is_said_where_nothing_is_missing(machine: Machine) -> None:
    machine.put(*all_but())
    done = machine.look(CI="true")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_servers_outside_of_the_path_are_found(machine: Machine) -> None:
    machine.put(*all_but())
    apart = machine.folder / "sbin"
    apart.mkdir()
    (machine.programs / "nginx").rename(apart / "nginx")
    assert "nginx-light" in machine.look().stderr
    assert machine.look(RUNBOOK_TEST_SERVER_FOLDERS=str(apart)).stderr == ""


def test_root_installs_what_is_missing(machine: Machine) -> None:
    machine.put(*all_but("strace"))
    machine.put_root_with_apt()
    assert "installing strace\n" in machine.look().stdout
    updated, installed = machine.noted("apt-get")
    assert updated.startswith("update")
    assert installed.split() == ["install", "-y", "-qq", "--no-install-recommends", "strace"]


def test_one_package_that_cannot_be_had_keeps_no_other_away(machine: Machine) -> None:
    machine.put(*all_but("strace", "tmux"))
    put = f"touch {machine.programs}/tmux; /bin/chmod 755 {machine.programs}/tmux"
    machine.put_root_with_apt(f'case "$*" in *strace*) exit 100;; *install*tmux) {put};; esac')
    machine.put("touch", does=f'echo "#!{machine.programs}/sh" > "$1"')
    done = machine.look("install")
    assert done.returncode == 1
    assert "still missing: strace\n" in done.stderr
    assert [line.split()[-1] for line in machine.noted("apt-get")[2:]] == ["strace", "tmux"]


def test_no_service_is_started_by_its_installation(machine: Machine) -> None:
    machine.put(*all_but("redis-server", "nginx"))
    machine.put("record", does=f'"{machine.policy}"; echo "policy $?" >> {machine.folder}/asked')
    machine.put_root_with_apt("case $1 in install) record;; esac")
    machine.put_noting("systemctl")
    machine.look("install")
    assert (machine.folder / "asked").read_text("utf-8") == "policy 101\n"
    assert not machine.policy.exists(), "taken away again"
    asked = [line.split()[0::2] for line in machine.noted("systemctl")]
    assert asked == [["disable", "nginx.service"], ["disable", "redis-server.service"]]


@pytest.mark.parametrize("then", ["exit 100", "kill -TERM $PPID"])
def test_the_policy_goes_away_however_it_ends(machine: Machine, then: str) -> None:
    machine.put(*all_but("nginx"))
    machine.put_root_with_apt(then)
    assert machine.look("install").returncode == 1
    assert machine.noted("apt-get")
    assert not machine.policy.exists()


def test_a_policy_that_is_there_is_left_alone(machine: Machine) -> None:
    machine.put(*all_but("nginx"))
    machine.policy.write_text("#!/bin/sh\nexit 0\n", "utf-8")
    machine.put_root_with_apt()
    machine.look("install")
    assert machine.noted("apt-get")
    assert machine.policy.read_text("utf-8") == "#!/bin/sh\nexit 0\n"


def test_an_ordinary_user_installs_by_sudo(machine: Machine) -> None:
    machine.put(*all_but("strace"))
    machine.put_noting("apt-get")
    machine.put("env", does='shift; exec "$@"')
    machine.put_noting("sudo", 'exec "$@"')
    machine.look("install")
    assert machine.noted("sudo")[0].startswith("env DEBIAN_FRONTEND=noninteractive sh -c")
    assert machine.noted("apt-get")[-1].endswith(" strace")


def test_what_npm_brings_goes_into_the_project(machine: Machine) -> None:
    machine.put(*all_but(BY_NPM))
    machine.put_noting("npm")
    done = machine.look()
    assert done.stdout == "installing @vercel/cosmosdb-server into .servers\n"
    (asked,) = machine.noted("npm")
    assert asked.split()[0] == "install" and asked.endswith("--prefix .servers @vercel/cosmosdb-server")
    assert "missing: @vercel/cosmosdb-server; the tests" in done.stderr


def test_what_npm_brought_is_found(machine: Machine) -> None:
    machine.put(*all_but())
    brought = machine.folder / ".servers/node_modules/.bin"
    brought.mkdir(parents=True)
    (machine.programs / BY_NPM).rename(brought / BY_NPM)
    assert machine.look(CI="true").returncode == 0


def test_npm_itself_is_wanted_only_for_what_it_brings(machine: Machine) -> None:
    machine.put(*all_but("tmux"))
    assert "missing: tmux;" in machine.look().stderr
    (machine.programs / BY_NPM).unlink()
    assert "missing: npm tmux @vercel/cosmosdb-server;" in machine.look().stderr


def test_npm_that_fails_is_told_and_in_ci_a_failure(machine: Machine) -> None:
    machine.put(*all_but(BY_NPM))
    machine.put("npm", does="exit 1")
    done = machine.look(CI="true")
    assert done.returncode == 1
    assert done.stderr.startswith("npm could not install all of it\nmissing: @vercel/cosmosdb-server;")
    assert machine.look().returncode == 0
    assert machine.look("install").returncode == 1


def test_without_apt_there_is_nothing_to_install_with(machine: Machine) -> None:
    machine.put(*all_but("faketime", "strace"))
    done = machine.look("install")
    assert done.returncode == 1
    assert "faketime strace must be installed by other means" in done.stderr


def test_another_word_is_not_taken(machine: Machine) -> None:
    assert machine.look("uninstall").returncode == 2


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
