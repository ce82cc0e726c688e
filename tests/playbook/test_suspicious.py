"""Warnings: what is allowed and most likely not meant."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runbook.playbook.load import load_playbook
from tests.playbook.reads import SMALL, load_text

STAGE = 'stages: [{{stage: a, percent: 10, triggers: [{{when: "{when}", then: {then}}}]}}]\n'
METRIC = "metrics: {slow: {http: /n, jq: .slow, unit: ms}}\n"
SUSPICIOUS = [
    (
        SMALL.replace("verify: [{check: Up, http: /health}]\n", "") + "stages: [{stage: a}]\n",
        "nothing is verified",
        6,
        1,
    ),
    (SMALL + METRIC + STAGE.format(when="slow > 2s", then="rollback"), "needs two evaluations in a row", 8, 52),
    (SMALL + METRIC + STAGE.format(when="slow > 2s", then="auto_rollback"), "needs two evaluations", 8, 52),
    (SMALL + "rollback: {set: {SOUP_MODEL: none}}\n", "the way back leaves SOUP_PERCENT as it is", 7, 12),
    (SMALL + METRIC.replace(", unit: ms", ", target: '< 5'"), "slow is compared but has no unit", 7, 11),
    (SMALL + "checklists: {a: [{check: A, run: make test}]}\n", "'run' does not say whether it only reads", 7, 29),
    (SMALL + "metrics: {a: {command: [a, b], jq: .x}}\n", "'command' does not say whether it only reads", 7, 15),
    (SMALL.replace('url: "http://127.0.0.1:1", ', ""), "local has no url", 5, 3),
]
FINE = [
    "runbook: 1\nservice: soup\nenvironments: {here: {}}\nverify: [{check: A, http: 'http://127.0.0.1:1/'}]\n",
    SMALL,
    SMALL + METRIC + STAGE.format(when="slow > 2s for 5m", then="rollback"),
    SMALL + METRIC + STAGE.format(when="slow > 2s in 3 of 5", then="rollback"),
    SMALL + METRIC + STAGE.format(when="avg(slow, 5m) > 2s", then="rollback"),
    SMALL + METRIC + STAGE.format(when="slow > 2s", then="hold"),
    SMALL + "checklists: {a: [{check: A, run: make test, reads: true}, {check: B, run: make x, reads: false}]}\n",
    SMALL + "rollback: {set: safe, steps: [{do: A, run: make test, undo: {run: make clean}}]}\n",
]


@pytest.mark.parametrize(("text", "message", "line", "column"), SUSPICIOUS, ids=[row[1] for row in SUSPICIOUS])
def test_what_is_suspicious_is_a_warning_where_it_stands(
    tmp_path: Path, text: str, message: str, line: int, column: int
) -> None:
    loaded = load_text(tmp_path, text)
    assert loaded.playbook is not None, loaded.problems
    (warning,) = loaded.warnings
    assert message in warning.message and warning.hint
    assert warning.place is not None and (warning.place.line, warning.place.column) == (line, column)


@pytest.mark.parametrize("text", FINE)
def test_what_is_meant_is_no_warning(tmp_path: Path, text: str) -> None:
    assert load_text(tmp_path, text).problems == []


@pytest.mark.parametrize(
    ("mode", "folder", "message"),
    [
        (0o644, 0o755, None),
        (0o600, 0o700, None),
        (0o664, 0o755, "its group may write this file"),
        (0o666, 0o755, "everybody may write this file"),
        (0o602, 0o755, "everybody may write this file"),
        (0o644, 0o777, "everybody may replace this file"),
        (0o644, 0o1777, None),
    ],
)
def test_a_playbook_that_others_may_write_is_told(tmp_path: Path, mode: int, folder: int, message: str | None) -> None:
    path = tmp_path / "shared" / "soup.yaml"
    path.parent.mkdir()
    path.write_text(SMALL)
    os.chmod(path, mode)  # noqa: PTH101 - beside the folder's
    os.chmod(path.parent, folder)  # noqa: PTH101
    loaded = load_playbook(path, tmp_path)
    assert loaded.playbook is not None
    assert [message in warning.message for warning in loaded.warnings if message] == ([True] if message else [])
    assert message is not None or loaded.warnings == []


SECRETS = "secrets: {PIN: {env: SOUP_PIN}}\n"


@pytest.mark.parametrize("name", ["PIN", "SOUP_TOKEN", "API_KEY", "DB_PASSWORD", "CLIENT_SECRET"])
def test_a_secret_among_arguments_is_an_error(tmp_path: Path, name: str) -> None:
    check = f"checklists: {{a: [{{check: A, command: [login, --pin, 'x${{{name}}}'], reads: true}}]}}\n"
    (error,) = load_text(tmp_path, SMALL + SECRETS + check).errors
    assert error.message == f"the secret {name} stands among the arguments of a command"
    assert error.place is not None and (error.place.line, error.place.column) == (8, 55)


def test_a_secret_in_a_shell_line_reaches_it_as_a_variable(tmp_path: Path) -> None:
    check = "checklists: {a: [{check: A, run: 'login ${PIN}', reads: true}]}\n"
    assert load_text(tmp_path, SMALL + SECRETS + check).problems == []
