"""Kinds of check from installed packages, as an operator meets them: in every command, gone, broken, and planted."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command.project import FLAGS, Project
from tests.docs.markdown import Page
from tests.places import PROJECT
from tests.plugin.wheels import SPOOL, Package, installed, spool_package, unpacked

PAGE = Page(PROJECT / "docs/how-to/write-a-check.md")
GRPC = """
from typing import ClassVar
from runbook.checks.api import Finding, Kind, Status

class Grpc(Kind, frozen=True, kw_only=True):
    KEY: ClassVar[str] = "grpc"
    LOOKS_AT: ClassVar[str] = "a gRPC service"
    EXAMPLE: ClassVar[str] = "{check: Up, grpc: 'a:1'}"
    grpc: str
    http: bool = False

    async def look(self, around):
        return Finding(Status.PASS, value=self.http)
"""
WITH_SPOOL = """
  ready:
    - {check: Answers, http: /health}
    - {check: Mail goes out, spool: outgoing, expect: "== 0"}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip installed the package of the how-to page."""
    return installed(tmp_path_factory.mktemp("spool"), spool_package())


@pytest.fixture
def with_spool(project: Project, site: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose checklist uses the package's kind, and whose commands can load it."""
    project.installed = True
    project.write(checklists=WITH_SPOOL)
    (project.folder / "outgoing").mkdir()
    monkeypatch.setenv("PYTHONPATH", str(site))
    return project


def test_a_checklist_asks_it(with_spool: Project) -> None:
    row = with_spool.json("preflight").rows("checks")["mail_goes_out"]
    assert (row["status"], row["kind"], row["observed"]) == ("pass", "spool", "0")
    (with_spool.folder / "outgoing/letter").touch()
    ran = with_spool.json("preflight")
    row = ran.rows("checks")["mail_goes_out"]
    assert (ran.code, row["status"], row["listed"]) == (1, "fail", ["letter"])


def test_a_metric_can_be_one(with_spool: Project) -> None:
    with_spool.write(
        metrics='\n  errors: {http: /numbers, jq: .errors, unit: ratio}\n  waiting: {spool: outgoing, critical: "> 3"}',
        stages="\n  - {stage: off, percent: 0}\n  - {stage: first, percent: 10, gates: ['waiting < 2']}",
    )
    with_spool.at_first()
    assert with_spool.json("gate").rows("gates")["gate/0"]["status"] == "pass"
    for name in ("a", "b", "c"):
        (with_spool.folder / "outgoing" / name).touch()
    assert with_spool.json("gate").rows("gates")["gate/0"]["status"] == "fail"


def test_what_is_installed_is_listed(with_spool: Project) -> None:
    ran = with_spool.json("doctor")
    assert ran.document["details"]["plugins"] == [
        {"kind": "spool", "package": "runbook-spool 1.0", "class": "runbook_spool:Spool", "trouble": ""}
    ]
    assert "runbook-spool 1.0" in with_spool.run("doctor").out


def test_the_schema_knows_its_options(with_spool: Project) -> None:
    schema = json.loads(with_spool.run("schema").out)
    (spool,) = [each for each in schema["$defs"]["check"]["anyOf"] if each["title"] == "check: spool"]
    assert {"spool", "older_than", "expect"} <= set(spool["properties"])


def test_its_mistakes_are_told_at_their_places(with_spool: Project) -> None:
    with_spool.write(checklists=WITH_SPOOL.replace("spool: outgoing", "spool: outgoing, older: 10m"))
    ran = with_spool.run("lint")
    assert ran.code == 2 and "unknown key 'older' in a check of the kind 'spool'" in ran.out
    with_spool.write(checklists=WITH_SPOOL.replace("spool: outgoing", "spool: outgoing, older_than: soon"))
    ran = with_spool.run("lint")
    assert ran.code == 2 and "older_than:" in ran.out


