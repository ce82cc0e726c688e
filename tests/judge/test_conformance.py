"""What other systems' own test suites say, where we mean the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runbook.judge.evaluate import evaluate
from runbook.judge.facts import Facts, Sample, Series
from runbook.judge.rules import Rule, RuleState, advance
from runbook.judge.verdicts import Reason, Truth
from runbook.language.conditions import parse_condition
from tests.places import SHARED, shared


def rows(name: str) -> list[dict[str, Any]]:
    path = SHARED / "conformance" / name
    return json.loads(path.read_text()) if path.exists() else []


def require(name: str) -> None:
    """Skips, saying so, where the data is absent: without it the tests below have no rows."""
    shared(f"conformance/{name}")


@pytest.mark.parametrize("name", ["prometheus_for.json", "prometheus_restart.json", "cloudwatch_m_of_n.json"])
def test_the_rows_are_there(name: str) -> None:
    require(name)
    assert rows(name)


def written(hold: float) -> str:
    return f" for {hold}s" if hold else ""


@pytest.mark.parametrize("row", rows("prometheus_for.json"), ids=lambda row: row["id"])
def test_prometheus_for(row: dict[str, Any]) -> None:
    times, values = row["eval_times_s"], row["values"]
    operator, threshold = row["operator"] or ">=", 0 if row["threshold"] is None else row["threshold"]
    when = parse_condition(f"m {operator} {threshold}{written(row['hold_s'])}")
    rule = Rule("r", when, "notify", "alert", keep=row["keep_firing_s"])
    interval = times[1] - times[0]
    state, asserted = RuleState(), 0
    for t, value, expected in zip(times, values, row["expected_states"], strict=True):
        facts = Facts(float(t), {"m": Series(None, (Sample(float(t), value),), interval)})
        advanced = advance(rule, facts, state, interval=interval)
        state = advanced.state
        if expected is None:
            continue
        found = "firing" if advanced.firing else "pending" if advanced.pending else "inactive"
        # promtool's rows list only what fires at time 0, so that `not_firing` is pending or inactive.
        assert found in (("pending", "inactive") if expected == "not_firing" else (expected,)), t
        asserted += 1
    assert asserted


@pytest.mark.parametrize("row", rows("prometheus_restart.json"), ids=lambda row: row["id"])
def test_prometheus_restart(row: dict[str, Any]) -> None:
    """The same since-times after a restart, up to our ten minutes.

    Prometheus bears outages up to 30 minutes by default and gives ten minutes of grace; JUDGE's numbers are ten minutes
    and one interval. Rows with a longer outage are therefore expected to start anew.
    """
    interval = float(row["sample_step_s"])
    rule = Rule(
        "r", parse_condition(f"m {row['operator']} {row['threshold']}{written(row['hold_s'])}"), "notify", "alert"
    )
    for expected in row["expected_active"]:
        values = row["series"][expected["series"]]

        def at(t: float, values: list[float] = values) -> Facts:
            return Facts(t, {"m": Series(None, (Sample(t, values[int(t // interval)]),), interval)})

        state = RuleState()
        for t in row["evals_before_down_s"]:
            state = advance(rule, at(float(t)), state, interval=interval).state
        assert state.since == expected.get("active_since_before_s", state.since)
        now = float(row["restore_eval_s"])
        # A query offset moves what is asked for, not when the rule runs: the sample is the one of the last step.
        after = advance(rule, at(now), state, interval=interval, restarted=True)
        if now - row["evals_before_down_s"][-1] > 600:
            assert after.state.since in (now, expected["active_since_after_restore_s"])
        else:
            assert after.state.since == expected["active_since_after_restore_s"]


STATES = {"alarm": (Truth.TRUE, None), "ok": (Truth.FALSE, None), "insufficient_data": (Truth.UNKNOWN, Reason.NODATA)}


@pytest.mark.parametrize("row", rows("cloudwatch_m_of_n.json"), ids=lambda row: row["id"])
def test_cloudwatch_m_of_n(row: dict[str, Any]) -> None:
    samples = tuple(Sample(60.0 * index, value) for index, value in enumerate(row["values"]))
    now = samples[-1].t
    condition = parse_condition(f"m {row['operator']} {row['threshold']} in {row['m']} of {row['n']}")
    judged = evaluate(condition, Facts(now, {"m": Series(None, samples, 60.0)}), missing=row["treat_missing"])
    if row["treat_missing"] == "ignore" and row["expected"] == row["initial_state"] and judged.truth is Truth.UNKNOWN:
        # `ignore` keeps the state before; the pure evaluation says unknown, and the rule keeps what it last knew.
        assert judged.reason is Reason.NODATA
    else:
        assert (judged.truth, judged.reason) == STATES[row["expected"]]


@pytest.mark.parametrize(
    "row", [r for r in rows("cloudwatch_m_of_n.json") if r["treat_missing"] == "ignore"], ids=lambda r: r["id"]
)
def test_cloudwatch_ignore_keeps_the_state(row: dict[str, Any]) -> None:
    condition = parse_condition(f"m {row['operator']} {row['threshold']} in {row['m']} of {row['n']}")
    rule = Rule("r", condition, "notify", "alert", on_nodata="keep")
    last = {"alarm": True, "ok": False, "insufficient_data": None}[row["initial_state"]]
    samples = tuple(Sample(60.0 * index, value) for index, value in enumerate(row["values"]))
    now = samples[-1].t
    state = RuleState(last=last, last_at=None if last is None else now - 60)
    advanced = advance(rule, Facts(now, {"m": Series(None, samples, 60.0)}), state, interval=60.0)
    assert advanced.judged.truth is STATES[row["expected"]][0]


# The table of "Configuring how CloudWatch alarms treat missing data", newest last: - is missing, 0 ok, X breaching.
AWS_TABLE = [
    ("0-X-X", 3, 3, "OK OK OK OK"),
    ("0----", 3, 3, "OK OK OK OK"),
    ("-----", 3, 3, "INSUFFICIENT KEEP ALARM OK"),
    ("0XX-X", 3, 3, "ALARM ALARM ALARM ALARM"),
    ("--X--", 3, 3, "ALARM KEEP ALARM OK"),
    ("0-X-X", 2, 3, "ALARM ALARM ALARM ALARM"),
    ("00X-X", 2, 3, "ALARM ALARM ALARM ALARM"),
    ("0-X--", 2, 3, "OK OK ALARM OK"),
    ("----0", 2, 3, "OK OK ALARM OK"),
    ("---X-", 2, 3, "ALARM KEEP ALARM OK"),
]


@pytest.mark.parametrize(("pattern", "m", "n", "states"), AWS_TABLE)
def test_the_table_of_aws(pattern: str, m: int, n: int, states: str) -> None:
    values = {"-": None, "0": 0.0, "X": 1.0}
    samples = tuple(Sample(60.0 * index, values[letter]) for index, letter in enumerate(pattern))
    condition = parse_condition(f"m > 0 in {m} of {n}")
    facts = Facts(240.0, {"m": Series(None, samples, 60.0)})
    found = []
    for missing in ("missing", "ignore", "breaching", "notBreaching"):
        truth = evaluate(condition, facts, missing=missing).truth
        unknown = "KEEP" if missing == "ignore" else "INSUFFICIENT"
        found.append({Truth.TRUE: "ALARM", Truth.FALSE: "OK", Truth.UNKNOWN: unknown}[truth])
    assert " ".join(found) == states


def test_points_that_are_errors_are_never_filled_in() -> None:
    samples = (Sample(0, 1.0), *(Sample(60.0 * i, None, "refused") for i in range(1, 5)))
    facts = Facts(240.0, {"m": Series(None, samples, 60.0)})
    for missing in ("missing", "ignore", "breaching", "notBreaching"):
        judged = evaluate(parse_condition("m > 0 in 2 of 3"), facts, missing=missing)
        assert (judged.truth, judged.reason) == (Truth.UNKNOWN, Reason.ERROR)
    twice = Facts(240.0, {"m": Series(None, (Sample(0, 1.0), Sample(60, 1.0), *samples[2:]), 60.0)})
    assert evaluate(parse_condition("m > 0 in 2 of 3"), twice).truth is Truth.TRUE


def test_points_where_nobody_looked_are_missing_points() -> None:
    samples = (Sample(0, 1.0), Sample(60, 1.0), Sample(6000, 0.0))
    facts = Facts(6000.0, {"m": Series(None, samples, 60.0)})
    assert evaluate(parse_condition("m > 0 in 2 of 3"), facts).truth is Truth.FALSE
    looked = Facts(6000.0, {"m": Series(None, (Sample(5880, 1.0), Sample(5940, 1.0), Sample(6000, 0.0)), 60.0)})
    assert evaluate(parse_condition("m > 0 in 2 of 3"), looked).truth is Truth.TRUE
