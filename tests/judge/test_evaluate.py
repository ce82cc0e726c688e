"""Conditions on facts: every form, and what is unknown."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.judge.evaluate import between, evaluate, evaluate_value, joined
from runbook.judge.facts import Facts, Reference, Sample, Series
from runbook.judge.verdicts import Judged, Reason, Truth
from runbook.language.conditions import parse_condition
from tests.judge.samples import ERROR, FALSE, NAN, NODATA, NOW, TRUE, judge, outcome, series

FACTS: dict[str, Any] = {
    "error_rate": series("ratio", 0.01, 0.02, 0.026),
    "p95": series("ms", 800, 850, 901),
    "share": series("ratio", 0.09, 0.1, 0.097),
    "state": series(None, "OK", "HEALTHY"),
    "enabled": series(None, True, False),
    "postgres": series("version", "PostgreSQL 13.10 (Debian)"),
    "requests": series("count", 100, 160, 40, 100),
    "plain": series(None, 5),
    "values": {"percent": 10.0, "daily_cap": 50, "spend": 41.5, "stage": "canary", "stage_age": 3600.0, "none": None},
    "units": {"percent": "percent", "daily_cap": "usd", "spend": "usd", "stage_age": "s"},
    "references": {"baseline": {"p95": Reference(812, 2210, 40), "error_rate": Reference(0.005, 100, 0.001)}},
    "checks": {"ollama": [(NOW - 60, Truth.TRUE), (NOW, Truth.FALSE)], "odd": [(NOW, Truth.UNKNOWN)]},
    "percent": 10.0,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("error_rate < 2.6%", FALSE),
        ("error_rate <= 2.6%", TRUE),
        ("error_rate == 2.6%", TRUE),
        ("error_rate != 0.026", FALSE),
        ("p95 < 901", FALSE),
        ("p95 < 0.902s", TRUE),
        ("p95 > 3%", ERROR),
        ("plain > 4", TRUE),
        ("plain > 4s", ERROR),
        ("spend > 80% * daily_cap", TRUE),
        ("spend > daily_cap * 0.9", FALSE),
        ("spend + $8.50 == daily_cap", TRUE),
        ("spend / daily_cap == 83%", TRUE),
        ("spend / (daily_cap - 50) > 1", NODATA),
        ("-spend < 0", TRUE),
        ("state == HEALTHY", TRUE),
        ('state != "HEALTHY"', FALSE),
        ("state == healthy", FALSE),
        ("state > 5", ERROR),
        ('state < "Z"', ERROR),
        ("stage == canary", TRUE),
        ("enabled == false", TRUE),
        ("enabled > false", ERROR),
        ("enabled == 0", ERROR),
        ("postgres >= 13.9", TRUE),
        ("postgres >= 13.10.1", FALSE),
        ("percent == 10", TRUE),
        ("percent == 10%", TRUE),
        ("stage_age >= 1h", TRUE),
        ("none > 1", NODATA),
        ("unheard_of > 1", NODATA),
        ("avg(error_rate, 1m) == 2.3%", TRUE),
        ("min(p95, 5m) == 800ms and max(p95, 5m) == 901ms", TRUE),
        ("sum(p95, 1m) == 1751", TRUE),
        ("p50(p95, 5m) == 850", TRUE),
        ("count(p95, 30s) == 1", TRUE),
        ("rate(requests, 2m) * 90 > 159.99 and rate(requests, 2m) * 90 < 160.01", TRUE),
        ("rate(p95, 10s) > 1", NODATA),
        ("avg(unheard_of, 5m) > 1", NODATA),
        ("last(error_rate) > 2.5%", TRUE),
        ("error_rate > error_rate@baseline", TRUE),
        ("error_rate > error_rate@canary", NODATA),
        ("p95 increase < 30%", TRUE),
        ("p95 increase > 10%", TRUE),
        ("p95 increase < 30% vs canary", NODATA),
        ("treated(error_rate) > 21.4%", TRUE),
        ("treated(p95) < 1s", FALSE),
        ("share matches percent", TRUE),
        ("share matches percent +- 0.2%", FALSE),
        ("ollama fails", TRUE),
        ("ollama passes", FALSE),
        ("odd fails", ERROR),
        ("unheard_of fails", NODATA),
        ("error_rate > 1% for 30s", TRUE),
        ("error_rate > 1.5% for 1m", FALSE),
        ("error_rate > 1.5% in 2 of 3", TRUE),
        ("error_rate > 2.5% in 2 of 3", FALSE),
        ("not error_rate > 5%", TRUE),
        ("not unheard_of > 1", NODATA),
    ],
)
def test_every_form(text: str, expected: tuple[Truth, Reason | None]) -> None:
    assert outcome(judge(text, **FACTS)) == expected


@pytest.mark.parametrize(
    ("values", "more", "expected"),
    [
        ((), {}, NODATA),
        ((None,), {}, NODATA),
        ((NAN,), {}, NODATA),
        ((float("inf"),), {}, NODATA),
        ((float("-inf"),), {}, NODATA),
        ((OSError("refused"),), {}, ERROR),
        (("0.01",), {}, ERROR),
        ((True,), {}, ERROR),
        ((15,), {}, ERROR),
        ((-0.1,), {}, ERROR),
        ((0.01, None), {}, NODATA),
        ((0.01,), {"min_samples": 2}, NODATA),
        ((0.01, None, 0.01), {"min_samples": 2}, TRUE),
        ((0.01,), {"end": NOW - 90}, TRUE),
        ((0.01,), {"end": NOW - 91}, NODATA),
        ((0.01,), {"end": NOW - 200, "max_age": 300.0}, TRUE),
        ((0.01,), {"end": NOW + 20}, TRUE),
        ((0.01,), {"end": NOW + 40}, ERROR),
    ],
)
def test_what_is_unknown_and_why(values: tuple[Any, ...], more: dict[str, Any], expected: Any) -> None:
    judged = judge("m < 2%", m=series("ratio", *values, **more))
    assert outcome(judged) == expected
    assert (judged.truth is Truth.UNKNOWN) == bool(judged.message)


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">=", "==", "!="])
@pytest.mark.parametrize("value", [None, NAN, float("inf"), OSError("away"), "text", True, 15.0])
def test_what_is_unknown_is_never_true_and_never_false(operator: str, value: Any) -> None:
    for text in (f"m {operator} 2%", f"not m {operator} 2%", f"2% {operator} m", f"m * 2 {operator} 2%"):
        assert judge(text, m=series("ratio", value)).truth is Truth.UNKNOWN


def test_what_is_shown() -> None:
    judged = judge("error_rate < 2%", **FACTS)
    assert (judged.observed, judged.limit, judged.value, judged.n, judged.age) == ("2.6 %", "< 2 %", 0.026, 1, 0.0)
    assert judge("p95 increase < 30%", **FACTS).observed.startswith("+11 % (")
    assert judge("p95 increase < 30%", **FACTS).message == "baseline 812 ms, n 2,210"
    both = judge("error_rate < 1% and p95 < 100ms", **FACTS)
    assert (both.observed, both.limit) == ("error_rate 2.6 %, p95 901 ms", "< 1 %, < 100 ms")
    assert judge("p95 > 3%", **FACTS).message == "p95 > 3%: these units cannot be compared"


def test_a_metric_that_cannot_be_read_while_the_service_is_down_says_so() -> None:
    judged = judge("m < 2%", m=series("ratio", OSError("refused")), service_down=True)
    assert judged.message == "service down: refused"


TRUTHS = {"t": Judged(Truth.TRUE), "f": Judged(Truth.FALSE)}
TRUTHS |= {"n": Judged(Truth.UNKNOWN, Reason.NODATA), "e": Judged(Truth.UNKNOWN, Reason.ERROR)}


@pytest.mark.parametrize(
    ("parts", "every", "one_of"),
    [
        ("tt", TRUE, TRUE),
        ("tf", FALSE, TRUE),
        ("ff", FALSE, FALSE),
        ("tn", NODATA, TRUE),
        ("fn", FALSE, NODATA),
        ("ne", ERROR, ERROR),
        ("nne", ERROR, ERROR),
        ("fne", FALSE, ERROR),
        ("", NODATA, NODATA),
    ],
)
def test_three_valued_logic(parts: str, every: Any, one_of: Any) -> None:
    for order in (parts, parts[::-1]):
        assert outcome(joined([TRUTHS[part] for part in order], every=True)) == every
        assert outcome(joined([TRUTHS[part] for part in order], every=False)) == one_of


@pytest.mark.parametrize(
    ("passing", "failing", "expected"),
    [
        ("t", "f", TRUE),
        ("f", "t", FALSE),
        ("t", "t", FALSE),
        ("f", "f", (Truth.UNKNOWN, Reason.INCONCLUSIVE)),
        ("t", "", TRUE),
        ("f", "", FALSE),
        ("", "f", TRUE),
        ("", "t", FALSE),
        ("t", "n", NODATA),
        ("n", "f", NODATA),
        ("n", "e", ERROR),
        ("e", "t", FALSE),
        ("", "", NODATA),
    ],
)
def test_success_and_failure_given_apart(passing: str, failing: str, expected: Any) -> None:
    assert outcome(between(TRUTHS.get(passing), TRUTHS.get(failing))) == expected


def test_windows_are_scaled_where_time_is_shortened() -> None:
    m = series("ratio", 0.5, 0.01, step=1.0)
    assert judge("avg(m, 1000s) < 2%", m=m, scale=0.001).truth is Truth.TRUE
    assert judge("avg(m, 1000s) < 2%", m=m).truth is Truth.FALSE
    aged = judge("stage_age >= 1h", values={"stage_age": 3.6}, units={"stage_age": "s"}, scale=0.001)
    assert aged.truth is Truth.TRUE


def test_a_share_matches_by_the_requests_behind_it() -> None:
    def shares(n: int) -> Series:
        return Series("ratio", (Sample(NOW, 0.08, n=n),))

    assert judge("m matches percent", m=shares(100), percent=10).truth is Truth.TRUE
    judged = judge("m matches percent", m=shares(100_000), percent=10)
    assert (judged.truth, judged.n) == (Truth.FALSE, 100_000)
    assert outcome(judge("m matches percent", m=shares(100))) == NODATA


def test_an_increase_is_open_only_while_samples_are_few_and_the_limit_lies_within_the_interval() -> None:
    reference = {"baseline": {"m": Reference(100, 50, 10)}}
    near, far = series("ms", 125), series("ms", 400)
    condition = parse_condition("m increase < 30%")
    for m, expected in ((near, NODATA), (far, FALSE)):
        assert outcome(evaluate(condition, Facts(NOW, {"m": m}, references=reference), minimum=5)) == expected
    assert outcome(evaluate(condition, Facts(NOW, {"m": near}, references=reference), minimum=1)) == TRUE
    zero = {"baseline": {"m": Reference(0, 50, 0)}}
    assert outcome(evaluate(condition, Facts(NOW, {"m": near}, references=zero))) == NODATA


def test_treated() -> None:
    m = series("ratio", 0.02)
    reference = {"baseline": {"m": Reference(0.005)}}
    judged = judge("treated(m) < 2%", m=m, percent=10.0, references=reference)
    assert judged.value == pytest.approx(0.155)
    treated_already = Series("ratio", m.samples, covers="treated")
    assert judge("treated(m) <= 2%", m=treated_already, percent=10.0).truth is Truth.TRUE
    assert outcome(judge("treated(m) < 2%", m=m, percent=0.0, references=reference)) == NODATA


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("== 2", 2, TRUE),
        ("== 2", "2", TRUE),
        ("== 2", " 2\n", TRUE),
        ("< 0.5", "0.07", ERROR),
        ("== 2", [1, 2], ERROR),
        ("== 2", [], NODATA),
        ("== 2", {}, NODATA),
        ("== 2", {"a": 2}, ERROR),
        ("== 2", None, NODATA),
        ("== 2", NAN, NODATA),
        ("== 2", True, ERROR),
        ("== true", True, TRUE),
        ("== true", "True", TRUE),
        ("== true", "yes", ERROR),
        ("== ok", "ok", TRUE),
        ("!= ok", "ok", FALSE),
        (">= 1 and <= 5", 3, TRUE),
        (">= 13.0", "14.9 (Debian)", TRUE),
        (">= 13.0", "13.4", TRUE),
        (">= 13.9", "13.10", ERROR),
        (">= 13.0.1", "13.10", TRUE),
        ("< 5%", 0.01, TRUE),
        ("< 3s", 1, ERROR),
        ("> $40", 41, TRUE),
        ("== 9007199254740993", 9007199254740993, TRUE),
        ("== 9007199254740993", 9007199254740992, FALSE),
        ("== 0.3", 0.1 + 0.2, FALSE),
    ],
)
def test_values_that_checks_took_out(text: str, value: Any, expected: Any) -> None:
    assert outcome(evaluate_value(parse_condition(text, "value"), {"value": value})) == expected


def test_several_values_and_their_units() -> None:
    condition = parse_condition("p95 < 3s and errors < 1%", "value")
    judged = evaluate_value(condition, {"p95": 901, "errors": 0.002}, units={"p95": "ms", "errors": "ratio"})
    assert (judged.truth, judged.observed) == (Truth.TRUE, "p95 901 ms, errors 0.2 %")
    assert evaluate_value(parse_condition("< 3s", "value"), {"value": 901}, "ms").observed == "901 ms"
