"""Completion reads files only, and never fails in somebody's prompt."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.cli import completing
from tests.rollout.site import PLAYBOOK, STAGES, playbook_in

LISTS = "checklists: {ready: [{check: Backup is there, file: backup}, {check: Trained, sign: true}]}\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    playbook_in(tmp_path, PLAYBOOK + LISTS + STAGES)
    monkeypatch.setenv("RUNBOOK_PROJECT", str(tmp_path))
    return tmp_path


def test_playbooks_of_the_project_and_shipped_ones(here: Path) -> None:
    assert completing.playbooks("")[0] == "checkout"
    assert "enrichment" in completing.playbooks("")
    assert completing.playbooks("ch") == ["checkout"]


def test_environments_positions_stages_and_checks(here: Path) -> None:
    assert completing.environments("") == ["production"]
    assert completing.stages("c") == ["canary"]
    assert sorted(completing.positions("canary")) == ["canary", "canary@10", "canary@5"]
    assert completing.positions("1") == ["10", "100"]
    assert completing.checks("ready/") == ["ready/backup_is_there", "ready/trained"]


def test_each_name_once(here: Path) -> None:
    told = completing.positions("")
    assert len(told) == len(set(told))


@pytest.mark.parametrize("spoilt", ["runbook: 1\nservice: [", "runbook: 99\n", "\x00", "runbook: 1\nstages: 5\n"])
def test_a_spoilt_playbook_fails_nothing(here: Path, spoilt: str) -> None:
    (here / "playbooks" / "checkout.yaml").write_text(spoilt)
    for complete in (completing.environments, completing.positions, completing.stages, completing.checks):
        assert complete("") == []
    assert "enrichment" in completing.playbooks("")


def test_a_project_that_is_gone_fails_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNBOOK_PROJECT", str(here / "gone"))
    assert completing.playbooks("") == []
    assert completing.positions("") == []


def test_nothing_is_written_while_completing(here: Path) -> None:
    before = sorted(here.rglob("*"))
    completing.playbooks("")
    completing.checks("")
    assert sorted(here.rglob("*")) == before
