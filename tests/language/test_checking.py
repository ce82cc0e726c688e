"""Conditions are checked against the metrics there are, all problems at once."""

from __future__ import annotations

import pytest

from runbook.language.checking import BUILTINS, condition_problems
from runbook.language.conditions import parse_condition

UNITS: dict[str, str | None] = {
    "error_rate": "ratio",
    "load": "percent",
    "p95": "ms",
    "spend": "usd",
    "daily_cap": "usd",
    "free": "bytes",
    "requests": "count",
    "quality": "score",
    "postgres": "version",
    "answers": "shares",
    "state": None,
}

RIGHT = [
    "error_rate < 2%",
    "error_rate < 0.02",
    "p95 <= 3s",
    "p95 < 3000",
    "spend > 80% * daily_cap",
    "spend / daily_cap > 80%",
    "free > 20GiB",
    "postgres >= 13.0",
    "postgres >= 13.0.1",
    "state == HEALTHY",
    'stage == "two-hops"',
    "stage != canary",
    "percent == 10 and fraction >= 0.1",
    "stage_age > 30m",
    "incidents_p0 == 0 and rollbacks < 2",
    "p95 increase < 30%",
    "quality increase > 0.15 vs control",
    "load matches percent +- 3%",
    "treated(error_rate) < 2%",
    "error_rate < error_rate@baseline",
    "avg(error_rate, 7d) < 1% for 5m",
    "rate(requests, 5m) > 10",
    "count(p95, 5m) >= 3",
    "requests * 2 - 1 > 5",
    "state > 5",
    "state < 3s",
    "anything_up fails for 1m",
]


@pytest.mark.parametrize("text", RIGHT)
def test_right_conditions_have_no_problem(text: str) -> None:
    assert condition_problems(parse_condition(text), UNITS) == []


WRONG = [
    ("eror_rate < 2%", "^^^^^^^^^", "unknown metric 'eror_rate'", "did you mean error_rate?"),
    ("p95 > 3%", "      ^^", "cannot compare p95 (ms) with 3 %", "write a time: 3s, 800ms"),
    ("error_rate < 3s", "             ^^", "cannot compare error_rate (ratio) with 3 s", "write a share: 2%"),
    ("spend > 40%", "        ^^^", "cannot compare spend (usd) with 40 %", "write an amount: $40"),
    ("free > $20", "       ^^^", "cannot compare free (bytes) with $20.00", "write a size: 20GiB"),
    ("requests > 5%", "           ^^", "cannot compare requests (count) with 5 %", "write a number: 5"),
    ("postgres >= 5%", "            ^^", "cannot compare postgres (version) with 5 %", "write a version: 13.0"),
    ("p95 < error_rate", "      ^^^^^^^^^^", "cannot compare p95 (ms) with error_rate (ratio)", ""),
    ("p95 < error_rate@canary", "      ^^^^^^^^^^^^^^^^^", "cannot compare p95 (ms) with error_rate", ""),
    ("error_rate > 5", "             ^", "never exceeds 100 %, and this is 500 %", "write it like 2%"),
    ("load > 500", "       ^^^", "never exceeds 100 %, and this is 500 %", "write it like 2%"),
    ("error_rate == HEALTHY", "              ^^^^^^^", "with the text 'HEALTHY'", "write a share"),
    ("error_rate == p59", "              ^^^", "with the text 'p59'", "did you mean p95?"),
    ("error_rate == true", "^^^^^^^^^^", "is a number, neither true nor false", ""),
    ("state > true", "^^^^^^^^^^^^", "true and false have no order", "use == or !="),
    ("stage > 5", "^^^^^", "stage is text, and text has no order", "use == or !="),
    ("stage == 5", "         ^", "cannot compare stage with 5", "write a text"),
    ('p95 < "fast"', "      ^^^^^^", "'fast' is text, and text has no order", ""),
    ("p95 + error_rate > 3s", "^^^^^^^^^^^^^^^^", "cannot add p95 (ms) and error_rate (ratio)", ""),
    ("p95 - spend > 3s", "^^^^^^^^^^^", "cannot take spend (usd) from p95 (ms)", ""),
    ("p95 * spend > 1", "^^^^^^^^^^^", "cannot multiply p95 (ms) by spend (usd)", ""),
    ("p95 / spend > 1", "^^^^^^^^^^^", "cannot divide p95 (ms) by spend (usd)", ""),
    ("stage * 2 > 1", "^^^^^", "stage is no number", ""),
    ("avg(percent, 5m) > 1%", "    ^^^^^^^", "built in and has no samples", ""),
    ("percent < percent@baseline", "          ^^^^^^^^^^^^^^^^", "built in and has no baseline", ""),
    ("answers > 5", "^^^^^^^", "a breakdown into shares, and cannot be compared", ""),
    ("1 < 2", "^^^^^", "nothing is measured here", "has to name a metric"),
    ("p95 increase < 30", "               ^^", "an increase of 30 is 3000 %", "write it like 30%"),
    ("p95 increase < 3s", "               ^^", "an increase is a share", "write it like 30%"),
    ("stage increase < 3%", "^^^^^", "is no number, and cannot increase", ""),
    ("p95 matches percent", "^^^", "p95 (ms) is no share", ""),
    ("p95-p50 > 3s", "^^^^^^^", "unknown metric 'p95-p50'", ""),
    ("state < HEALTHY", "        ^^^^^^^", "unknown metric 'HEALTHY'", ""),
]


@pytest.mark.parametrize(("text", "caret", "message", "hint"), WRONG, ids=[row[0] for row in WRONG])
def test_wrong_conditions_show_where_and_what(text: str, caret: str, message: str, hint: str) -> None:
    (problem,) = condition_problems(parse_condition(text), UNITS)
    assert " " * problem.start + "^" * problem.width == caret
    assert message in problem.message
    assert hint in problem.hint


def test_all_problems_are_found_at_once_in_order() -> None:
    text = "p95 < 3% and eror_rate < 2% or not requests > 5s and avg(spent, 5m) > $4"
    found = condition_problems(parse_condition(text), UNITS)
    assert [text[problem.start : problem.start + problem.width] for problem in found] == [
        "3%",
        "eror_rate",
        "5s",
        "spent",
    ]


def test_the_subject_of_a_limit_is_known_by_its_unit() -> None:
    (problem,) = condition_problems(parse_condition("< 3%", "p95"), UNITS)
    assert (problem.message, problem.start, problem.width) == ("cannot compare p95 (ms) with 3 %", 2, 2)
    assert condition_problems(parse_condition("< 3s", "not_declared"), UNITS) == []


def test_checks_and_references_are_looked_at_where_they_are_given() -> None:
    condition = parse_condition("ollama_up fails for 1m and p95 increase < 3% vs contrl or p95 < p95@canry")
    assert condition_problems(condition, UNITS) == []
    found = condition_problems(condition, UNITS, checks=["ollama_is_up"], references=["control", "canary"])
    assert [(problem.message, problem.hint) for problem in found] == [
        ("unknown check 'ollama_up'", "did you mean ollama_is_up?"),
        ("unknown reference 'contrl'", "did you mean control?"),
        ("unknown reference 'canry'", "did you mean canary?"),
    ]
    assert condition_problems(condition, UNITS, checks=["ollama_up"], references=["contrl", "canry"]) == []


def test_a_metric_may_bear_the_name_of_something_built_in_or_of_a_function() -> None:
    assert "percent" in BUILTINS
    own: dict[str, str | None] = {"percent": "ms", "avg": "ms"}
    assert condition_problems(parse_condition("avg(percent, 5m) < 3s and avg < 3s"), own) == []
