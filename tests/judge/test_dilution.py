"""What a gate lets through among the treated, and how sure we are of what they see."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.judge.dilution import (
    diluted,
    dilution_sentence,
    lets_through,
    sees_doubling,
    treated_interval,
)
from runbook.judge.evaluate import evaluate
from runbook.judge.facts import Facts, Reference, Series
from runbook.judge.gates import judge_gate
from runbook.judge.verdicts import Truth
from runbook.language.conditions import parse_condition
from tests.judge.samples import FALSE, NODATA, NOW, TRUE, facts_of, outcome, series

BASELINE = {"baseline": {"m": Reference(0.005, 100, 0.001), "other": Reference(0.001, 100, 0.001)}}


def facts(**more: Any) -> Facts:
    more = {"m": series("ratio", 0.01), "other": series("ratio", 0.01), "p95": series("ms", 800), **more}
    return facts_of(
        **{"percent": 10.0, "references": BASELINE, "values": {"cap": 0.02}, "units": {"cap": None}, **more}
    )


@pytest.mark.parametrize(
    ("text", "highest"),
    [
        ("m < 2%", 0.155),
        ("m <= 2%", 0.155),
        ("m < 0.02", 0.155),
        ("2% > m", 0.155),
        ("avg(m, 7d) < 2%", 0.155),
        ("last(m) < 2%", 0.155),
        ("m < 2% for 5m", 0.155),
        ("m < cap", 0.155),
        ("m < m@baseline * 4", 0.155),
        ("m < 2% and p95 < 3s", 0.155),
        ("m < 3% and (p95 < 3s and m < 2%)", 0.155),
        ("m < 2% and other < 1%", 0.155),  # the one that lets most through
        ("m < 20%", 1.0),
        ("m < 0.45%", 0.0),
        ("m < 0.4%", None),  # it could not hold at all
        ("m > 2%", None),
        ("m == 2%", None),
        ("treated(m) < 2%", None),
        ("m < 2% and treated(m) < 3%", None),
        ("m increase < 30%", None),
        ("not m > 2%", None),
        ("m < 2% or p95 < 3s", None),
        ("m < 2% in 3 of 5", None),
        ("max(m, 7d) < 2%", None),
        ("m < other", None),  # it moves with what is measured
        ("m < 2s", None),
        ("m < unheard_of", None),
        ("m * 2 < 2%", None),
        ("p95 < 3s", None),
        ("unheard_of < 2%", None),
        ("m@baseline < 2%", None),
    ],
)
def test_what_a_gate_lets_through(text: str, highest: float | None) -> None:
    found = lets_through(parse_condition(text), facts())
    if highest is None:
        assert found is None
    else:
        assert found is not None and found[0] == "m" and found[1] == pytest.approx(highest, abs=1e-12)


@pytest.mark.parametrize(
    "more",
    [
        {"percent": 0.0},
        {"percent": 100.0},
        {"percent": None},
        {"references": {}},
        {"references": {"canary": {"m": Reference(0.005)}}},
        {"m": series("ratio", 0.01, covers="treated")},
        {"m": series("ms", 1)},
    ],
)
def test_where_nothing_is_diluted(more: dict[str, Any]) -> None:
    assert lets_through(parse_condition("m < 2%"), facts(**more)) is None


def test_percent_as_a_unit() -> None:
    found = lets_through(
        parse_condition("m < 2%"),
        facts(m=series("percent", 1.0), references={"baseline": {"m": Reference(0.5)}}),
    )
    assert found is not None and found[1] == pytest.approx(0.155)


def test_each_limit_is_told_with_what_it_rests_on() -> None:
    rows = diluted(parse_condition("m < 2% and other < 1%"), facts())
    assert [(row.metric, row.limit, row.baseline, row.share) for row in rows] == [
        ("m", 0.02, 0.005, 0.1),
        ("other", 0.01, 0.001, 0.1),
    ]


def test_the_sentence() -> None:
    found = lets_through(parse_condition("m < 2%"), facts())
    assert found is not None
    assert dilution_sentence(found[1], 10) == "lets up to 15.5 % through among the treated (10 % of the traffic)"
    assert dilution_sentence(1.0, 0.5) == "lets up to 100 % through among the treated (0.5 % of the traffic)"


@given(st.floats(0.01, 0.99), st.floats(0, 0.2), st.floats(0, 0.5), st.floats(0, 1))
def test_the_gate_holds_just_below_and_not_above(share: float, baseline: float, limit: float, treated: float) -> None:
    known = facts(percent=share * 100, references={"baseline": {"m": Reference(baseline)}})
    gate = parse_condition(f"m <= {limit:.6f}")
    found = lets_through(gate, known)
    whole = share * treated + (1 - share) * baseline
    if abs(whole - limit) > 1e-5:
        assert (whole < limit) is (found is not None and treated <= found[1])


def test_a_doubling_is_seen_where_the_limit_is_near_enough() -> None:
    assert not sees_doubling(0.02, 0.005, 0.1)
    assert sees_doubling(0.0054, 0.005, 0.1)
    assert not sees_doubling(0.0056, 0.005, 0.1)
    assert sees_doubling(0.0099, 0.005, 1.0)


def test_the_interval_by_hand() -> None:
    # Standard errors 0.001 / 10 of the whole and 0.002 / 20 of the baseline, at a share of 10 %: 10 and 9 times as far.
    low, high = treated_interval((0.01, 100, 0.001), 0.1, (0.005, 400, 0.002))
    reach = 1.959964 * math.hypot(0.0001 * 10, 0.0001 * 9)
    assert [low, high] == pytest.approx([0.055 - reach, 0.055 + reach])
    low, high = treated_interval((0.01, 100, 0.001), 1.0, (0.005, 400, 0.002))
    assert [low, high] == pytest.approx([0.01 - 1.959964e-4, 0.01 + 1.959964e-4])
    with pytest.raises(ValueError, match="observations"):
        treated_interval((0.01, 0, 0.001), 0.1, (0.005, 4, 0.002))
    with pytest.raises(ValueError, match="nobody"):
        treated_interval((0.01, 10, 0.001), 0.0, (0.005, 4, 0.002))


def test_the_interval_covers_what_it_promises() -> None:
    chance, hits, tries = random.Random(4), 0, 1000
    treated, before, share, spread, n = 0.05, 0.02, 0.25, 0.01, 50
    for _ in range(tries):
        whole = chance.gauss(share * treated + (1 - share) * before, spread / math.sqrt(n))
        baseline = chance.gauss(before, spread / math.sqrt(n))
        low, high = treated_interval((whole, n, spread), share, (baseline, n, spread))
        hits += low <= treated <= high
    assert 0.93 < hits / tries < 0.97


def judged_gate(text: str, m: Series, minimum: int = 1, **more: Any) -> Any:
    known = facts(m=m, **more)
    return judge_gate(parse_condition(text), Facts(**{**vars_of(known), "entered": NOW - 900}), minimum=minimum)


def vars_of(known: Facts) -> dict[str, Any]:
    return {name: getattr(known, name) for name in known.__dataclass_fields__}


NOISY = series("ratio", *[0.0055, 0.0065] * 10)


def test_what_the_treated_see_is_shown_with_its_interval() -> None:
    judged = judged_gate("treated(m) < 3%", NOISY)
    assert judged.truth is Truth.TRUE
    # The newest sample alone has no interval; the mean of the bake has.
    assert judged.observed == "now 2 %, bake 1.5 % (1.2..1.8 %)"
    shown = evaluate(parse_condition("avg(m, 10m) < 3%"), facts(m=NOISY)).observed
    assert shown == "0.6 %"
    assert evaluate(parse_condition("treated(avg(m, 10m)) < 3%"), facts(m=NOISY)).observed == "1.5 % (1.2..1.8 %)"
    one = {"baseline": {"m": Reference(0.005)}}
    assert evaluate(parse_condition("treated(avg(m, 10m)) < 3%"), facts(m=NOISY, references=one)).observed == "1.5 %"
    slow = {"references": {"baseline": {"p95": Reference(800, 100, 10)}}, "p95": series("ms", *[805, 815] * 10)}
    assert evaluate(parse_condition("treated(avg(p95, 10m)) < 1s"), facts(**slow)).observed == "900 ms (871 ms..929 ms)"


@pytest.mark.parametrize(
    ("limit", "minimum", "expected"),
    [
        ("3%", 20, TRUE),
        ("3%", 30, TRUE),  # few samples, but the limit lies outside of the interval
        ("1%", 30, FALSE),
        ("1.6%", 30, NODATA),
        ("1.4%", 30, NODATA),
        ("1.6%", 20, TRUE),
        ("1.4%", 20, FALSE),
    ],
)
def test_it_is_open_only_while_samples_are_few_and_the_limit_lies_within(
    limit: str, minimum: int, expected: Any
) -> None:
    condition = parse_condition(f"treated(avg(m, 10m)) < {limit}")
    judged = evaluate(condition, facts(m=NOISY), minimum=minimum)
    assert outcome(judged) == expected
    if expected == NODATA:
        assert judged.message == "m has 20 of 30 samples, and 1.2..1.8 % is open"


def test_without_an_interval_the_smallest_number_of_samples_decides() -> None:
    condition = parse_condition("treated(m) < 50%")
    assert outcome(evaluate(condition, facts(), minimum=5)) == NODATA
    assert outcome(evaluate(condition, facts(), minimum=1)) == TRUE


def test_a_metric_that_covers_the_treated_is_itself() -> None:
    m = series("ratio", *[0.0055, 0.0065] * 10, covers="treated")
    assert evaluate(parse_condition("treated(avg(m, 10m)) < 3%"), facts(m=m, references={})).observed == "0.6 %"
