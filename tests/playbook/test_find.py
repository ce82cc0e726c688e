"""Which files of a project are playbooks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runbook.playbook.find import find_playbooks, shipped_playbooks, shipped_sandboxes, shipped_templates
from tests.places import PROJECT, shared
from tests.playbook.reads import SMALL

PLAYBOOKS = {
    "plain": (SMALL, "soup"),
    "late": ("# soup\ntitle: x\nservice: stew\nrunbook: 1\n", "stew"),
    "newer": ("runbook: 2\nservice: soup\nfresh: !new [1]\n", "soup"),
    "mistaken": ("runbook: 1\nservice: soup\nstages: 5\n", "soup"),
    "nameless": ("runbook: 1\nextends: base.yaml\n", None),
    "listed": ("runbook: 1\nservice: [a]\n", None),
    "braces": ("{runbook: 1, service: soup}", "soup"),
    "marked": ("\ufeffrunbook: 1\nservice: soup\n", "soup"),
}
OTHERS = {
    "base": "title: x\n",
    "list": "- runbook: 1\n",
    "list-of-keys": "[runbook, service]\n",
    "inner": "values: {runbook: 1}\n",
    "as-a-value": "name: runbook\n",
    "manifests": "kind: A\n---\nrunbook: 1\n---\n- runbook\n",
    "tags": "Resources: !Ref x\n",
    "complex": "? {runbook: 1}\n: 2\n",
    "text": "runbook\n",
    "empty": "",
}
UNREADABLE = {
    "quote": "runbook: 'soup\n",
    "other-quote": "title: 'soup\n",
    "deep": "a: " + "[" * 100 + "]" * 100,
    "hidden": "runbook: 1\nservice: \u202esoup\n",
    "torn": "runbook: 1\n---\n]\n",
}


def project(folder: Path, files: dict[str, str]) -> Path:
    (folder / "playbooks").mkdir()
    for name, text in files.items():
        (folder / "playbooks" / f"{name}.yaml").write_text(text)
    return folder


def test_playbooks_are_found_by_their_key(tmp_path: Path) -> None:
    files = {name: text for name, (text, _) in PLAYBOOKS.items()} | OTHERS
    found = find_playbooks(project(tmp_path, files))
    assert {each.name: each.service for each in found} == {name: service for name, (_, service) in PLAYBOOKS.items()}
    assert [each.name for each in found] == sorted(PLAYBOOKS)
    assert all(each.problem is None and each.path.is_file() for each in found)


def test_what_cannot_be_read_is_never_passed_over(tmp_path: Path) -> None:
    found = find_playbooks(project(tmp_path, UNREADABLE))
    assert [each.name for each in found] == sorted(UNREADABLE)
    for each in found:
        assert each.problem is not None and f"playbooks/{each.name}.yaml" in str(each.problem)


def test_other_files_and_folders_are_let_alone(tmp_path: Path) -> None:
    folder = project(tmp_path, {"soup": SMALL}) / "playbooks"
    for name in (".soup.yaml", "soup.yaml~", "soup.yml", "soup.json", "README.md"):
        (folder / name).write_text(SMALL)
    (folder / "sandbox").mkdir()
    (folder / "sandbox" / "soup.yaml").write_text(SMALL)
    assert [each.name for each in find_playbooks(tmp_path)] == ["soup"]


@pytest.mark.parametrize("kind", ["folder", "fifo", "dangling", "large", "binary"])
def test_what_is_no_text_file_is_told_and_does_not_hang(tmp_path: Path, kind: str) -> None:
    path = project(tmp_path, {}) / "playbooks" / "soup.yaml"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "dangling":
        path.symlink_to("gone")
    elif kind == "large":
        path.write_text("# " + "x" * 2_000_000)
    else:
        path.write_bytes(bytes(range(256)))
    (found,) = find_playbooks(tmp_path)
    assert found.name == "soup" and found.problem is not None and found.problem.message


def test_a_project_without_playbooks_has_none(tmp_path: Path) -> None:
    assert find_playbooks(tmp_path) == []
    (tmp_path / "playbooks").write_text("not a folder")
    assert find_playbooks(tmp_path) == []


def test_what_is_shipped_is_found() -> None:
    assert PROJECT / "playbooks" / "enrichment.yaml" in shipped_playbooks()
    assert all(path.stem != "base" for path in shipped_playbooks())
    assert (shipped_sandboxes() / "enrichment.yaml").is_file()
    assert shipped_templates() == PROJECT / "templates"


def test_the_files_of_others_are_playbooks_only_where_they_cannot_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "playbooks"
    folder.symlink_to(shared("corpora/flags"))
    assert [each.name for each in find_playbooks(tmp_path) if each.problem is None] == []
