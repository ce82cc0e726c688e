"""Each kind against each dishonest answer: never a pass, within the deadline, with the cause, and nothing that moves a
cursor."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.base import CheckResult
from runbook.checks.registry import KINDS
from runbook.judge.verdicts import Reason, Status
from tests.checks.hostile.kinds import HTTP_ROWS, NO_NETWORK, ROWS, Row, looked_at, told
from tests.checks.hostile.peers import in_turn, peer
from tests.hostile import BODIES, BROKEN, MORE_BROKEN, SLOWER

OTHERS = frozenset({"sql", "redis", "tcp", "dns", "tls", "cosmos", "kubernetes", "inspect"})  # in files of their own
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
SHORT = 0.5  # seconds
LATE = 0.5 * SLOWER  # seconds that a row may come after its deadline
ALL_BROKEN = {**BROKEN, **MORE_BROKEN}


def texts_of(row: CheckResult) -> str:
    """All that is shown of a row."""
    return "".join([row.observed, row.expected, row.message, *row.listed])


def hold_to_the_rules(rows: list[CheckResult], seconds: float) -> None:
    """What holds for every row, whatever was answered."""
    for row in rows:
        assert row.status is not Status.PASS, (row.check.kind, row.observed, row.message)
        assert row.status in (Status.FAIL, Status.UNKNOWN)
        assert (row.reason is not None) == (row.status is Status.UNKNOWN), row
        assert row.message or row.expected, row
        assert "fault of the tool" not in row.message, row.message
        assert row.duration < seconds + LATE
        assert CONTROL.search(texts_of(row)) is None, texts_of(row)


def test_every_kind_of_the_registry_is_tried_or_reads_no_network() -> None:
    tried = {row.kind for row in ROWS} | OTHERS | NO_NETWORK
    assert not set(KINDS) - tried, "write a row for it in tests/checks/hostile/kinds.py"
    assert not NO_NETWORK & ({row.kind for row in ROWS} | OTHERS)


@pytest.mark.parametrize("row", [row for row in ROWS if row.honest], ids=lambda row: row.name)
def test_an_honest_answer_passes(row: Row, tmp_path: Path) -> None:
    """Else the tests of this file could not fail."""
    assert row.honest is not None
    with peer(told(row.honest()), tmp_path) as honest:
        [result] = looked_at([row], honest, tmp_path, seconds=5)
    assert result.status is Status.PASS, result


# A library that blocks is given up with its thread, and so is its socket, which only time closes.
@pytest.mark.filterwarnings("ignore:.*:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("name", ALL_BROKEN)
def test_broken_on_the_way(name: str, tmp_path: Path) -> None:
    rows = [row for row in ROWS if row.kind != "load"]
    with peer(ALL_BROKEN[name], tmp_path) as broken:
        began = time.monotonic()
        results = looked_at(rows, broken, tmp_path, seconds=SHORT)
        assert time.monotonic() - began < SHORT + 2 * LATE
    hold_to_the_rules(results, SHORT)
    wrong = [
        (row.name, result.status, result.message)
        for row, result in zip(rows, results, strict=True)
        if result.status is not row.gone
    ]
    assert not wrong
    assert {result.reason for result in results} <= {None, Reason.ERROR}


@pytest.mark.parametrize("name", BODIES)
def test_whole_answers_that_say_nothing_of_use(name: str, tmp_path: Path) -> None:
    rows = [row for row in ROWS if row.honest and name not in row.but]
    with peer(told(BODIES[name]), tmp_path) as rubbish:
        hold_to_the_rules(looked_at(rows, rubbish, tmp_path, seconds=6), 6)


@pytest.mark.parametrize("name", ["hang", "reset", "garbage", "500", "gzip bomb", "endless", "slow drip", "not HTTP"])
def test_a_load_on_what_is_broken_never_passes(name: str, tmp_path: Path) -> None:
    [row] = [row for row in ROWS if row.kind == "load"]
    script = BROKEN.get(name) or BROKEN["endless chunks"]
    with peer(script) as broken:
        hold_to_the_rules(looked_at([row], broken, tmp_path, seconds=SHORT), SHORT)


# -- an honest answer with something wrong in it ----------------------------------------------------

WRONG: tuple[Any, ...] = (
    None, "", "x", "0", True, False, 0, -1, 1.5, 1e308, float("nan"), float("inf"), 10**400, [], {}, [None], [[]],
    {"a": None}, "9" * 5000, "\x00", "\ud800", "\x1b[2J", ["x"] * 5000, -0.0, "2026-13-45T99:99:99Z", "1e999",
)  # fmt: skip


def places_in(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value of a document."""
    yield path
    inside = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in inside:
        yield from places_in(value, (*path, key))


def put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with another value there."""
    if not path:
        return value
    changed = dict(document) if isinstance(document, dict) else list(document)
    changed[path[0]] = put(document[path[0]], path[1:], value)
    return changed


def changed_answers(text: str, count: int) -> list[bytes]:
    """That many answers that are an honest one but for a value, a missing key, or an end that is missing."""
    document = json.loads(text)
    chance = random.Random(text[:20])
    paths = list(places_in(document))
    made = [json.dumps(put(document, path, wrong)).encode() for path in paths for wrong in WRONG]
    made += [text.encode()[:cut] for cut in range(0, len(text), max(1, len(text) // 20))]
    made += [text.replace('"', "'").encode(), text.encode("utf-16"), b"\xff" + text.encode(), text.encode() * 2]
    return chance.sample(made, min(count, len(made)))


@pytest.mark.parametrize("row", [r for r in ROWS if r.honest and r.honest()[:1] in "[{"], ids=lambda row: row.name)
def test_honest_answers_with_something_wrong(row: Row, tmp_path: Path) -> None:
    """Whatever is changed in an honest answer: a row in time, no fault of ours, and no pass on what cannot be read."""
    assert row.honest is not None
    bodies = changed_answers(row.honest(), 60)
    with peer(in_turn([told(body) for body in bodies]), tmp_path) as changing:
        for _ in bodies:
            [result] = looked_at([row], changing, tmp_path, seconds=5)
            assert "fault of the tool" not in result.message, result.message
            assert result.duration < 3
            assert CONTROL.search(texts_of(result)) is None, texts_of(result)


def test_the_table_names_each_row_once() -> None:
    names = [row.name for row in HTTP_ROWS]
    assert len(set(names)) == len(names)
