"""Which outcomes a condition can have: found on both sides of its limits, within what a unit allows."""

from __future__ import annotations

import pytest

from runbook.judge.reachable import BOTH, Domain, reached
from runbook.judge.verdicts import Truth
from runbook.language.conditions import parse_condition

DOMAINS = {
    "errors": Domain("ratio", measured=True),
    "share": Domain("percent", measured=True),
    "p95": Domain("ms", measured=True),
    "p50": Domain("ms", measured=True),
    "score": Domain("score", measured=True),
    "spend": Domain("usd", measured=True),
    "cap": Domain("usd", fixed=(50.0,)),
    "complaints": Domain("count"),
    "postgres": Domain("version", measured=True),
    "state": Domain(measured=True),
    "seen": Domain("ratio", measured=True, covers="treated"),
    "percent": Domain("percent", fixed=(0.0, 10.0, 50.0)),
    "stage": Domain("text", fixed=("canary", "full")),
}
ALL, NONE = {Truth.TRUE}, {Truth.FALSE}
EITHER = [
    "errors < 2%", "errors > 5% for 5m", "errors > 5% in 3 of 5", "share > 50%", "p95 < 3s", "p95 < 3500ms",
    "p95 increase < 30%", "errors increase < 30% vs canary", "errors < errors@baseline * 1.25", "p95 <= p95@canary",
    "treated(errors) < 5%", "treated(seen) < 5%", "errors matches percent", "errors matches percent +- 3%",
    "avg(errors, 7d) < 1%", "max(p95, 1h) < 2s", "last(errors) < 2%", "spend > 80% * cap", "spend > cap", "p95 < p50",
    "p95 - p50 < 2s", "score > 0.6", "score < -1", "complaints > 10", "complaints == 0", "postgres >= 13.0",
    "state == HEALTHY", 'state != "on fire"', "state == true", "health fails for 1m", "health passes and errors < 2%",
    "percent > 10", "stage == full", "errors < 1% and p95 < 2s and score > 0.3", "errors > 5% or p95 > 7s",
    "not (errors > 5%)", "errors == 0",
]  # fmt: skip
ALWAYS = [
    "errors >= 0", "errors <= 100%", "share <= 100%", "share >= 0", "p95 >= 0", "not (p95 < 0ms)", "complaints >= 0",
    "spend > -$1", "errors < 1% or errors >= 1%", "percent <= 100", "stage == canary or stage == full",
    "errors * 100 < 200",
]  # fmt: skip
NEVER = [
    "errors < 0", "p95 < 0", "complaints < 0", "errors < 1% and errors > 2%", "percent > 75",
    "share > 99.9% and share < 1%", "cap > $60",
]  # fmt: skip


@pytest.mark.parametrize("text", EITHER)
def test_both_outcomes_are_found(text: str) -> None:
    assert reached(parse_condition(text), DOMAINS, (10.0, 50.0)) == BOTH


@pytest.mark.parametrize("text", ALWAYS)
def test_what_always_holds_is_found(text: str) -> None:
    assert reached(parse_condition(text), DOMAINS, (10.0, 50.0)) == ALL


@pytest.mark.parametrize("text", NEVER)
def test_what_never_holds_is_found(text: str) -> None:
    assert reached(parse_condition(text), DOMAINS, (10.0, 50.0)) == NONE


@pytest.mark.parametrize("text", ["count(errors, 5m) > 3", "rate(complaints, 5m) > 1", "unheard > 5"])
def test_what_cannot_be_searched_is_not_accused(text: str) -> None:
    assert reached(parse_condition(text), DOMAINS) == frozenset()


def test_the_range_of_a_unit_is_kept() -> None:
    """150 % of a ratio does not exist, and 150 ms do."""
    assert reached(parse_condition("value > 1.5", "value"), {"value": Domain("ratio")}) == NONE
    assert reached(parse_condition("value > 1.5", "value"), {"value": Domain("s")}) == BOTH
    assert reached(parse_condition("value > 1.5", "value"), {"value": Domain(most=1.0)}) == NONE
