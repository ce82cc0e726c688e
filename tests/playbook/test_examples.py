"""The line that each kind gives as its example is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.actions import registry as actions
from runbook.checks import registry as checks
from tests.playbook.reads import SMALL, load_text, told

TOLD = "channels: {team: {webhook: 'https://x.test/'}}\nnotices: {users-rolled-back: {to: team, text: It is back}}\n"


@pytest.mark.parametrize("kind", checks.KINDS)
def test_examples_of_checks(tmp_path: Path, kind: str) -> None:
    loaded = load_text(tmp_path, SMALL + f"checklists:\n  shown:\n    - {checks.KINDS[kind].EXAMPLE}\n")
    undeclared = [line for line in told(loaded) if "is not declared in flags" not in line]
    assert undeclared == []


@pytest.mark.parametrize("kind", actions.KINDS)
def test_examples_of_actions(tmp_path: Path, kind: str) -> None:
    example = actions.KINDS[kind].EXAMPLE
    if "do:" in example:
        text = SMALL + TOLD + f"rollback:\n  steps:\n    - {example}\n"
    else:
        text = SMALL.replace("{command: [sh, restart.sh]}", example)
    assert told(load_text(tmp_path, text)) == []
