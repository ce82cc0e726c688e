"""Taking values out of JSON: as jq does, bounded, and never by a crash."""

from __future__ import annotations

import asyncio
import json
import math
import time
from typing import Any

import jq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.checks.answers import number_or_text, parse_json, take_entries, take_out
from runbook.checks.findings import NotTaken
from runbook.judge.verdicts import Reason
from tests.places import shared

DOCUMENT: dict[str, Any] = {
    "a": {"b": [1, {"c d": "x"}, None, [2]], "0": "zero", "ä": 1},
    "null": None,
    "list": [],
    "text": "abc",
    "n": 1.5,
    "big": 12345678901234567890,
}
PATHS = [
    ".a.b[0]",
    '.a.b[1]["c d"]',
    '.a.b[1]."c d"',
    ".a.b[-1][0]",
    ".a.b[9]",
    ".a.b[2]",
    ".a.b[2].x",
    ".a.x.y",
    '.a["0"]',
    ".null",
    ".null.x",
]
PATHS += [
    ".text",
    ".text.x",
    ".text[0]",
    ".list[0]",
    ".n",
    ".n.x",
    ".a.b.x",
    ".a[0]",
    '.["text"]',
    '."text"',
    ".[0]",
    ".a.b.[0]",
    ".list",
    ".a",
]


def taken(body: str | bytes, program: str, seconds: float = 5.0) -> Any:
    data = body.encode() if isinstance(body, str) else body
    result = asyncio.run(take_out(data, program, seconds))
    return result.values or result.value


def outcome(body: str | bytes, program: str) -> Any:
    try:
        return taken(body, program)
    except NotTaken as trouble:
        return trouble.reason


@pytest.mark.parametrize("path", PATHS)
def test_plain_paths_are_read_as_jq_reads_them(path: str) -> None:
    body = json.dumps(DOCUMENT)
    ours = outcome(body, path)
    assert ours == outcome(body, f"{path} | ."), path  # the same through jq itself
    if not isinstance(ours, Reason):
        assert ours == jq.compile(path).input_text(body).first()


@pytest.mark.parametrize(
    ("body", "program", "expected"),
    [
        ("{}", ".a", Reason.NODATA),
        ("{}", "empty", Reason.NODATA),
        ("[]", ".[]", Reason.NODATA),
        ("[1, 2]", ".[]", Reason.ERROR),
        ("[1, 2]", ".", Reason.ERROR),
        ("[1, 2]", "length", 2),
        ("[1, 2]", "add / length", 1.5),
        ("[1, 2]", "max", 2),
        ('[{"s": "up"}, {"s": "down"}]', 'map(select(.s == "up")) | length', 1),
        ('{"a": null}', ".a // 5", 5),
        ('{"a": "7"}', ".a | tonumber", 7),
        ('{"a": "x"}', ".a | tonumber", Reason.ERROR),
        ('{"a": 1, "b": {"c": 2}}', ".", Reason.ERROR),
        ('{"a": 1, "b": true}', ".", {"a": 1, "b": True}),
        ('{"a": 1, "a": 2}', ".a", 2),
        ('{"a": 1}', ".a |", Reason.ERROR),
        ('{"a": 1}', "nonsense(", Reason.ERROR),
        ('{"a": 1}', "$ENV.HOME", Reason.NODATA),
        ('{"a": 1}', "env.HOME", Reason.NODATA),
        ('{"a": 1}', "input", Reason.ERROR),
        ('{"a": 1}', 'error("own words")', Reason.ERROR),
        ('{"a": 1e308}', ".a * 10", Reason.NODATA),
        ('{"a": 1, "b": NaN}', ".b < 5", Reason.NODATA),
        ('{"a": "NaN 1e999", "b": 4}', ".b < 5", True),
        ('{"a": 1, "b": NaN}', ".a", 1),
        ('{"a": 1, "b": NaN}', ".b + 1", Reason.NODATA),
        ("\ufeff5", ".", 5),
        ('"\\ud800"', ".", "?"),
        ("9" * 400, ".", Reason.NODATA),
        ("9" * 30, ".", int("9" * 30)),
    ],
)
def test_one_value_or_the_reason(body: str, program: str, expected: Any) -> None:
    assert outcome(body, program) == expected


def test_every_json_of_the_seeds_is_read_or_refused() -> None:
    files = sorted(shared("corpora/fuzzseeds").glob("*.json"))
    assert len(files) > 300
    read = 0
    for file in files:
        for program in (".", ".a", ".[0]"):
            if not isinstance(outcome(file.read_bytes(), program), Reason):
                read += 1
    assert read > 20


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        max_leaves=12,
    )
)
def test_no_value_is_taken_that_is_not_finite(document: Any) -> None:
    for program in (".", ".a", ".[0]", ".a.b"):
        value = outcome(json.dumps(document), program)
        assert not isinstance(value, float) or math.isfinite(value)
        assert value is not None


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        parse_json(body)
    except NotTaken as trouble:
        assert trouble.message


def test_time_does_not_grow_beyond_the_body() -> None:
    took = []
    for size in (10_000, 40_000):
        body = b"[" + b'{"a": [1, 2, 3]},' * size + b"0]"
        began = time.perf_counter()
        assert taken(body, "length") == size + 1
        took.append(time.perf_counter() - began)
    assert took[1] < 12 * took[0] + 0.05


def test_entries() -> None:
    def entries(body: str, program: str) -> Any:
        try:
            return asyncio.run(take_entries(body.encode(), program, 5.0))
        except NotTaken as trouble:
            return trouble.reason

    body = '{"u": ["a", {"name": "b"}, {"id": 3}, {"x": 1}, 4, true], "e": [], "n": null, "h": [null]}'
    assert entries(body, ".u[]") == ["a", "b", "3", '{"x": 1}', "4", "true"]
    assert entries(body, ".u") == ["a", "b", "3", '{"x": 1}', "4", "true"]
    assert entries(body, ".e[]") == entries(body, ".e") == []
    assert (
        entries(body, ".n") == entries(body, ".n[]") == entries(body, ".gone") == entries(body, ".h") == Reason.NODATA
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        (" -5 ", -5),
        ("5.0", 5.0),
        ("1e3", 1000.0),
        ("", ""),
        ("0x1", "0x1"),
        ("nan", "nan"),
        ("1_0", "1_0"),
        ("v1", "v1"),
    ],
)
def test_numbers_in_text(text: str, value: Any) -> None:
    assert number_or_text(text) == value
