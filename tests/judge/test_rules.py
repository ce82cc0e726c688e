"""Rules over time: for, keep, holes, restarts, two in a row, policies, and which rule acts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from runbook.judge.facts import Facts, Sample, Series
from runbook.judge.rules import ACTIONS, Advanced, Rule, RuleState, advance, choose
from runbook.judge.verdicts import Reason, Truth
from runbook.language.conditions import parse_condition


def rule(when: str, then: str = "notify", **more: Any) -> Rule:
    return Rule("r", parse_condition(when), then, "trigger", **more)


def run(one: Rule, points: list[tuple[float, Any]], interval: float = 60.0, **facts: Any) -> list[Advanced]:
    """The rule at each point, on all samples up to it; an exception stands for a source that could not be asked."""
    state, seen = RuleState(), list[Advanced]()
    samples: tuple[Sample, ...] = ()
    for t, value in points:
        new = Sample(t, None, str(value)) if isinstance(value, Exception) else Sample(t, value)
        samples = (*samples, new)
        known = Facts(t, {"m": Series("ratio", samples, interval)}, **facts)
        advanced = advance(one, known, state, interval=interval)
        # Between evaluations the state lies in the store: it must survive being written.
        state = msgspec.json.decode(msgspec.json.encode(advanced.state), type=RuleState)
        assert state == advanced.state
        seen.append(advanced)
    return seen


def letters(seen: list[Advanced]) -> str:
    """F firing, h held by keep, p pending, . quiet."""
    return "".join("h" if one.held else "F" if one.firing else "p" if one.pending else "." for one in seen)


def every_minute(values: str) -> list[tuple[float, Any]]:
    """One letter a minute: x bad, o good, ? no data, ! error, _ nobody looks."""
    meaning = {"x": 0.9, "o": 0.01, "?": None, "!": OSError("away")}
    return [(60.0 * minute, meaning[letter]) for minute, letter in enumerate(values) if letter != "_"]


@pytest.mark.parametrize(
    ("when", "keep", "values", "expected"),
    [
        ("m > 5%", 0, "oxxo", ".FF."),
        ("m > 5% for 2m", 0, "xxxxo", "ppFF."),
        ("m > 5% for 2m", 0, "xxoxxx", "pp.ppF"),
        ("m > 5% for 2m", 0, "xx?xx", "pppFF"),  # unknown neither resets nor fires
        ("m > 5% for 3m", 0, "xx?xx", "pppFF"),
        ("m > 5% for 3m", 0, "xx??xxxx", "pppppppF"),  # three intervals between what is known: a hole, anew
        ("m > 5% for 3m", 0, "xx!!xxxx", "pppppppF"),
        ("m > 5% for 1m", 0, "xx?!?", "pFFFF"),  # unknown does not end it either
        ("m > 5% for 1m", 120, "xxooxoooo", "pFhhFhh.."),
        ("m > 5%", 60, "xoxoo", "FhFh."),
        ("m > 5% in 2 of 3", 0, "xoxoox", "..F..."),
        ("m > 5% in 2 of 3", 0, "oox?xo", "....FF"),
        ("not m < 5% for 1m", 0, "xxo", "pF."),
        ("m > 5% for 1m or m > 95% for 5m", 0, "xxo", ".F."),
    ],
)
def test_a_rule_over_time(when: str, keep: float, values: str, expected: str) -> None:
    assert letters(run(rule(when, keep=keep), every_minute(values))) == expected


def test_a_pending_rule_says_how_long_it_has_left() -> None:
    seen = run(rule("m > 5% for 5m"), every_minute("xxx"))
    assert [one.due_in for one in seen] == [300, 240, 180]
    assert seen[2].state.since == 0
    assert seen[2].judged.truth is Truth.TRUE


def test_absence_of_the_watcher_does_not_count_and_leaves_what_had_elapsed() -> None:
    seen = run(rule("m > 5% for 5m"), every_minute("xxx______xxxx"))
    # Two minutes had elapsed before six minutes nobody looked; the other three are waited for.
    assert letters(seen) == "pppppp" + "F"
    assert [one.due_in for one in seen[3:6]] == [180, 120, 60]


def test_after_ten_minutes_of_absence_it_starts_anew() -> None:
    seen = run(rule("m > 5% for 2m"), every_minute("xx" + "_" * 11 + "xxx"))
    assert letters(seen) == "ppppF"


@pytest.mark.parametrize(("absent", "left"), [(600.0, 60.0), (601.0, 120.0)])
def test_ten_minutes_of_absence_are_the_longest(absent: float, left: float) -> None:
    seen = run(rule("m > 5% for 2m"), [(0.0, 0.9), (60.0, 0.9), (60.0 + absent, 0.9)])
    assert seen[-1].due_in == left


def test_what_was_nearly_due_gets_a_grace_of_one_interval() -> None:
    points = [(0.0, 0.9), (60.0, 0.9), (110.0, 0.9), (400.0, 0.9), (460.0, 0.9)]
    seen = run(rule("m > 5% for 2m"), points)
    assert [one.due_in for one in seen] == [120, 60, 10, 60, None]


def test_a_restart_that_is_told_counts_even_where_it_was_short() -> None:
    one = rule("m > 5% for 5m")
    state = run(one, every_minute("xxx"))[-1].state
    facts = Facts(240.0, {"m": Series("ratio", (Sample(240.0, 0.9),), 60)})
    assert advance(one, facts, state, interval=60.0, restarted=True).due_in == 180
    assert advance(one, facts, state, interval=60.0).due_in == 60


@pytest.mark.parametrize("then", ["rollback", "auto_rollback", "investigate_and_rollback"])
def test_a_rule_that_rolls_back_needs_two_evaluations_in_a_row(then: str) -> None:
    assert letters(run(rule("m > 5%", then), every_minute("xoxxo"))) == "p.pF."
    assert letters(run(rule("m > 5%", then), every_minute("x?x"))) == "ppF"
    assert letters(run(rule("m > 5%", then), every_minute("x" + "_" * 11 + "xx"))) == "ppF"
    assert letters(run(rule("avg(m, 2m) > 5%", then), every_minute("xo"))) == "FF"
    assert letters(run(rule("m > 5% in 1 of 2", then), every_minute("x"))) == "F"


def test_the_same_moment_looked_at_twice_is_one_evaluation() -> None:
    one = rule("m > 5%", "rollback")
    facts = Facts(60.0, {"m": Series("ratio", (Sample(60.0, 0.9),), 60)})
    first = advance(one, facts, RuleState(), interval=60)
    assert not advance(one, facts, first.state, interval=60).firing


@pytest.mark.parametrize(
    ("policies", "values", "expected"),
    [
        ({}, "x??", "F" + "FF"),
        ({}, "o??", "..."),
        ({"on_nodata": "fail"}, "o?!", ".FF"),
        ({"on_error": "fail"}, "o?!", "..F"),
        ({"on_nodata": "pass"}, "x?!", "F.."),
        ({"on_nodata": "keep"}, "x?o?", "FF.."),
        ({"on_nodata": "keep"}, "?x", ".F"),
    ],
)
def test_policies(policies: dict[str, str], values: str, expected: str) -> None:
    assert letters(run(rule("m > 5%", **policies), every_minute(values))) == expected


def test_the_reason_is_shown_even_where_a_policy_settles_it() -> None:
    judged = run(rule("m > 5%", on_nodata="fail"), every_minute("?"))[0].judged
    assert (judged.truth, judged.reason) == (Truth.TRUE, Reason.NODATA)
    assert "no data counts as a fail here" in judged.message


def test_a_rule_that_cannot_be_evaluated_is_an_error_alone() -> None:
    broken = Facts(0.0, {"m": Series("ratio", (Sample(0.0, object()),))})  # type: ignore[arg-type]
    advanced = advance(rule("m > 5%", "rollback"), broken, RuleState(), interval=60)
    assert (advanced.judged.truth, advanced.judged.reason, advanced.firing) == (Truth.UNKNOWN, Reason.ERROR, False)
    assert "could not be evaluated" in advanced.judged.message


def test_a_scaled_environment_waits_less() -> None:
    points = [(0.0, 0.9), (0.1, 0.9), (0.2, 0.9), (0.3, 0.9)]
    assert letters(run(rule("m > 5% for 5m"), points, interval=0.1, scale=0.001)) == "pppF"


def test_slow_looks_are_no_absence_where_time_is_shortened() -> None:
    points = [(0.4 * index, 0.9) for index in range(5)]
    assert letters(run(rule("m > 5% for 15m"), points, interval=0.03, scale=0.001)) == "pppFF"
    assert letters(run(rule("m > 5% for 0.9s"), points, interval=0.03)) == "ppppp"


def test_every_accepted_action_has_one_name() -> None:
    assert set(ACTIONS.values()) == {"notify", "investigate", "hold", "fallback", "halve", "previous", "rollback"}
    assert {ACTIONS[word] for word in ("notify_team", "email", "page")} == {"notify"}
    assert (ACTIONS["pause"], ACTIONS["reduce"], ACTIONS["auto_rollback"]) == ("hold", "fallback", "rollback")


def named(name: str, then: str, **more: Any) -> Rule:
    return Rule(name, parse_condition("m > 1"), then, "trigger", **more)


@pytest.mark.parametrize(
    ("fired", "acting", "along"),
    [
        ([], None, []),
        ([("a", "notify", None)], None, ["a"]),
        ([("a", "halve", 25.0), ("b", "rollback", 0.0), ("c", "notify", None)], "b", ["c"]),
        ([("a", "previous", 10.0), ("b", "halve", 10.0)], "a", []),
        ([("a", "hold", None), ("b", "halve", 10.0)], "b", []),
        ([("a", "notify", None), ("b", "hold", None), ("c", "pause", None)], "b", ["a"]),
        ([("a", "investigate_and_rollback", 0.0), ("b", "rollback", 0.0)], "a", []),
        ([("a", "rollback", 0.0), ("b", "investigate_and_rollback", 0.0), ("c", "investigate", None)], "a", ["b", "c"]),
    ],
)
def test_exactly_one_rule_acts(
    fired: list[tuple[str, str, float | None]], acting: str | None, along: list[str]
) -> None:
    chosen, others = choose([(named(name, then), percent) for name, then, percent in fired])
    assert (chosen.id if chosen else None, [one.id for one in others]) == (acting, along)


def test_dry_rules_never_act() -> None:
    assert choose([(named("a", "rollback", dry_run=True), 0.0)]) == (None, [])


def guardrail(when: str, **more: Any) -> Rule:
    return Rule("g", parse_condition(when), "fallback", "guardrail", **more)


@pytest.mark.parametrize(
    ("when", "values", "expected"),
    [
        ("m < 5%", "oxxo", ".pF."),  # failing now is failing: both have to hold, as for the gate
        ("m < 5%", "x?x", "ppF"),  # unknown is no fail, and does not end one
        ("m < 5%", "???", "..."),
        ("m < 5%", "oxo", ".p."),
        ("m < 5% for 1m", "oxx", ".pF"),  # its own `for` is judged from the samples; it still takes two looks
    ],
)
def test_a_guardrail_fires_when_its_gate_failed_twice(when: str, values: str, expected: str) -> None:
    assert letters(run(guardrail(when), every_minute(values))) == expected


def test_a_guardrail_is_judged_over_the_bake_too() -> None:
    points: list[tuple[float, Any]] = [(60.0, 0.9), (120.0, 0.01), (180.0, 0.01)]
    assert letters(run(guardrail("m < 5%"), points, entered=0.0)) == "pFF"
    assert letters(run(guardrail("m < 5%"), points, entered=100.0)) == "p.."


def test_a_guardrail_and_its_policies() -> None:
    assert letters(run(guardrail("m < 5%", on_nodata="fail"), every_minute("o??"))) == ".pF"
    assert letters(run(guardrail("m < 5%", on_error="pass"), every_minute("xx!"))) == "pF."
    one = guardrail("m < 5%")
    assert (one.shown, one.guards, one.changes, rule("m > 1").shown) == ("guardrail m < 5%", True, True, "m > 1")
