"""`extends`: mappings merge key by key, lists and values are replaced, ours wins."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runbook.playbook.load import load_playbook
from tests.playbook.reads import SMALL, load_text, read_well, told

BASE = """\
service: base
title: Shared
severities: {P0: {respond: 1m}, P1: {respond: 15m}}
flags: {safe: {SOUP_PERCENT: 9, SOUP_EXTRA: off}}
verify: [{check: Shared, http: /shared}, {check: Other, http: /other}]
metrics: {slow: {http: /n, jq: .slow, unit: ms, target: "< 2s"}}
"""


def base(folder: Path, text: str, name: str = "base.yaml") -> None:
    path = folder / "playbooks" / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)


def test_ours_wins_and_lists_are_replaced(tmp_path: Path) -> None:
    base(tmp_path, BASE)
    text = SMALL + "extends: base.yaml\nseverities: {P1: {when: percent > 1}}\nmetrics: {slow: {unit: s}}\n"
    playbook = read_well(tmp_path, text)
    assert (playbook.service, playbook.title) == ("soup", "Shared")
    assert playbook.flags is not None
    assert playbook.flags.safe == {"SOUP_PERCENT": "0", "SOUP_EXTRA": "off", "SOUP_MODEL": "none"}
    assert [check.title for check in playbook.verify] == ["Up"]
    assert playbook.severities["P1"].respond == 900 and playbook.severities["P1"].when == "percent > 1"
    assert playbook.severities["P0"].respond == 60
    assert (playbook.metrics["slow"].unit, playbook.metrics["slow"].target) == ("s", "< 2s")
    assert "extends" not in playbook.plain


def test_chains_are_followed_from_each_file(tmp_path: Path) -> None:
    base(tmp_path, "extends: shared/middle.yaml\ntitle: First")
    (tmp_path / "playbooks/shared").mkdir()
    (tmp_path / "playbooks/shared/middle.yaml").write_text("extends: last.yaml\ntitle: Middle\non_error: fail")
    (tmp_path / "playbooks/shared/last.yaml").write_text("on_error: pass\non_nodata: keep")
    playbook = read_well(tmp_path, SMALL + "extends: base.yaml\n")
    assert (playbook.title, playbook.on_error, playbook.on_nodata) == ("First", "fail", "keep")


def test_places_keep_the_file_they_came_from(tmp_path: Path) -> None:
    base(tmp_path, "title: x\nseverities: {P7: {}}\nchecklists:\n  a: [{check: A, gone: 1}]")
    loaded = load_text(tmp_path, SMALL + "extends: base.yaml\nnonsense: 1\n")
    assert [str(problem.place) for problem in loaded.errors] == [
        "playbooks/base.yaml:2:14",
        "playbooks/base.yaml:4:18",
        "playbooks/soup.yaml:8:1",
    ]
    assert set(loaded.sources) == {"playbooks/base.yaml", "playbooks/soup.yaml"}


WRONG = [
    ("extends: gone.yaml", None, "7:10 playbooks/gone.yaml is not there"),
    ("extends: soup.yaml", None, "7:10 soup.yaml extends itself"),
    ("extends: base.yaml", "extends: soup.yaml", "1:10 the files extend each other"),
    ("extends: base.yaml", "extends: base.yaml", "1:10 the files extend each other"),
    ("extends: [a, b]", None, "7:10 a list stands where the name of a file belongs"),
    ("extends: 5", None, "7:10 the number 5 stands where the name of a file belongs"),
    ("extends: base.yaml", "- a", "1:1 a list stands where sections belong"),
    ("extends: base.yaml", "a: [", "1:4 this is no YAML: a value was expected here"),
    ("extends: base.yaml", "", "1:1 the file is empty"),
    ("extends: base.yaml", "a: \u202e", "1:4 a hidden character (U+202E) stands here"),
]


@pytest.mark.parametrize(("ours", "theirs", "error"), WRONG)
def test_what_cannot_be_extended_is_told(tmp_path: Path, ours: str, theirs: str | None, error: str) -> None:
    if theirs is not None:
        base(tmp_path, theirs)
    assert told(load_text(tmp_path, SMALL + ours + "\n")) == [error]


@pytest.mark.parametrize("kind", ["folder", "fifo", "device"])
def test_a_base_is_a_regular_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "playbooks/base.yaml"
    path.parent.mkdir()
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    (error,) = told(load_text(tmp_path, SMALL + "extends: base.yaml\n"))
    assert error.startswith("7:10 playbooks/base.yaml ") or kind == "device"


def test_a_chain_has_an_end(tmp_path: Path) -> None:
    for number in range(12):
        base(tmp_path, f"extends: b{number + 1}.yaml\ntitle: x", f"b{number}.yaml")
    assert told(load_text(tmp_path, SMALL + "extends: b0.yaml\n")) == ["1:10 more than 8 files extend one another"]


def test_all_files_together_stay_within_the_limit(tmp_path: Path) -> None:
    base(tmp_path, "title: x #" + "x" * (1024 * 1024 - 20))
    (error,) = told(load_text(tmp_path, SMALL + "extends: base.yaml\n"))
    assert "more than 1,048,576 bytes" in error


def test_a_playbook_outside_the_project_keeps_its_path(tmp_path: Path) -> None:
    path = tmp_path / "soup.yaml"
    path.write_text(SMALL)
    loaded = load_playbook(path, tmp_path / "elsewhere")
    assert loaded.playbook is not None and loaded.playbook.path == str(path)
