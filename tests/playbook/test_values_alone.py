"""A value taken out that nothing judges passes whatever it is: refused in a list of checks, meant elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.playbook.reads import SMALL, load_text, read_well


@pytest.mark.parametrize("options", ["jq: .ready", "header: x-build", "jq: .n, status: 200, within: 2s"])
@pytest.mark.parametrize("form", ["%s", "{check: B, all: [%s]}"])
def test_a_value_alone_is_refused_with_its_place(tmp_path: Path, options: str, form: str) -> None:
    check = form % f"{{check: A, http: /health, {options}}}"
    loaded = load_text(tmp_path, SMALL + f"checklists:\n  ready:\n    - {check}\n")
    [problem] = loaded.errors
    assert problem.message == "the check asserts nothing"
    assert problem.place is not None
    assert (problem.place.line, "expect" in problem.hint) == (SMALL.count("\n") + 3, True)


def test_metrics_and_the_version_are_only_taken(tmp_path: Path) -> None:
    text = SMALL.replace("flags_in:", "version: {http: /health, jq: .version}, flags_in:")
    playbook = read_well(tmp_path, text + "metrics: {errors: {http: /m, jq: .errors, unit: ratio}}\n")
    assert playbook.environments["local"].version is not None


@pytest.mark.parametrize("options", ["list: '.unmet[]'", "jq: .n, matches: ok", 'jq: .n, expect: "> 2"', "status: 200"])
def test_what_says_something_is_read(tmp_path: Path, options: str) -> None:
    read_well(tmp_path, SMALL + f"checklists:\n  ready:\n    - {{check: A, http: /health, {options}}}\n")
