"""Lines of a log looked through: regular expressions that may take for ever, and the patterns that lines have."""

from __future__ import annotations

import re
import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook.checks.findings import NotTaken
from runbook.checks.here.log_lines import matching, pattern_of, patterns_of

LINES = ["Cache HIT a", "Cache MISS", "", "über cache", "\u2028 x", "x" * 70_000, "tab\tand \r inside", '"quoted"']


def soon(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


@pytest.mark.parametrize(
    "pattern",
    [
        "Cache HIT",
        "Cache (HIT|MISS)",
        "(?i)CACHE",
        "^$",
        "^Cache",
        "x$",
        r"\bcache\b",
        "ü.*e",
        "x+$",
        "a|b|c|d|e|f|g|h|i",
        r"(.)\1",
        "[^ -~]",
        "",
        "\\s",
    ],
)
def test_a_line_matches_as_it_does_in_python(pattern: str) -> None:
    """Whether it is searched here or in the child."""
    expected = [re.search(pattern, line) is not None for line in LINES]
    assert matching([pattern], LINES, soon()) == [expected]
    assert matching([pattern, "(a*)*"], LINES, soon())[0] == expected


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|aa)+$", "a*a*a*a*b", r"(?:a?){30}a{30}b", r"(a|a)*c"])
def test_patterns_that_never_end_are_ended(pattern: str) -> None:
    began = time.monotonic()
    with pytest.raises(NotTaken, match="took too long"):
        matching([pattern], ["fine", "a" * 60_000 + "!"], soon(0.4))
    assert time.monotonic() - began < 2


def test_two_at_once_and_nothing_to_look_through() -> None:
    assert matching(["HIT.*", "Cache"], LINES, soon())[0][:3] == [True, False, False]
    assert matching(["HIT.*", "Cache+"], [], soon()) == [[], []]
    assert matching(["HIT"], [], soon()) == [[]]


def test_late_is_told() -> None:
    with pytest.raises(NotTaken, match="in time"):
        matching(["HIT"], LINES, soon(-1))
    with pytest.raises(NotTaken, match="in time"):
        patterns_of(LINES, soon(-1))
    with pytest.raises(NotTaken, match="too long"):
        matching(["HIT.*"], LINES, soon(-1))


@pytest.mark.parametrize(
    ("one", "other", "pattern"),
    [
        ("timeout after 31 ms for 8f3a", "timeout after 7 ms for 11bc", "timeout after # ms for #"),
        ("timeout after 31ms", "timeout after 7ms", "timeout after #ms"),
        ("2026-11-21T12:00:00Z ERROR no", "2026-11-21T13:07:01.5Z ERROR no", "ERROR no"),
        ("Nov 21 12:00:00 host app[12]: no", "Dec  1 01:00:00 host app[345]: no", "host app[#]: no"),
        ("[21/Nov/2026:12:00:00 +0000] no", "[01/Dec/2026:12:00:00 +0000] no", "no"),
        ("1795262400 no", "1795262999.25 no", "no"),
        ('user "jo" is gone', 'user "mary ann" is gone', 'user "#" is gone'),
        ("user 'jo' isn't there", "user 'al' isn't there", "user '#' isn't there"),
        ("job 6fa459ea-ee8a-3ca4-894e-db77e160355e", "job 16fd2706-8baf-433b-82eb-8c7fada847da", "job #"),
        ("at 0xdeadbeef", "at 0x1", "at #"),
        ("commit deadbeefdeadbeefdead", "commit 0123456789abcdef0123", "commit #"),
        ("peer 10.0.0.1:8080 lost", "peer 192.168.7.31:443 lost", "peer # lost"),
        ("worker7 died", "worker12 died", "worker# died"),
        ("due 2026-11-21 now", "due 2025-01-02 now", "due # now"),
        ("trace zK3mQ9aB7xYp1 end", "trace 8sJd72nbQwe41 end", "trace # end"),
        ("took  3.25 s", "took 12 s", "took # s"),
        ('{"time": 1, "level": "error", "msg": "no 5"}', '{"level": "error", "msg": "no 77", "x": "y"}', "error no #"),
    ],
)
def test_what_differs_is_folded(one: str, other: str, pattern: str) -> None:
    assert pattern_of(one) == pattern_of(other) == pattern


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("added a facade", "added a decade"),
        ("ERROR disk", "WARN disk"),
        ("took 3 s", "took 3 ms"),
        ('{"level": "error", "msg": "a"}', '{"level": "warn", "msg": "a"}'),
        ("{broken a", "{broken b"),
    ],
)
def test_what_means_something_else_stays_apart(one: str, other: str) -> None:
    assert pattern_of(one) != pattern_of(other)


def test_continued_and_blank_lines_are_no_pattern() -> None:
    lines = ["ERROR 1", "  at x", "\tat y", "", "   ", "ERROR 2", "42"]
    assert patterns_of(lines, soon()) == Counter({"ERROR #": 2, "#": 1})


@settings(max_examples=200)
@given(st.text(max_size=500))
def test_every_line_has_a_pattern(line: str) -> None:
    assert pattern_of(line)
    assert not any(digit in pattern_of(line) for digit in "0123456789") or not line.isascii()


def test_long_lines_take_no_longer_for_their_length() -> None:
    hostile = ['"' * 65_000, "'" * 65_000, "a1" * 32_000, "0-" * 32_000, "f" * 65_000, '"\\' * 32_000, "1.:" * 20_000]
    began = time.monotonic()
    for line in hostile * 20:
        pattern_of(line)
    assert time.monotonic() - began < 2
