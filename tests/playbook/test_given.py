"""Names in `expect` that a kind can never give; and where what a kind says of its options stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.checks.base import Kind
from runbook.checks.registry import KINDS
from tests.playbook.reads import SMALL, load_text, told

WRONG = [
    ("http: /health", "conect < 1s", "conect", "did you mean connect?"),
    ("tcp: 'localhost:1'", "connect < 1s", "connect", "this 'tcp' gives value, time"),
    ("tls: 'localhost:1'", "value > 3 and dayz > 3", "dayz", "did you mean days?"),
    ("redis: 'localhost:1', command: [GET, a]", "age < 1h", "age", "this 'redis' gives value, time"),
    ("load: /x, requests: 5", "error < 1%", "error", "did you mean errors?"),
    ("machine: memory", "cpu < 90%", "cpu", "gives value, "),
    ("log: a.log, count: ERROR", "share < 1%", "share", "gives value, count, lines"),
    ("sql: 'sqlite:///x', query: select 1", "rows > 1", "rows", "this 'sql' gives value"),
]
RIGHT = [
    ("http: /health", "connect < 1s and status == 200 and percent < 5"),
    ("http: /health, jq: '{a: .b}'", "a < 1"),
    ("http: /health, jq: .mode", "== canary"),
    ("redis: 'localhost:1', command: [LASTSAVE]", "age < 1h"),
    ("machine: cpu", "< 90% and cpu < 90% and load < 2"),
    ("file: x, jq: .a", "whatever > 1"),
    ("run: make x, reads: true, jq: '{n: .n}'", "n > 1"),
]


def checked(folder: Path, kind: str, expect: str) -> list[tuple[str, str]]:
    loaded = load_text(folder, SMALL + f'checklists: {{a: [{{check: A, {kind}, expect: "{expect}"}}]}}\n')
    return [(where.partition(" ")[2], problem.hint) for where, problem in zip(told(loaded), loaded.errors, strict=True)]


@pytest.mark.parametrize(("kind", "expect", "name", "hint"), WRONG)
def test_a_name_that_is_never_given(tmp_path: Path, kind: str, expect: str, name: str, hint: str) -> None:
    ((message, said),) = checked(tmp_path, kind, expect)
    assert message == f"unknown value '{name}'"
    assert hint in said


@pytest.mark.parametrize(("kind", "expect"), RIGHT)
def test_a_name_that_may_be_given(tmp_path: Path, kind: str, expect: str) -> None:
    assert checked(tmp_path, kind, expect) == []


def test_it_is_told_where_it_stands(tmp_path: Path) -> None:
    line = 'checklists: {a: [{check: A, http: /x, expect: "conect < 1s"}]}\n'
    (problem,) = load_text(tmp_path, SMALL + line).errors
    assert problem.place is not None and (problem.place.line, problem.place.column) == (7, line.index("conect") + 1)
    assert problem.place.width == len("conect")


def test_every_kind_that_takes_a_value_says_what_it_gives() -> None:
    silent = [key for key, kind in KINDS.items() if kind.GIVES is None and kind.given_names is Kind.given_names]
    assert sorted(silent) == ["all", "git", "inspect", "ollama", "sign", "variables"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("prometheus: 'http://h:1', query: 'sum(rate(x[5m)', expect: '> 1'", "a ] is missing before )"),
        ("prometheus: 'http://h:1', query: 'up', fresh: 'up{', expect: '> 1'", "fresh: a } is missing"),
        ("sql: 'sqlite:///x', query: delete from x, expect: '> 1'", "query begins with DELETE"),
        ("http: '/x', status: 700", "status 700 is none"),
    ],
)
def test_what_is_wrong_with_an_option_stands_there(tmp_path: Path, lines: str, message: str) -> None:
    key, _, _ = message.partition(" ")
    options = lines.split(", ")
    named = [option for option in options if option.startswith(key.rstrip(":"))] or [options[1]]
    text = SMALL + "checklists:\n  a:\n  - check: A\n" + "".join(f"    {option}\n" for option in options)
    (problem,) = load_text(tmp_path, text).errors
    assert message in problem.message
    assert problem.place is not None
    assert text.splitlines()[problem.place.line - 1].strip() == named[0]
