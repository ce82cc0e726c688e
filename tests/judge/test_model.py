"""The judge against a second, small judge, on conditions, samples and histories that nobody thought of."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from runbook.judge.evaluate import evaluate
from runbook.judge.facts import Facts, Sample, Series
from runbook.judge.gates import judge_gate
from runbook.judge.rules import Rule, RuleState, advance
from runbook.judge.verdicts import Judged, Reason, Truth
from runbook.language.conditions import parse_condition
from tests.judge import model

METRICS = st.sampled_from(["a", "b"])
LIMITS = st.integers(0, 100)
VALUES = st.one_of(
    st.none(), st.just("error"), st.just(15), st.integers(0, 100).map(lambda n: n / 100), st.floats(0, 1, width=16)
)
POINTS = st.tuples(st.integers(1, 4), st.integers(0, 2)).map(lambda pair: (pair[0], sum(pair)))
LEAVES = st.one_of(
    st.tuples(st.just("<"), METRICS, LIMITS),
    st.tuples(st.just("avg<"), METRICS, st.sampled_from([60, 150, 600]), LIMITS),
    st.builds(lambda points, metric, limit: ("points", *points, metric, limit), POINTS, METRICS, LIMITS),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.tuples(st.just("not"), inner), st.tuples(st.sampled_from(["and", "or"]), inner, inner)),
    max_leaves=5,
)
HISTORIES = st.fixed_dictionaries({"a": st.lists(VALUES, max_size=9), "b": st.lists(VALUES, max_size=9)})


def sample(t: float, value: Any) -> Sample:
    return Sample(t, None, "refused") if value == "error" else Sample(t, value)


def facts_of(histories: dict[str, list[Any]], now: float) -> tuple[Facts, model.Samples]:
    """The same history for both judges: a value a minute, from 0."""
    plain = {name: [(60 * i, value) for i, value in enumerate(values)] for name, values in histories.items()}
    series = {
        name: Series("ratio", tuple(sample(float(t), value) for t, value in rows), float(model.INTERVAL))
        for name, rows in plain.items()
    }
    return Facts(now, series), plain


def said(judged: Judged) -> Any:
    return {Truth.TRUE: True, Truth.FALSE: False}.get(judged.truth, str(judged.reason))


@settings(max_examples=500, deadline=None)
@given(CONDITIONS, HISTORIES, st.integers(0, 4))
def test_conditions_come_out_as_the_model_says(condition: Any, histories: dict[str, list[Any]], later: int) -> None:
    now = 60 * (max(0, *(len(values) - 1 for values in histories.values())) + later)
    facts, plain = facts_of({name: values or [None] for name, values in histories.items()}, float(now))
    found = evaluate(parse_condition(model.written(condition)), facts, missing="notBreaching")
    unlooked = later > 2 or len({len(values) or 1 for values in histories.values()}) > 1
    if " in " in model.written(condition) and unlooked:
        return  # points that nobody looked at have tests of their own
    assert said(found) == model.judged(condition, plain, now)


ANSWERS = st.lists(st.sampled_from([True, True, True, False, "nodata", "error"]), max_size=25)


@settings(max_examples=500, deadline=None)
@given(ANSWERS, st.sampled_from([0, 60, 120, 300]), st.sampled_from([0, 60, 150]), st.booleans())
def test_rules_fire_when_the_model_says(answers: list[Any], hold: int, keep: int, rolls_back: bool) -> None:
    rule = Rule(
        "r",
        parse_condition("m > 50%" + (f" for {hold}s" if hold else "")),
        "rollback" if rolls_back else "notify",
        "trigger",
        keep=keep,
    )
    values = {True: 0.9, False: 0.1, "nodata": None, "error": "error"}
    state, fired = RuleState(), []
    for index, answer in enumerate(answers):
        t = float(model.INTERVAL * index)
        facts = Facts(t, {"m": Series("ratio", (sample(t, values[answer]),), float(model.INTERVAL))})
        advanced = advance(rule, facts, state, interval=float(model.INTERVAL))
        assert said(advanced.judged) == answer
        state = advanced.state
        fired.append(advanced.firing)
    assert fired == model.firing(answers, hold, keep, two=rolls_back and not hold)


@settings(max_examples=300, deadline=None)
@given(CONDITIONS, HISTORIES)
def test_a_gate_lets_nothing_through_that_does_not_hold_now(condition: Any, histories: dict[str, list[Any]]) -> None:
    now = float(60 * max(0, *(len(values) - 1 for values in histories.values())))
    facts, _ = facts_of(histories, now)
    parsed = parse_condition(model.written(condition))
    gate = judge_gate(parsed, Facts(now, facts.series, entered=0.0))
    assert not gate.holds or evaluate(parsed, facts).holds


@given(
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.one_of(st.none(), st.just(float("nan")), st.just("error"))
)
def test_a_comparison_with_what_is_unknown_is_unknown(operator: str, value: Any) -> None:
    facts = Facts(0.0, {"m": Series("ratio", (sample(0.0, value),))})
    for text in (f"m {operator} 5%", f"not m {operator} 5%", f"m {operator} m", f"avg(m, 5m) {operator} 5%"):
        judged = evaluate(parse_condition(text), facts)
        assert judged.truth is Truth.UNKNOWN
        assert judged.reason in (Reason.NODATA, Reason.ERROR)
