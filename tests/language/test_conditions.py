"""Every form of a condition parses into what it means."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.language.conditions import NameUse, names_in, parse_condition
from runbook.language.syntax import (
    Arithmetic,
    Comparison,
    Held,
    Increase,
    Joined,
    Matches,
    Name,
    Not,
    Number,
    Outcome,
    Points,
    Treated,
    TruthValue,
    Window,
)


def comparison(text: str) -> Comparison:
    root = parse_condition(text).root
    assert isinstance(root, Comparison)
    return root


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("error_rate < 2%", "2", "percent"),
        ("error_rate < 2 %", "2", "percent"),
        ("daily_spend > $40", "40", "usd"),
        ("daily_spend > 40.10 usd", "40.10", "usd"),
        ("p95 <= 3s", "3", "s"),
        ("p95 <= 800ms", "800", "ms"),
        ("p95 <= 1h30m", "5400", "s"),
        ("p95 <= 250us", "0.250", "ms"),
        ("free > 20GiB", str(20 * 2**30), "bytes"),
        ("free > 20 MB", "20000000", "bytes"),
        ("free > 3B", "3", "bytes"),
        ("x > 1e-3", "0.001", None),
        ("x > 3000", "3000", None),
        ("postgres >= 13.0", "13.0", None),
    ],
)
def test_numbers_and_their_units(text: str, value: str, unit: str | None) -> None:
    right = comparison(text).right
    assert isinstance(right, Number)
    assert (right.value, right.unit) == (Decimal(value), unit)


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">=", "==", "!="])
def test_operators(operator: str) -> None:
    assert comparison(f"a {operator} 1").operator == operator
    assert comparison(f"a{operator}1").operator == operator


def test_typographic_operators() -> None:
    assert [comparison(f"a {sign} 1").operator for sign in "≤≥≠"] == ["<=", ">=", "!="]


def test_versions_text_and_truth() -> None:
    version = comparison("postgres >= 13.0.1").right
    assert isinstance(version, Number)
    assert (version.unit, version.text) == ("version", "13.0.1")
    word = comparison("state == HEALTHY").right
    assert isinstance(word, Name)
    assert word.may_be_text
    assert not getattr(comparison("state < HEALTHY").right, "may_be_text", True)
    assert getattr(comparison('mode == "two \\"hops\\""').right, "value", "") == 'two "hops"'
    assert getattr(comparison("stage == two-hops").right, "name", "") == "two-hops"
    assert isinstance(comparison("enabled == false").right, TruthValue)


def test_arithmetic_has_precedence() -> None:
    left = comparison("a + b * 2 - c < 1").left
    assert isinstance(left, Arithmetic)
    assert left.operator == "-"
    assert isinstance(left.left, Arithmetic)
    assert left.left.operator == "+"
    assert isinstance(left.left.right, Arithmetic)
    grouped = comparison("(a + b) * 2 < 1").left
    assert isinstance(grouped, Arithmetic)
    assert grouped.operator == "*"


def test_windows_references_and_the_treated() -> None:
    window = comparison("avg(error_rate, 7d) < 1%").left
    assert isinstance(window, Window)
    assert (window.function, window.metric.name, window.seconds) == ("avg", "error_rate", 604800.0)
    last = comparison("last(error_rate) < 1%").left
    assert isinstance(last, Window)
    assert last.seconds is None
    reference = comparison("error_rate < error_rate@two-hops").right
    assert isinstance(reference, Name)
    assert reference.reference == "two-hops"
    assert isinstance(comparison("treated(avg(error_rate, 1h)) < 2%").left, Treated)


def test_functions_are_functions_only_in_front_of_a_parenthesis() -> None:
    inner = comparison("p95(p95, 5m) < 2s").left
    assert isinstance(inner, Window)
    assert inner.metric.name == "p95"
    assert isinstance(comparison("p95 < 2s").left, Name)
    assert isinstance(comparison("count > 5").left, Name)


def test_forms_of_their_own() -> None:
    increase = parse_condition("quality increase > 15% vs control").root
    assert isinstance(increase, Increase)
    assert (increase.operator, increase.versus) == (">", "control")
    baseline = parse_condition("p95_latency increase < 30%").root
    assert isinstance(baseline, Increase)
    assert baseline.versus == "baseline"
    plain = parse_condition("enriched_share matches percent").root
    assert isinstance(plain, Matches)
    assert plain.tolerance is None
    near = parse_condition("enriched_share matches percent +- 3%").root
    assert isinstance(near, Matches)
    assert near.tolerance is not None
    assert near.tolerance.value == 3
    passes = parse_condition("quality passes").root
    assert passes == Outcome(0, 14, "quality", True)
    listed = parse_condition("infrastructure/backup fails").root
    assert isinstance(listed, Outcome)
    assert (listed.name, listed.passes) == ("infrastructure/backup", False)


def test_holds_and_points_over_all_of_it() -> None:
    assert parse_condition("error_rate > 5% for 5m").hold == 300
    assert parse_condition("error_rate > 5% in 3 of 5").m_of_n == (3, 5)
    assert parse_condition("a > 1 and b > 2 for 5m").hold == 300
    assert parse_condition("(a > 1 or b > 2) in 2 of 3").m_of_n == (2, 3)
    assert parse_condition("not a > 1 for 5m").hold == 300
    assert parse_condition("a > 1").hold is None


def test_holds_of_single_parts() -> None:
    root = parse_condition("a > 1 for 5m or b > 2 for 1m").root
    assert isinstance(root, Joined)
    assert [getattr(part, "seconds", None) for part in root.parts] == [300, 60]
    mixed = parse_condition("a > 1 in 2 of 3 and b > 2").root
    assert isinstance(mixed, Joined)
    assert [type(part) for part in mixed.parts] == [Points, Comparison]
    inner = parse_condition("(a > 1 and b > 2 for 5m) or c > 3").root
    assert isinstance(inner, Joined)
    assert isinstance(inner.parts[0], Held)


def test_and_binds_closer_than_or_and_not_closest() -> None:
    root = parse_condition("not a > 1 and b > 2 or c > 3").root
    assert isinstance(root, Joined)
    assert not root.every
    first = root.parts[0]
    assert isinstance(first, Joined)
    assert first.every
    assert isinstance(first.parts[0], Not)


def test_a_subject_stands_in_front_of_operators() -> None:
    root = parse_condition(">= 1 and <= 5", subject="value").root
    assert isinstance(root, Joined)
    assert [getattr(part.left, "name", "") for part in root.parts if isinstance(part, Comparison)] == ["value"] * 2
    assert isinstance(parse_condition("increase < 30%", subject="p95").root, Increase)
    assert isinstance(parse_condition("matches percent", subject="share").root, Matches)
    assert names_in(parse_condition("< 2%", subject="error_rate")) == ()


def test_what_one_sample_cannot_decide() -> None:
    smoothed = ["a > 1 for 1m", "a > 1 in 2 of 3", "avg(a, 5m) > 1", "b > 1 and max(a, 5m) > 1"]
    assert all(parse_condition(text).smoothed for text in smoothed)
    assert not any(parse_condition(text).smoothed for text in ["a > 1", "last(a) > 1", "a > 1 and b > 2"])


def test_names_stand_where_they_stand() -> None:
    text = "ollama_up fails and avg(p95, 5m) increase < 30% vs canary or e < e@base and s == OK"
    uses = names_in(parse_condition(text))
    assert [(use.name, use.role) for use in uses] == [
        ("ollama_up", "check"),
        ("canary", "reference"),
        ("p95", "metric"),
        ("e", "metric"),
        ("e", "metric"),
        ("base", "reference"),
        ("s", "metric"),
        ("OK", "text"),
    ]
    assert all(text[use.start : use.start + use.width] == use.name for use in uses)
    assert uses[0] == NameUse("ollama_up", 0, 9, "check")


def test_the_same_text_is_parsed_once() -> None:
    assert parse_condition("a_certain_metric > 1") is parse_condition("a_certain_metric > 1")


NAMES = st.sampled_from(["a", "b", "error_rate", "p95"])
ATOMS = st.builds("{} {} {}".format, NAMES, st.sampled_from(["<", ">="]), st.sampled_from(["1", "2%", "3s", "b * 2"]))
TEXTS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not {}".format, inner),
    ),
    max_leaves=8,
)


@given(TEXTS)
def test_names_of_any_condition_stand_in_its_text(text: str) -> None:
    condition = parse_condition(text)
    assert all(text[use.start : use.start + use.width] == use.name for use in names_in(condition))


@given(TEXTS, st.sampled_from(["  ", "\t", "\n"]))
def test_white_space_means_nothing(text: str, space: str) -> None:
    spread = text.replace(" ", space)
    assert [use.name for use in names_in(parse_condition(spread))] == [
        use.name for use in names_in(parse_condition(text))
    ]
