"""Wrong conditions: each is refused with a caret under what is wrong, in linear time, however it is spoilt."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.language.conditions import ConditionError, parse_condition
from runbook.language.lexer import LONGEST_TEXT

# The condition, and under it the caret; then a part of the message, and a part of the hint.
WRONG = [
    ("", "^", "empty", "error_rate < 2%"),
    ("error_rate", "^^^^^^^^^^", "a value, not a condition", "compare it"),
    ("5%", "^^", "a value, not a condition", "operator in front"),
    ("a = 3", "  ^", "no meaning here", "write =="),
    ("a && b", "  ^", "no meaning here", "write and"),
    ("a | b", "  ^", "no meaning here", "write or"),
    ("!a", "^", "no meaning here", "write not"),
    ("a < 1 < 2", "      ^", "cannot be chained", "joined with and"),
    ("a > 1,000", "     ^", "not expected", "without commas"),
    ("a > 5x", "     ^", "unknown unit 'x'", "known are"),
    ("a > 5Mib", "     ^^^", "unknown unit 'Mib'", "did you mean MiB?"),
    ("a > 20k", "      ^", "unknown unit 'k'", "in full"),
    ("a > 3 sec", "      ^^^", "'sec' is not expected", "known units"),
    ("a > .5", "    ^", "no meaning", "zero in front"),
    ("a >", "  ^", "ends too early", ""),
    ("a > 1 and", "        ^", "ends too early", ""),
    ("a > 1)", "     ^", "')' is not expected", ""),
    ("((a > 1)", "^", "not closed", "add )"),
    ("avg(a) > 1", "     ^", "needs a window", "avg(metric, 5m)"),
    ("avg(a, 5) > 1", "       ^", "needs a duration", "5s, 5m or 5h"),
    ("avg(a, 5%) > 1", "       ^^", "needs a duration", ""),
    ("avg(a > 1", "      ^", "needs a window", ""),
    ("avg(a, 5m > 1", "          ^", "not closed", ""),
    ("avg(5, 5m) > 1", "    ^", "a metric is missing", "one metric"),
    ("average(a, 5m) > 1", "^^^^^^^", "unknown function", "did you mean avg?"),
    ("foo(a, 5m) > 1", "^^^", "unknown function", "known are avg min"),
    ("a > 1 for 5", "          ^", "needs a duration", "5m"),
    ("a > 1 for 0s", "          ^^", "zero", "5m"),
    ("a > 1 in 3", "          ^", "'of' is missing", "3 of 5"),
    ("a > 1 in 5 of 3", "      ^^^^^^^^^", "cannot be", ""),
    ("a > 1 in 1.5 of 3", "         ^^^", "whole number", ""),
    ("a > 1 in 1 of 5000", "      ^^^^^^^^^^^^", "cannot be", ""),
    ("a > 1 for 5m in 3 of 5", "             ^^", "held already", ""),
    ("(a > 1 for 5m) for 1m", " ^^^^^^^^^^^^", "held already", ""),
    ("a > 1 and b > 2 for 5m or c > 3", "                ^^^", "not clear", "parentheses"),
    ("a > 1 for 5m and b > 2 and c > 3 for 1m", "                                 ^^^", "not clear", ""),
    ("(a > 1) > 2", " ^^^^^", "cannot be compared", "and, or"),
    ("(a > 1) + 2 > 3", " ^^^^^", "no value to calculate", ""),
    ("-(a > 1) > 3", "  ^^^^^", "no value to calculate", ""),
    ("not a", "    ^", "a value, not a condition", ""),
    ("a and b > 1", "^", "a value, not a condition", ""),
    ("a + 1 fails", "^^^^^", "only a check", ""),
    ("a fails fails", "        ^^^^^", "not expected", ""),
    ("a matches 10", "  ^^^^^^^", "'percent' is missing", "matches percent"),
    ("a matches percent +- b", "                     ^", "tolerance is missing", "+- 3%"),
    ("a@b matches percent", "^^^", "one metric on its left", ""),
    ("a * 2 increase < 5%", "^^^^^", "one metric on its left", ""),
    ("a increase < 5% vs", "                  ^", "reference is missing", "vs baseline"),
    ("a@ > 1", "   ^", "reference is missing", "@baseline"),
    ("$limit > 1", "^", "amount is missing", "without $"),
    ("a == 'x", "     ^^", "no closing quote", "add '"),
    ("a == 2025-01-01", "     ^^^^^^^^^^", "subtraction", 'quotes: "2025-01-01"'),
    ("a > 12:30", "      ^", "no meaning", "quotes"),
    ("a ~ b", "  ^", "no meaning", "patterns"),
    ("a > 1e40", "    ^^^^", "too large", ""),
    ("and > 1", "^^^", "not expected", ""),
    ("a > \x1b[31m", "    ^", r"'\x1b' has no meaning", ""),
]


@pytest.mark.parametrize(("text", "caret", "message", "hint"), WRONG, ids=[row[0] or "empty" for row in WRONG])
def test_a_wrong_condition_shows_where_and_what(text: str, caret: str, message: str, hint: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_condition(text)
    error = caught.value
    assert " " * error.start + "^" * error.width == caret
    assert message in error.message
    assert hint in error.hint
    assert 0 <= error.start <= len(text)


PATHOLOGICAL = [
    "(" * 9000,
    "not " * 2400,
    "-" * 9000 + "a > 1",
    "a" + " + a" * 2400 + " > 1",
    "a > 1" + " and a > 1" * 900,
    "a > 1" + " or (a > 1" * 900,
    "1" * 9000 + " < a",
    "1h" * 4000 + " < a",
    "1.1." * 2400,
    "'" * 9000,
    '"\\' * 4500,
    "a-" * 4900,
    "@" * 9000,
    "treated(" * 1200,
    "a == " * 1900,
    "\x00" * 9000,
    "１" * 5000 + " > a",
    "é" * 9000,
]


@pytest.mark.parametrize("text", PATHOLOGICAL, ids=range(len(PATHOLOGICAL)))
def test_hostile_texts_are_read_or_refused_in_time_linear_in_their_length(text: str) -> None:
    start = time.perf_counter()
    try:
        parse_condition(text)
    except ConditionError as error:
        assert len(error.message) < 10_000
    assert time.perf_counter() - start < 1.0


def test_longer_texts_are_not_read_at_all() -> None:
    with pytest.raises(ConditionError, match="characters"):
        parse_condition("a > 1 and " * 10_000)
    assert len("a > 1 and " * 10_000) > LONGEST_TEXT


def test_depth_is_limited_and_fifty_are_fine() -> None:
    deep = "(" * 50 + "a > 1" + ")" * 50
    assert parse_condition(deep)
    with pytest.raises(ConditionError, match="deeper than 50"):
        parse_condition(f"({deep})")


@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_a_condition_error(text: str) -> None:
    try:
        parse_condition(text)
    except ConditionError as error:
        assert 0 <= error.start <= len(text)
        assert error.width >= 1


WORDS = [
    "a",
    "avg",
    "(",
    ")",
    ",",
    "5m",
    "2%",
    "and",
    "or",
    "not",
    "for",
    "in",
    "of",
    "3",
    "<",
    "==",
    "@",
    "-",
    "*",
    "$4",
]


@given(
    st.lists(st.sampled_from([*WORDS, "increase", "matches", "percent", "+-", "vs", "fails", "treated"]), max_size=14)
)
def test_any_order_of_words_is_a_condition_or_a_condition_error(words: list[str]) -> None:
    for subject in (None, "value"):
        try:
            parse_condition(" ".join(words), subject)
        except ConditionError as error:
            assert error.message
