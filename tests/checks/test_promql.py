"""PromQL as it stands in playbooks: where a value may stand, what a query rests on, brackets that do not close."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.checks.monitoring.promql import filled_query, is_selector, query_problems, quoted, selectors_of
from runbook.system.secrets import VariableTrouble

PLAIN = st.text(st.characters(codec="utf-8"), max_size=30)


def with_value(template: str, value: str) -> str:
    return filled_query(template, lambda reference: value)


@pytest.mark.parametrize(
    ("template", "value", "query"),
    [
        ('x{a="${V}"}', "b", 'x{a="b"}'),
        ('x{a="${V}"}', 'b"} or vector(1) or x{a="', r'x{a="b\"} or vector(1) or x{a=\""}'),
        ("x{a='${V}'}", "b'c\\", r"x{a='b\'c\\'}"),
        ('x{a="${V}"}', "line\nnext\0", r'x{a="line\u000anext\u0000"}'),
        ('x{a=~"api-${V}"}', ".*|b", r'x{a=~"api-\\.\\*\\|b"}'),
        ('x{a!~ "${V}"}', ".+", r'x{a!~ "\\.\\+"}'),
        ('x{a=~"b", c="${V}"}', ".*", 'x{a=~"b", c=".*"}'),
        ('x{a="\\"${V}"}', '"', r'x{a="\"\""}'),
        ("rate(x[${V}])", "5m", "rate(x[5m])"),
        ("rate(x[${V}m])", "15", "rate(x[15m])"),
        ("x > ${V}", "-0.5", "x > -0.5"),
        ("x > ${V}", "1.5e-3", "x > 1.5e-3"),
        ("${V}{a='b'}", "job:errors:rate5m", "job:errors:rate5m{a='b'}"),
        ("errors_${V}_total", "api", "errors_api_total"),
        ("x # '\n > ${V}", "1", "x # '\n > 1"),
        ('x{a="$${V}"}', "b", 'x{a="${V}"}'),
    ],
)
def test_where_a_value_may_stand(template: str, value: str, query: str) -> None:
    assert with_value(template, value) == query


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("x > ${V}", "1 or vector(1)"),
        ("x > ${V}", "1)"),
        ("x > ${V}", ""),
        ("x > ${V}", "NaN"),
        ("x > ${V}", "inf"),
        ("x > ${V}", "0x1F"),
        ("x > ${V}", "1\n"),
        ("${V}", 'up{a="b"}'),
        ("x${V}", "-1"),
        ("x${V}y", "a:b"),
        ("${V}[5m]", "rate(x"),
        ("x # ${V}", "note"),
        ("x{a=`${V}`}", "b"),
    ],
)
def test_where_it_may_not(template: str, value: str) -> None:
    with pytest.raises(VariableTrouble, match=r"\$\{V\}"):
        with_value(template, value)


@given(PLAIN)
def test_a_value_in_quotes_stays_one_text(value: str) -> None:
    """Whatever it holds, the query has the selectors it had, and Go's unescaping gives the value again."""
    query = with_value("sum(x{a=\"${V}\",b='${V}'}) + y", value)
    assert [name[0] for name in selectors_of(query)] == ["x", "y"]
    assert query_problems(query.replace("$", "")) == []
    inside = quoted(value)[1:-1]
    assert re.fullmatch(r'(?:[^"\\\n]|\\u[0-9a-f]{4}|\\["\\])*', inside)
    back = re.sub(r"\\u([0-9a-f]{4})|\\(.)", lambda found: found[2] or chr(int(found[1], 16)), inside)
    assert back == value


@given(PLAIN)
def test_no_value_outside_of_quotes_brings_a_bracket_or_a_quote(value: str) -> None:
    try:
        query = with_value("x > ${V}", value)
    except VariableTrouble:
        return
    assert not set(query) & set("(){}[]\"'`#,\n")


@pytest.mark.parametrize(
    ("query", "selectors"),
    [
        ("up", ["up"]),
        ('up{job="api"}', ['up{job="api"}']),
        ('up {job="}"}', ['up {job="}"}']),
        ('{__name__=~"a|b"}', ['{__name__=~"a|b"}']),
        ("up offset 5m", ["up"]),
        ("up @ 1700000000", ["up"]),
        ("-up", ["up"]),
        ("rate(a[5m]) / rate(b[5m:1m] offset 1w)", ["a", "b"]),
        ("sum by (job, code) (rate(a[5m]))", ["a"]),
        ("sum(a) by (job)", ["a"]),
        ("sum without(job) (a)", ["a"]),
        ("a * on(x) group_left(y) b", ["a", "b"]),
        ("a / ignoring(x) group_right b", ["a", "b"]),
        ("a and b or c unless d", ["a", "b", "c", "d"]),
        ("a > bool 0", ["a"]),
        ("a atan2 inf", ["a"]),
        ("topk(5, a)", ["a"]),
        ('count_values("b", c)', ["c"]),
        ("histogram_quantile(0.95, sum(rate(a_bucket[5m])) by (le))", ["a_bucket"]),
        ("job:errors:rate5m{a='b'}", ["job:errors:rate5m{a='b'}"]),
        ("a + a + b", ["a", "b"]),
        ("a # and b\n + c", ["a", "c"]),
        ("vector(1)", []),
        ("time() - 5", []),
        ("1e3 + 0x1F + NaN", []),
        ('label_replace(a, "b", "$1", "c", "(.*)")', ["a"]),
    ],
)
def test_what_a_query_rests_on(query: str, selectors: list[str]) -> None:
    assert list(selectors_of(query)) == selectors
    assert is_selector(query) is (selectors == [query])


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("", "empty"),
        ("sum(a", "query: a ) is missing at the end"),
        ("a{b='c'", "a } is missing"),
        ("a[5m", "a ] is missing at the end"),
        ("a)", "a ) too many"),
        ("(a]", "a ) is missing before ]"),
        ("sum(rate(x[5m)", "query: a ] is missing before )"),
        ('a{b="c}', "never closed"),
        ("a ? b", "'?'"),
        ("a; b", "';'"),
    ],
)
def test_queries_that_are_wrong(query: str, problem: str) -> None:
    assert problem in query_problems(query)[0]
    assert query_problems('sum(a{b="(", c=~"${X}"}) # (') == []


@pytest.mark.parametrize("query", ["(" * 200_000, "a{" * 100_000, '"' * 200_001, "a[" * 100_000, "a " * 100_000])
def test_long_queries_are_read_soon(query: str) -> None:
    began = time.process_time()
    query_problems(query)
    assert time.process_time() - began < 2
