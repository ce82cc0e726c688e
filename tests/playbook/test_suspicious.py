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
    SMALL + "checklists: {a: [{check: A, redis: 'localhost:1', command: [GET, '${TOKEN}'], expect: '== 1'}]}\n",
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


# -- gates that cannot see what they are for -------------------------------------------------------

ERRORS = "metrics: {errors: {http: /n, jq: .e, unit: ratio}, slow: {http: /n, jq: .slow, unit: ms}}\n"
OFF = '  - {stage: off, percent: 0, baseline: capture, gates: ["errors < 1%"]}\n'


def stages(*gates: str, percent: str = "10", off: str = OFF, metrics: str = ERRORS) -> str:
    """A playbook whose second stage has these gates."""
    listed = ", ".join(gate if gate.startswith("{") else f'"{gate}"' for gate in gates)
    return f"{SMALL}{metrics}stages:\n{off}  - {{stage: canary, percent: {percent}, gates: [{listed}]}}\n"


DILUTED = "errors < 2% cannot see a doubling at 10 %: if it was 1 % before (the smallest limit so far), 11 % among"
BLIND = [
    (stages("errors < 2%"), DILUTED),
    (stages("errors < 2%", percent="[10, 50]"), DILUTED),
    (
        stages("errors < 2%", percent="[5, 100]"),
        "a doubling at 5 %: if it was 1 % before (the smallest limit so far), 21",
    ),
    (stages("errors < 2%", "slow < 2s"), DILUTED),
    (stages("avg(errors, 5m) <= 2% for 2m"), "if it was 1 % before"),
    (stages("errors < 3%", "errors < 2%"), DILUTED),
    (stages("errors < 2%", off=OFF.replace("errors < 1%", "last(errors) < 1%")), DILUTED),
    (
        stages("errors < 2", metrics=ERRORS.replace("unit: ratio", "unit: percent, target: '< 1'")),
        "errors < 2 cannot see a doubling at 10 %",
    ),
    (
        stages("errors < 2%", off="", metrics=ERRORS.replace("unit: ratio", "unit: ratio, target: '< 1%'")),
        "if it was 1 % before",
    ),
    (stages("errors increase < 30%", off=OFF.replace("baseline: capture, ", "")), "errors is held against a baseline"),
    (stages("errors < errors@baseline", off=""), "no stage before canary captures one"),
    (stages("treated(errors) < 2%", "slow increase < 5%", off=""), "errors is held against a baseline, and no stage"),
    (stages("errors < errors@canary"), "errors@canary is not known in canary: canary has not been left there"),
]
SEEING = [
    stages("errors < 1%"),  # as tight as before: a doubling is seen
    stages("errors < 1.05%"),
    stages("errors < 2%", "treated(errors) < 2%"),
    stages("errors < 2% and treated(errors) < 3%"),
    stages("errors < 2%", "errors increase < 50%"),
    stages("errors < 2%", percent="100"),
    stages("errors < 2%", metrics=ERRORS.replace("unit: ratio", "unit: ratio, covers: treated")),
    stages("errors < 2%", off="  - {stage: off, percent: 0}\n"),  # nothing says how it was before
    stages("{gate: 'errors < 2%', dry_run: true}"),
    stages("errors < 2% or slow < 1s"),
    stages("slow < 2s", off=OFF.replace("errors < 1%", "slow < 1s")),  # no share, so nothing is known of its parts
    stages("errors < errors@off"),
    stages("errors < errors@canary", percent="[10, 20]"),  # between the rungs it is known
    stages("errors increase < 5%", metrics=ERRORS.replace("unit: ratio", "unit: ratio, covers: treated")),
]


@pytest.mark.parametrize(("text", "message"), BLIND)
def test_a_gate_that_cannot_see_is_told_once(tmp_path: Path, text: str, message: str) -> None:
    loaded = load_text(tmp_path, text)
    assert loaded.playbook is not None, loaded.problems
    (warning,) = loaded.warnings
    assert message in warning.message and warning.hint
    assert warning.place is not None and warning.place.line == text.count("\n")


@pytest.mark.parametrize("text", SEEING)
def test_a_gate_that_sees_is_no_warning(tmp_path: Path, text: str) -> None:
    assert load_text(tmp_path, text).problems == []


def test_each_metric_and_each_stage_is_told_of_its_own(tmp_path: Path) -> None:
    two = ERRORS.replace("slow:", "losses: {http: /n, jq: .l, unit: ratio, target: '< 0.5%'}, slow:")
    text = stages("errors < 2%", "losses < 1%", metrics=two)
    text += '  - {stage: half, percent: 50, gates: ["errors < 3%"]}\n'
    warnings = load_text(tmp_path, text).warnings
    assert [warning.message.split(" cannot")[0] for warning in warnings] == [
        "errors < 2%",
        "losses < 1%",
        "errors < 3%",
    ]
    assert '"treated(errors) < 3%"' in warnings[-1].hint


def test_a_constant_in_a_limit_is_read(tmp_path: Path) -> None:
    capped = ERRORS.replace("slow:", "cap: {value: 0.04, unit: ratio}, slow:")
    (warning,) = load_text(tmp_path, stages("errors < 50% * cap", metrics=capped)).warnings
    assert "11 % among the treated pass" in warning.message
