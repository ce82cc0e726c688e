"""Gates: now and over the bake, and policies for what is unknown."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.judge.facts import Facts, Reference, Sample, Series
from runbook.judge.gates import judge_gate
from runbook.judge.verdicts import Judged, Reason, Truth
from runbook.language.conditions import parse_condition
from tests.judge.samples import ERROR, FALSE, NODATA, NOW, TRUE, facts_of, outcome, series


def gate(
    text: str, *, on_nodata: str = "hold", on_error: str = "hold", minimum: int | None = None, **facts: Any
) -> Judged:
    facts.setdefault("entered", NOW - 600)
    known = facts_of(**facts)
    return judge_gate(parse_condition(text), known, on_nodata=on_nodata, on_error=on_error, minimum=minimum)


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("m < 2%", (0.01, 0.01, 0.01), TRUE),
        ("m < 2%", (0.01, 0.01, 0.026), FALSE),  # now it does not hold
        ("m < 2%", (0.09, 0.09, 0.01), FALSE),  # one good minute after a bad bake is not a go
        ("last(m) < 2%", (0.09, 0.09, 0.01), TRUE),
        ("avg(m, 1m) < 6%", (0.5, 0.09, 0.01), TRUE),  # a written window means what it says
        ("m < 2% in 1 of 3", (0.09, 0.09, 0.01), TRUE),
        ("m < 2% for 30s", (0.09, 0.01, 0.01), TRUE),
        ("m > 2%", (0.01, 0.01, 0.9), TRUE),
        ("not m > 2%", (0.09, 0.09, 0.01), FALSE),
        ("m < 2% or m > 50%", (0.09, 0.09, 0.01), FALSE),
        ("m < 2%", (0.01, None, OSError("away"), 0.01), TRUE),  # what is no number is not in the mean
        ("m < 2%", (0.01, 0.01, None), NODATA),
        ("m < 2%", (0.01, 0.01, OSError("away")), ERROR),
        ("m < 2%", (0.5, 0.5, OSError("away")), FALSE),  # the bake alone says no already
        ("m < 2%", (), NODATA),
    ],
)
def test_a_gate_holds_now_and_over_the_bake(text: str, values: tuple[Any, ...], expected: Any) -> None:
    assert outcome(gate(text, m=series("ratio", *values))) == expected


def test_both_numbers_are_shown() -> None:
    judged = gate("error_rate < 2%", error_rate=series("ratio", 0.002, 0.005, 0.026))
    assert (judged.observed, judged.limit) == ("now 2.6 %, bake 1.1 %", "< 2 %")
    assert (judged.value, judged.n, judged.age) == (0.026, 3, 0.0)


def test_only_what_was_seen_since_the_step_was_entered_is_in_the_mean() -> None:
    m = series("ratio", 0.9, 0.9, 0.01, 0.01)
    assert gate("m < 2%", m=m, entered=NOW - 45).truth is Truth.TRUE
    assert gate("m < 2%", m=m, entered=NOW - 30).n == 2
    assert gate("m < 2%", m=m, entered=NOW - 60).truth is Truth.FALSE
    assert outcome(gate("m < 2%", m=m, entered=NOW + 5)) == NODATA
    assert gate("m < 2%", m=m, entered=None).observed == "1 %"


def test_the_mean_is_exact() -> None:
    assert gate("m <= 0.3", m=series("score", 0.1, 0.2, 0.6, 0.3)).truth is Truth.TRUE


def test_text_counters_and_what_is_built_in_are_judged_now() -> None:
    assert gate("state == OK", state=series(None, "BAD", "OK")).observed == "OK"
    assert gate("complaints > 10", values={"complaints": 11}).observed == "11"
    assert gate("percent == 10", values={"percent": 10.0}, units={"percent": "percent"}).observed == "10 %"


def test_the_smallest_number_of_samples_counts_what_was_seen_in_the_bake() -> None:
    m = series("ratio", *[0.01] * 10)
    assert gate("m < 2%", m=m, minimum=10).truth is Truth.TRUE
    judged = gate("m < 2%", m=m, minimum=10, entered=NOW - 100)
    assert (outcome(judged), judged.message) == (NODATA, "m has 4 of 10 samples")


@pytest.mark.parametrize(
    ("newest", "policy", "expected"),
    [
        (None, {"on_nodata": "hold"}, NODATA),
        (None, {"on_nodata": "fail"}, (Truth.FALSE, Reason.NODATA)),
        (None, {"on_nodata": "pass"}, (Truth.TRUE, Reason.NODATA)),
        (None, {"on_nodata": "keep"}, (Truth.TRUE, Reason.NODATA)),
        (None, {"on_error": "fail"}, NODATA),
        (OSError("away"), {"on_error": "hold"}, ERROR),
        (OSError("away"), {"on_error": "fail"}, (Truth.FALSE, Reason.ERROR)),
        (OSError("away"), {"on_error": "pass"}, (Truth.TRUE, Reason.ERROR)),
        (OSError("away"), {"on_error": "keep"}, (Truth.TRUE, Reason.ERROR)),
        (OSError("away"), {"on_nodata": "pass"}, ERROR),
    ],
)
def test_policies_for_what_is_unknown(newest: Any, policy: dict[str, Any], expected: Any) -> None:
    judged = gate("m < 2%", m=series("ratio", 0.01, 0.01, newest), **policy)
    assert outcome(judged) == expected
    assert judged.message


def test_keep_shows_how_old_the_kept_outcome_is_and_holds_without_one() -> None:
    kept = gate("last(m) < 2%", m=series("ratio", 0.01, 0.5, None), on_nodata="keep")
    assert (kept.truth, kept.age) == (Truth.FALSE, 30.0)
    assert "30 s old" in kept.message
    assert outcome(gate("m < 2%", m=series("ratio", None, None), on_nodata="keep")) == NODATA


def test_increase_and_agreement_are_judged_on_the_bake_too() -> None:
    reference = {"baseline": {"p95": Reference(800, 500, 40)}}
    worse = gate("p95 increase < 30%", p95=series("ms", 1600, 1600, 810), references=reference)
    assert worse.truth is Truth.FALSE
    assert worse.observed.startswith("now +1.2 % (")
    share = Series("ratio", tuple(Sample(NOW - 60 + 30 * i, 0.2, n=1000) for i in range(3)))
    assert gate("share matches percent", share=share, percent=10.0).truth is Truth.FALSE


def test_gates_over_nothing_known_are_unknown() -> None:
    assert outcome(judge_gate(parse_condition("a < 1 and b < 2"), Facts(NOW))) == NODATA
