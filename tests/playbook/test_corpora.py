"""Texts of other people never crash the reader, and none takes long."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook.playbook.excerpts import excerpt
from runbook.playbook.find import candidate, find_playbooks
from runbook.playbook.load import from_plain, load_emergency, load_playbook
from runbook.playbook.nodes import plain_of
from runbook.playbook.scalars import meaning
from tests.places import shared
from tests.playbook.reads import SMALL, tree_of


def files(folder: str) -> list[Path]:
    return sorted(path for path in shared(folder).iterdir() if path.suffix in (".yaml", ".yml", ".json", ".txt"))


@pytest.mark.parametrize("folder", ["corpora/fuzzseeds", "corpora/flags"])
def test_every_file_of_the_corpora_is_read_or_refused(folder: str) -> None:
    found = files(folder)
    assert len(found) > 30
    slowest = 0.0
    for path in found:
        started = time.monotonic()
        loaded = load_playbook(path, path.parent)
        emergency = load_emergency(path, path.parent)
        candidate(path, path.parent)
        slowest = max(slowest, time.monotonic() - started)
        assert loaded.playbook is None and emergency.playbook is None
        for problem in loaded.errors:
            assert problem.message
            lines = excerpt(problem, loaded.sources.get(path.name, ""))
            assert not any(character in line for line in lines for character in "\x1b\r\n\u202e")
    assert slowest < 2


def test_what_both_readers_take_means_the_same_where_yaml_versions_agree() -> None:
    """Plain text, quotes, blocks, lists and mappings; scalars that YAML 1.1 and 1.2 read differently are left out."""
    compared = 0
    for path in files("corpora/fuzzseeds"):
        try:
            theirs = yaml.load(path.read_bytes(), Loader=yaml.BaseLoader)
        except (yaml.YAMLError, ValueError, TypeError, RecursionError):
            continue
        tree, reading = tree_of(path.read_bytes())
        if tree is None or reading.problems:
            continue
        assert texts(plain_of(tree)) == texts(theirs), path.name
        compared += 1
    assert compared > 250


def texts(plain: object) -> object:
    """The shape of plain data with its texts; what means something else than its text is only marked."""
    if isinstance(plain, dict):
        return {str(key): texts(value) for key, value in plain.items()}
    if isinstance(plain, list):
        return [texts(item) for item in plain]
    return plain if isinstance(plain, str) and isinstance(meaning(plain), str) else "*"


LARGE = {
    "one key many times": "a: 1\n" * 80_000,
    "many keys": "".join(f"k{number}: 1\n" for number in range(40_000)),
    "many checks": "verify:\n" + "  - {check: A, http: /}\n" * 12_000,
    "many gates": "stages: [{stage: a, gates: [" + "percent < 1," * 20_000 + "]}]",
    "a long condition": "stages: [{stage: a, gates: ['" + "percent < 1 and " * 60_000 + "percent < 1']}]",
    "many parentheses": "stages: [{stage: a, gates: ['" + "(" * 900_000 + "']}]",
    "a long title": "title: " + "x" * 1_000_000,
    "many brackets": "[" * 1_000_000,
    "many dashes": "- " * 500_000,
    "many question marks": "? " * 500_000,
    "many colons": ":" * 1_000_000,
    "many quotes": "'" * 1_000_000,
    "many anchors": "a: [" + "&a 1," * 60_000 + "]",
    "many references": "verify: [{check: A, http: '" + "${A}" * 240_000 + "'}]",
    "many open references": "verify: [{check: A, http: '" + "${" * 500_000 + "'}]",
    "many lines": "\n" * 1_000_000,
    "a long comment": "# " + "x" * 1_000_000,
}


@pytest.mark.parametrize("name", LARGE)
def test_a_flood_of_anything_is_read_or_refused_soon(tmp_path: Path, name: str) -> None:
    path = tmp_path / "playbooks" / "soup.yaml"
    path.parent.mkdir()
    path.write_text("runbook: 1\nservice: soup\n" + LARGE[name])
    started = time.monotonic()
    loaded = load_playbook(path, tmp_path)
    (found,) = find_playbooks(tmp_path)
    assert time.monotonic() - started < 10
    assert len(loaded.problems) <= 1001
    assert found.name == "soup"


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 200) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
SECTION = st.sampled_from(
    ["flags", "environments", "verify", "metrics", "checklists", "stages", "rollback", "severities", "secrets", "needs"]
)


@settings(max_examples=150, deadline=None)
@given(SECTION, PLAIN)
def test_any_plain_data_in_any_section_is_read_or_refused(section: str, plain: object) -> None:
    loaded = from_plain({"runbook": 1, "service": "soup", section: plain}, "soup.yaml", emergency=False)
    assert (loaded.playbook is None) == bool(loaded.errors)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(SMALL) - 1), st.binary(max_size=4), st.integers(0, 6))
def test_a_damaged_playbook_is_read_or_refused(at: int, inserted: bytes, cut: int) -> None:
    data = SMALL.encode()
    tree, reading = tree_of(data[:at] + inserted + data[at + cut :])
    assert tree is not None or reading.problems