def test_an_unknown_kind_may_be_one_of_a_package(with_spool: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with_spool.write(checklists=WITH_SPOOL.replace("spool: outgoing", "spol: outgoing"))
    assert "did you mean spool?" in with_spool.run("lint").out
    monkeypatch.delenv("PYTHONPATH")
    with_spool.write(checklists=WITH_SPOOL)
    ran = with_spool.run("lint")
    assert ran.code == 2
    assert "unknown kind of check 'spool'" in ran.out
    assert "or a kind that an installed package brings" in re.sub(r"\s+", " ", ran.out)


def test_an_option_may_be_called_like_one_of_ours(project: Project, tmp_path: Path) -> None:
    project.installed = True
    project.write(checklists="\n  ready: [{check: Up, grpc: 'a:1', http: true, expect: '== true'}]")
    site = unpacked(tmp_path / "grpc", Package("runbook-grpc", GRPC, {"grpc": "runbook_grpc:Grpc"}))
    ran = project.json("preflight", env={"PYTHONPATH": str(site)})
    assert ran.rows("checks")["up"]["status"] == "pass", ran
    project.write(checklists="\n  ready: [{check: Up, grpc: 'a:1', tcp: 'a:1'}]")
    assert "two kinds in one check" in project.run("lint", env={"PYTHONPATH": str(site)}).out


BROKEN = {
    "it needs runbook >= 99": GRPC.replace("    grpc: str", "    NEEDS: ClassVar[str] = '>= 99'\n    grpc: str"),
    "broke: ValueError: no": GRPC + "    def presence(self):\n        raise ValueError('no')\n",
}


@pytest.mark.parametrize("why", BROKEN)
def test_a_package_that_cannot_be_used_is_named_at_the_line(project: Project, tmp_path: Path, why: str) -> None:
    project.installed = True
    project.write(checklists="\n  ready:\n    - {check: Up, grpc: 'a:1'}")
    site = unpacked(tmp_path / "grpc", Package("runbook-grpc", BROKEN[why], {"grpc": "runbook_grpc:Grpc"}, "0.3"))
    ran = project.json("lint", env={"PYTHONPATH": str(site)})
    (problem,) = ran.document["problems"]
    assert why in problem["message"] and "runbook-grpc 0.3" in problem["message"]
    line = project.playbook.read_text("utf-8").splitlines()[problem["line"] - 1]
    assert "grpc: 'a:1'" in line
    if "broke" not in why:
        doctor = project.run("doctor", env={"PYTHONPATH": str(site)})
        assert doctor.code == 1 and "runbook-grpc 0.3" in doctor.out


LOST = {
    "uninstalled": None,
    "broken": GRPC.replace("class Grpc", "import gone_for_good\nclass Grpc"),
    "another option": GRPC.replace("    http: bool", "    plain: bool"),
}


@pytest.mark.parametrize("lost", LOST)
def test_the_emergency_goes_on_without_it(project: Project, tmp_path: Path, lost: str) -> None:
    project.installed = True
    environments = """
  local:
    url: http://127.0.0.1:PORT
    flags_in: {env: ranker.env}
    version: {grpc: 'a:1', timeout: 1s}
    redeploy: {command: [sh, restart.sh], timeout: 10s, verify_within: 300ms}"""
    verify = "\n  - {check: Up, http: /health}\n  - {check: Called, grpc: 'a:1', http: true}"
    project.write(environments=environments, verify=verify)
    site = unpacked(tmp_path / "grpc", Package("runbook-grpc", GRPC, {"grpc": "runbook_grpc:Grpc"}))
    env = {"PYTHONPATH": str(site)}
    assert project.run("ramp", "10", "--yes", env=env).code == 0
    text = LOST[lost]
    shutil.rmtree(site)
    if text is not None:
        unpacked(tmp_path / "grpc", Package("runbook-grpc", text, {"grpc": "runbook_grpc:Grpc"}))
    ran = project.json("rollback", "--emergency", "--yes", env=env)
    assert project.flags.read_text() == FLAGS
    assert project.running()["RANKER_SHARE"] == "0"
    assert ran.code == 4 and "Called" in ran.document["message"], ran
    assert "kit" not in ran.err, "the playbook itself is used"
    assert project.json("rollback", "--emergency", "--yes", "--dry-run", env=env).code == 0


def test_a_slip_in_one_of_our_kinds_is_no_lost_package(project: Project) -> None:
    project.at_first()
    project.write(verify="\n  - {check: Up, http: /health, expct: '== 200'}")
    ran = project.json("rollback", "--emergency", "--yes")
    assert ran.code == 0 and "working from the kit" in ran.err


def test_nothing_is_loaded_from_the_project(project: Project) -> None:
    project.installed = True
    ruin = "from pathlib import Path\nPath('loaded').touch()\n"
    unpacked(project.folder / "wheels", Package("runbook-evil", ruin + GRPC, {"grpc": "runbook_evil:Grpc"}))
    for path in (project.folder / "wheels/site").iterdir():
        path.rename(project.folder / path.name)
    for name in ("runbook_checks", "yaml", "msgspec", "sitecustomize", "usercustomize", "runbook"):
        (project.folder / f"{name}.py").write_text(ruin)
    project.write(checklists="\n  ready:\n    - {check: Up, grpc: 'a:1'}")
    env = {"PYTHONPATH": ""}
    assert "unknown kind of check 'grpc'" in project.run("lint", env=env).out
    assert project.json("doctor", env=env).document["details"]["plugins"] == []
    assert not (project.folder / "loaded").exists()


def test_a_playbook_without_packages_does_not_search_for_them(project: Project) -> None:
    script = Path(sys.executable).with_name("runbook")
    for words in (["status"], ["lint"]):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", str(script), *words], cwd=project.folder, env=dict(os.environ),
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert "runbook.checks.packages.plugins" in done.stderr, "else the list was not read"
        assert "runbook.checks.packages.apart" not in done.stderr
        assert "importlib.metadata" not in done.stderr


def test_one_document_stands_on_standard_output_whatever_a_package_prints(project: Project, tmp_path: Path) -> None:
    project.installed = True
    project.write(checklists="\n  ready: [{check: Up, grpc: 'a:1', http: true, expect: '== true'}]")
    prints = "import subprocess, sys\nprint('hello')\nsubprocess.run(['echo', 'child'])\n"
    text = prints + GRPC.replace(
        "        return", "        print('looking')\n        sys.stdout.flush()\n        return"
    )
    site = unpacked(tmp_path / "grpc", Package("runbook-grpc", text, {"grpc": "runbook_grpc:Grpc"}))
    ran = project.json("preflight", env={"PYTHONPATH": str(site)})
    assert ran.rows("checks")["up"]["status"] == "pass"
    assert {"hello", "child", "looking"} <= set(ran.err.splitlines())


def test_a_quick_command_stays_quick_with_a_package(with_spool: Project) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", str(Path(sys.executable).with_name("runbook")), "status"],
        cwd=with_spool.folder, env=dict(os.environ), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0 and "runbook.checks.packages.apart" in done.stderr, "else the package was not loaded"
    assert not re.search(r"\| +(httpx|questionary|jinja2|asyncio)$", done.stderr, re.MULTILINE)


def test_the_page_is_the_package() -> None:
    (project,) = PAGE.fences("toml")
    assert project == (SPOOL / "pyproject.toml").read_text("utf-8")
    kind, tests = PAGE.fences("python")
    assert kind == (SPOOL / "runbook_spool.py").read_text("utf-8")
    assert tests == (SPOOL / "test_spool.py").read_text("utf-8")


def test_what_the_page_lets_a_reader_write_works(with_spool: Project) -> None:
    (lists, metrics) = PAGE.fences("yaml")
    with_spool.write(
        checklists=lists.partition(":")[2],
        metrics=metrics.partition(":")[2],
        stages="\n  - {stage: off, percent: 0}\n  - {stage: first, percent: 10, requires: [ready]}",
    )
    ran = with_spool.json("preflight")
    assert ran.rows("checks")["mail_goes_out"]["status"] == "pass"
