"""A problem shown in its line."""

from __future__ import annotations

import pytest

from runbook.language.places import Place, Problem
from runbook.playbook.excerpts import excerpt

LINE = '    gates: ["eror_rate < 2%", "p95 < 2s"]'


def shown(line: str, column: int, width: int = 1, hint: str = "", number: int = 1) -> list[str]:
    text = "\n" * (number - 1) + line + "\nnext: line"
    return excerpt(Problem("wrong", Place("soup.yaml", number, column, width), hint), text)


def test_the_caret_stands_under_the_place_and_the_hint_beside_it() -> None:
    assert shown(LINE, 14, 9, "did you mean error_rate?", number=23) == [
        '   23 |     gates: ["eror_rate < 2%", "p95 < 2s"]',
        "      |              ^^^^^^^^^ did you mean error_rate?",
    ]


@pytest.mark.parametrize(
    ("line", "column", "width", "carets"),
    [
        ("a: b", 1, 1, "^"),
        ("a: b", 5, 1, "    ^"),
        ("\ta: b", 2, 1, " ^"),
        ("名前: x", 5, 1, "      ^"),
        ("a: 名前", 4, 2, "   ^^^^"),
        ("e\u0301: x", 5, 1, "   ^"),
        ("\x1b[31m: x", 8, 1, "          ^"),
        ("a: \u202eb", 4, 1, "   ^^^^^^"),
    ],
)
def test_the_caret_counts_columns_of_the_terminal(line: str, column: int, width: int, carets: str) -> None:
    first, second = shown(line, column, width)
    assert second == f"      | {carets}"
    assert "\x1b" not in first and "\u202e" not in first and "\t" not in first


def test_a_long_line_is_cut_around_the_caret() -> None:
    line = "a: " + "x" * 500 + "HERE" + "y" * 500
    first, second = shown(line, 504, 4)
    assert len(first) < 120 and first.startswith("    1 | ...x") and first.endswith("y...")
    assert first[second.index("^") : second.rindex("^") + 1] == "HERE"


def test_a_wide_place_does_not_leave_the_line() -> None:
    first, second = shown("a: " + "x" * 1000, 4, 1000)
    assert len(second) <= len(first)


@pytest.mark.parametrize("line", [0, 4, 10_000])
def test_a_place_that_is_not_in_the_text_has_no_excerpt(line: int) -> None:
    assert excerpt(Problem("wrong", Place("soup.yaml", line, 1), "mend it"), "a\nb\nc") == ["      | mend it"]


def test_a_problem_without_a_place_shows_its_hint() -> None:
    assert excerpt(Problem("wrong", None, "mend \x1b it"), "") == ["      | mend \\x1b it"]
    assert excerpt(Problem("wrong"), "") == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_they_may(end: str) -> None:
    problem = Problem("wrong", Place("soup.yaml", 2, 1))
    assert excerpt(problem, end.join(["one", "two", "three"])) == ["    2 | two", "      | ^"]
