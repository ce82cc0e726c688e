"""What the emergency reads: the sections of the way back, whatever stands elsewhere."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from runbook.playbook.kit import sections_of
from runbook.playbook.load import from_plain, load_emergency, load_playbook
from tests.places import PROJECT
from tests.playbook.reads import SMALL

SPOILT = [
    "stages: 5\n",
    "stages: [{stage: a, percent: 500, requires: [gone], sign: [x]}]\n",
    "metrics: {a: {http: /, unit: apples}}\n",
    "alerts: []\n",
    "nonsense: [1, 2]\n",
    "checklists: {a: [{check: A, gone: b}]}\n",
    "severities: {P9: {}}\n",
    "title: []\n",
    "secrets: {a: b}\n",
    "rollback: {set: {SOUP_PERCENT: 0}, steps: [{do: A, run: x, when: gone > 5}]}\n",
]


@pytest.mark.parametrize("text", SPOILT)
def test_mistakes_elsewhere_are_warnings(tmp_path: Path, text: str) -> None:
    path = tmp_path / "soup.yaml"
    path.write_text(SMALL + text)
    assert load_playbook(path, tmp_path).errors
    loaded = load_emergency(path, tmp_path)
    assert loaded.errors == [] and loaded.warnings
    assert loaded.playbook is not None and loaded.playbook.rollback is not None
    assert loaded.playbook.rollback.set["SOUP_PERCENT"] == "0"
    assert [check.title for check in loaded.playbook.verify] == ["Up"]


NEEDED = [
    (SMALL.replace("safe:", "save:"), "flags without 'safe'"),
    (SMALL.replace("env: soup.env", "yaml: soup.yaml"), "flags in 'yaml' are not supported yet"),
    (SMALL.replace("http: /health", "http: /health, tcp: 'a:1'"), "two kinds in one check"),
    (SMALL + "rollback: {set: 5}\n", "'5' is unknown here"),
    (SMALL.replace("runbook: 1", "runbook: 3"), "asks for a newer tool"),
    (SMALL + 'needs: ">= 99"\n', "this playbook needs runbook >= 99"),
    (SMALL + "'\n", "this is no YAML"),
    (SMALL + "extends: gone.yaml\n", "gone.yaml"),
]


@pytest.mark.parametrize(("text", "message"), NEEDED)
def test_mistakes_in_the_way_back_are_errors(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "soup.yaml"
    path.write_text(text)
    loaded = load_emergency(path, tmp_path)
    assert loaded.playbook is None
    assert message in " ".join(problem.message for problem in loaded.errors)


@pytest.mark.parametrize("kind", ["gone", "folder", "unreadable bytes"])
def test_a_playbook_that_cannot_be_read_is_a_problem(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "soup.yaml"
    if kind == "folder":
        path.mkdir()
    elif kind == "unreadable bytes":
        path.write_bytes(b"\xff\xfe\x00")
    loaded = load_emergency(path, tmp_path)
    assert loaded.playbook is None and len(loaded.errors) == 1
    assert "soup.yaml" in str(loaded.errors[0])


def test_a_kit_reads_without_what_it_left_behind() -> None:
    kit = {
        "runbook": 1,
        "service": "soup",
        "flags": {"percent": "P", "safe": {"P": "0", "M": "0777"}},
        "environments": {"here": {"flags_in": [{"env": "a.env"}], "redeploy": {"command": ["sh", "a.sh"]}}},
        "verify": [{"check": "Up", "http": "/", "only": ["far"]}],
        "rollback": {"set": "safe", "steps": [{"do": "Flush", "run": "flush", "when": "slow > 1s"}]},
        "stages": [{"stage": "few", "percent": 10, "requires": ["first"], "set": {"M": "0777"}}],
    }
    loaded = from_plain(kit, "kit/soup-here.json")
    assert loaded.errors == [] and len(loaded.warnings) == 3
    assert loaded.playbook is not None and loaded.playbook.rollback is not None
    assert loaded.playbook.rollback.set == {"P": "0", "M": "0777"}
    assert loaded.playbook.path == "kit/soup-here.json"
    assert from_plain(kit, "kit/soup-here.json", emergency=False).playbook is None


@pytest.mark.parametrize("name", ["staging", "production"])
def test_what_is_cut_from_a_playbook_reads_as_the_same_way_back(name: str) -> None:
    whole = load_playbook(PROJECT / "playbooks" / "enrichment.yaml", PROJECT).playbook
    assert whole is not None
    sections = msgspec.json.decode(msgspec.json.encode(sections_of(whole, whole.environments[name])))
    loaded = from_plain(sections, "kit.json")
    assert loaded.errors == [] and loaded.playbook is not None
    cut = loaded.playbook
    assert cut.environments == {name: whole.environments[name]}
    assert (cut.flags, cut.rollback, cut.verify) == (whole.flags, whole.rollback, whole.verify)
    assert [stage.rungs for stage in cut.stages] == [stage.rungs for stage in whole.stages]
    assert [stage.set for stage in cut.stages] == [stage.set for stage in whole.stages]
