"""What stands beside a number: intervals, what they rest on, and when too little was seen to decide."""

from __future__ import annotations

import math

import pytest

from runbook.judge.evaluate import evaluate
from runbook.judge.facts import Facts, Reference, Sample, Series
from runbook.judge.gates import judge_gate
from runbook.judge.statistics import binomial_interval
from runbook.judge.verdicts import Judged, Truth
from runbook.language.conditions import parse_condition
from tests.judge.samples import FALSE, NODATA, NOW, TRUE, facts_of, judge, outcome, series


def shares(*samples: tuple[float, int | None]) -> Series:
    """Shares with the requests behind each, 30 s apart."""
    first = NOW - 30 * (len(samples) - 1)
    return Series("ratio", tuple(Sample(first + 30 * index, value, n=n) for index, (value, n) in enumerate(samples)))


def agreement(m: Series, percent: float = 10, text: str = "m matches percent") -> Judged:
    return judge(text, m=m, percent=percent)


def test_agreement_shows_the_share_and_its_interval() -> None:
    judged = agreement(shares((0.097, 7900)))
    assert (judged.truth, judged.observed, judged.limit) == (Truth.TRUE, "9.7 % (8.9..10.6)", "matches 10 %")
    assert (judged.value, judged.n) == (0.097, 7900)
    low, high = binomial_interval(0.097, 7900, 0.99)
    assert (round(low * 100, 1), round(high * 100, 1)) == (8.9, 10.6)


@pytest.mark.parametrize(
    ("share", "n", "shown"),
    [
        (0.0, 1000, "0 % (0..0.66)"),
        (1.0, 10, "100 % (60.1..100)"),
        (0.001, 100_000, "0.1 % (0.08..0.13)"),
        (0.5, 10**9, "50 % (49.996..50.004)"),
    ],
)
def test_both_ends_have_as_many_decimals_and_differ(share: float, n: int, shown: str) -> None:
    assert agreement(shares((share, n))).observed == shown


def test_agreement_holds_exactly_while_the_percentage_lies_within_the_interval() -> None:
    for n in (50, 500, 5000, 50_000):
        low, high = binomial_interval(0.08, n, 0.99)
        assert agreement(shares((0.08, n)), percent=high * 100 - 0.01).holds
        assert not agreement(shares((0.08, n)), percent=high * 100 + 0.01).holds
        assert agreement(shares((0.08, n)), percent=low * 100 + 0.01).holds
        assert not agreement(shares((0.08, n)), percent=low * 100 - 0.01).holds


def test_the_interval_rests_on_the_newest_requests_and_of_a_mean_on_all() -> None:
    m = shares((0.09, 1000), (0.09, 2000), (0.09, 3000))
    assert agreement(m).n == 3000
    assert agreement(m, text="avg(m, 5m) matches percent").n == 6000
    known = Facts(NOW, {"m": m}, percent=10.0, entered=NOW - 600)
    gate = judge_gate(parse_condition("m matches percent"), known)
    assert (gate.n, gate.observed) == (6000, "now 9 % (7.7..10.4), bake 9 % (8.1..10)")


def test_without_requests_the_samples_count() -> None:
    assert agreement(shares((0.09, None), (0.09, None)), text="avg(m, 5m) matches percent").n == 2
    assert agreement(shares((0.09, 1000), (0.09, None)), text="avg(m, 5m) matches percent").n == 2


def test_a_share_of_no_requests_is_no_share() -> None:
    judged = agreement(shares((0.1, 0)))
    assert outcome(judged) == NODATA
    assert "no requests" in judged.message
    assert outcome(agreement(shares((0.1, 0)), text="m matches percent +- 3%")) == NODATA


def test_the_smallest_number_of_an_increase_counts_what_was_seen_in_the_bake() -> None:
    reference = {"baseline": {"p95": Reference(100, 50, 10)}}
    p95 = series("ms", *[125.0] * 20)
    condition = parse_condition("p95 increase < 30%")
    known = facts_of(p95=p95, references=reference, entered=NOW - 600)
    assert outcome(judge_gate(condition, known, minimum=20)) == TRUE
    assert outcome(judge_gate(condition, known, minimum=21)) == NODATA
    late = facts_of(p95=p95, references=reference, entered=NOW - 60)
    judged = evaluate(condition, late, minimum=20)
    assert outcome(judged) == NODATA
    assert judged.message.startswith("p95 has 3 of 20 samples, and 5.1..45 % is open")
    windowed = parse_condition("avg(p95, 2m) increase < 30%")
    spread = facts_of(p95=series("ms", *[105.0, 145.0] * 10), references=reference, entered=NOW - 600)
    assert evaluate(windowed, spread, minimum=5).message.startswith("p95 has 4 of 5 samples")
    assert outcome(evaluate(windowed, spread, minimum=4)) == TRUE


def test_what_the_treated_see_is_refused_as_the_whole_is() -> None:
    reference = {"baseline": {"m": Reference(0.005, 100, 0.001)}}
    for m, expected in ((series("ratio", 0.01, None), NODATA), (series("ratio", 0.01, 0.5), FALSE)):
        assert outcome(judge("treated(m) < 2%", m=m, percent=10, references=reference)) == expected
    stale = series("ratio", *[0.006] * 5, end=NOW - 3600)
    assert outcome(judge("treated(m) < 2%", m=stale, percent=10, references=reference)) == NODATA
    for facts in ({"percent": 10}, {"percent": 0, "references": reference}, {"references": reference}):
        m = series("ratio", *[0.006] * 5)
        assert outcome(judge("treated(avg(m, 5m)) < 2%", m=m, **facts)) == NODATA


def test_the_interval_of_the_treated_where_the_source_says_percent() -> None:
    reference = {"baseline": {"m": Reference(0.5, 100, 0.1)}}
    m = series("percent", *[0.55, 0.65] * 5)
    judged = judge("treated(avg(m, 10m)) < 1.6%", m=m, percent=10, references=reference)
    assert judged.value is not None
    assert math.isclose(float(judged.value), 1.5)
    assert judged.observed == "1.5 % (1.1..1.9 %)"
    condition = parse_condition("treated(avg(m, 10m)) < 1.6%")
    known = facts_of(m=m, percent=10.0, references=reference)
    assert outcome(evaluate(condition, known, minimum=11)) == NODATA
    assert outcome(evaluate(parse_condition("treated(avg(m, 10m)) < 3%"), known, minimum=11)) == TRUE


def test_an_interval_of_no_width_is_short() -> None:
    reference = {"baseline": {"m": Reference(0.002, 10, 0.0)}}
    m = series("ratio", *[0.002] * 5)
    judged = judge("treated(avg(m, 5m)) < 5%", m=m, percent=10, references=reference)
    assert judged.observed == "0.2 % (0.20..0.20 %)"
