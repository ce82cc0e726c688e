"""Danger is told from what was kept: which limits the newest samples breach, and since when."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from runbook.judge.facts import Facts, Sample, Series
from runbook.language.conditions import parse_condition
from runbook.playbook.model import Gate, MatrixRow, Metric, Playbook, Rung, Severity, Stage, Trigger
from runbook.rollout.danger import WORDS, Danger, Limit, Scene, danger_of, limits_of
from runbook.rollout.matrix import matrix_rules
from runbook.rollout.rules import rules_of
from runbook.store.state import Due, Hold, Position
from tests.clocks import START

NOW = START
ENTERED = NOW - 3600
HERE = Position(stage="half", percent=50, since=ENTERED)
CRITICAL = Limit(parse_condition("> 5%", "errors"), "critical")
ROLLBACK = Limit(parse_condition("errors > 5% for 5m"), "trigger", "rollback")
HALVE = Limit(parse_condition("p95 > 3500ms"), "matrix", "halve")


def series(
    values: Sequence[float | str | None], *, unit: str = "ratio", every: float = 60.0, age: float = 0.0
) -> Series:
    """Samples `every` so many seconds, the last one `age` seconds ago; a text is an error."""
    last = NOW - age
    times = [last - every * (len(values) - 1 - number) for number in range(len(values))]
    samples = [
        Sample(time, None, value) if isinstance(value, str) else Sample(time, value)
        for time, value in zip(times, values, strict=True)
    ]
    return Series(unit, tuple(samples), interval=every)


def scene(errors: Series | None = None, *, limits: Sequence[Limit] = (CRITICAL,), **more: object) -> Scene:
    found = {"errors": errors if errors is not None else series([0.01] * 5)}
    if "p95" in more:
        found["p95"] = more.pop("p95")  # type: ignore[assignment]
    given = {"position": HERE, "limits": limits, **more}
    return Scene(facts=Facts(now=NOW, series=found, entered=ENTERED), **given)  # type: ignore[arg-type]


def test_a_breach_is_told_with_its_limit_since_when_and_what_was_before() -> None:
    danger = danger_of(scene(series([0.01, 0.009, 0.06, 0.07, 0.072])))
    [breach] = danger.breaches
    assert (danger.word, danger.since) == ("UNSAFE", NOW - 120)
    assert (breach.name, breach.observed, breach.before) == ("errors", "7.2 %", "0.9 %")
    assert "5 %" in breach.allowed


@pytest.mark.parametrize(
    ("values", "since"),
    [
        ([0.07], 0),
        ([0.07, 0.01, 0.07], 0),
        ([0.07, 0.07, 0.07], 120),
        ([0.01, 0.07, "refused", 0.07], 120),
        ([0.01, 0.07, None, None, 0.07], 180),
    ],
)
def test_since_the_first_bad_sample_after_the_last_good_one(values: list[float | str | None], since: float) -> None:
    assert danger_of(scene(series(values))).since == NOW - since


def test_a_condition_with_for_counts_from_its_first_bad_sample() -> None:
    danger = danger_of(scene(series([0.01, 0.07]), limits=[ROLLBACK]))
    assert (danger.word, danger.breaches[0].limit.then) == ("UNSAFE", "rollback")


def test_a_rule_speaks_for_the_metric_and_the_limit_stays() -> None:
    [breach] = danger_of(scene(series([0.01, 0.07]), limits=[CRITICAL, ROLLBACK])).breaches
    assert breach.limit is ROLLBACK
    assert breach.limit.action == "rollback"


def test_every_metric_has_a_line_of_its_own() -> None:
    danger = danger_of(scene(series([0.07]), p95=series([5400.0], unit="ms"), limits=[CRITICAL, ROLLBACK, HALVE]))
    assert [(one.name, one.observed) for one in danger.breaches] == [("errors", "7 %"), ("p95", "5.4 s")]


def test_samples_from_before_the_step_say_nothing_of_it() -> None:
    danger = danger_of(scene(series([0.07], age=7200.0)))
    assert (danger.word, danger.breaches) == ("STALE", ())


def test_a_bad_sample_counts_however_old_it_is_and_its_age_is_told() -> None:
    danger = danger_of(scene(series([0.07], age=1800.0)))
    assert (danger.word, danger.stale, danger.seen) == ("UNSAFE", True, NOW - 1800)


def test_what_could_not_be_read_is_never_healthy() -> None:
    danger = danger_of(scene(series([0.01, 0.01, "connection refused"])))
    [blind] = danger.blind
    assert (danger.word, blind.name, blind.why, blind.since) == ("UNKNOWN", "errors", "connection refused", NOW - 60)
    assert danger_of(scene(series([0.01, None]))).blind[0].why == "no value"


def test_a_row_of_the_matrix_that_was_told_counts_until_it_was_seen_to_be_false() -> None:
    row = Limit(parse_condition("errors > 5%"), "matrix", "rollback")
    due = {"errors > 5%": Due(since=NOW - 300, then="rollback", observed="7 %")}
    unread = danger_of(scene(series(["refused"]), limits=[row], matrix=due))
    assert (unread.word, unread.since, unread.breaches[0].observed) == ("UNSAFE", NOW - 300, "7 %")
    assert danger_of(scene(series([0.01]), limits=[row], matrix=due)).breaches == ()
    before = {"errors > 5%": Due(since=ENTERED - 10, then="rollback")}
    assert danger_of(scene(series(["refused"]), limits=[row], matrix=before)).breaches == ()


def test_a_guardrail_is_breached_where_its_condition_is_false() -> None:
    guardrail = Limit(parse_condition("errors < 2%"), "guardrail", "fallback")
    assert danger_of(scene(series([0.03]), limits=[guardrail])).word == "UNSAFE"
    assert danger_of(scene(series([0.01]), limits=[guardrail])).breaches == ()


def test_a_broken_condition_disturbs_nothing() -> None:
    nonsense = Limit(parse_condition("errors > 5 ms"), "trigger", "rollback")
    assert danger_of(scene(limits=[nonsense, CRITICAL])).word == "BAKED"


HOLD = Hold(by="ana", since=NOW - 60)


@pytest.mark.parametrize(
    ("more", "word", "since"),
    [
        ({"down": NOW - 90, "cut_off": NOW - 5}, "SERVICE DOWN", NOW - 90),
        ({"cut_off": NOW - 50, "hold": HOLD}, "CUT OFF", NOW - 50),
        ({"at_work": NOW - 5, "baked": False}, "AT WORK", NOW - 5),
        ({"hold": HOLD, "baked": False}, "HELD", NOW - 60),
        ({"known": False}, "UNKNOWN", None),
        ({"safe": True, "hold": HOLD}, "SAFE", ENTERED),
        ({"stable": NOW - 600}, "STABLE", NOW - 600),
        ({"baked": False}, "BAKING", ENTERED),
        ({"position": None}, "QUIET", None),
        ({}, "BAKED", ENTERED),
    ],
)
def test_one_word_says_how_it_stands(more: dict[str, object], word: str, since: float | None) -> None:
    danger = danger_of(scene(**more))  # type: ignore[arg-type]
    assert (danger.word, danger.since) == (word, since)


def test_what_harms_comes_before_what_is_half_done() -> None:
    assert danger_of(scene(series([0.07]), cut_off=NOW - 5, down=NOW - 5)).word == "UNSAFE"
    ordered = [Danger(word, None).worst for word in ("UNSAFE", "SERVICE DOWN", "STALE", "HELD", "BAKING", "SAFE")]
    assert ordered == sorted(ordered)
    assert len(set(WORDS)) == len(WORDS)


@pytest.mark.parametrize(
    ("age", "next_look", "stale"), [(60, None, False), (700, None, True), (700, 60, False), (700, -60, True)]
)
def test_stale_is_what_is_older_than_the_stage_asks_for(age: float, next_look: float | None, stale: bool) -> None:
    due = None if next_look is None else NOW + next_look
    assert danger_of(scene(series([0.01], age=age), next_look=due)).stale is stale


def test_nobody_has_looked_at_all() -> None:
    danger = danger_of(scene(series([])))
    assert (danger.word, danger.seen, danger.since) == ("STALE", None, ENTERED)
    fresh = Position(stage="half", percent=50, since=NOW - 5)
    assert danger_of(scene(series([]), position=fresh, baked=False)).word == "BAKING"


def test_the_limits_of_a_playbook_are_those_that_do_something() -> None:
    stage = Stage(
        name="half",
        rungs=(Rung(50),),
        gates=(
            Gate("errors < 2%", as_="guardrail"),
            Gate("errors < 1%"),
            Gate("p95 < 3s", as_="guardrail", only=("x",)),
        ),
        triggers=(
            Trigger("errors > 5% for 5m", "auto_rollback"),
            Trigger("errors > 2%", "notify"),
            Trigger("errors > 3%", "pause"),
            Trigger("errors > 9%", "rollback", dry_run=True),
        ),
    )
    playbook = Playbook(
        service="checkout",
        path="checkout.yaml",
        metrics={"errors": Metric("errors", critical="> 5%"), "p95": Metric("p95", warning="> 3s")},
        severities={"P0": Severity(when="errors > 6%"), "P1": Severity(when="errors > 2%")},
        matrix=(
            MatrixRow("errors > 7%", "notify", "P0"),
            MatrixRow("errors > 3%", "investigate", "P1"),
            MatrixRow("p95 > 4s", "halve", "P2"),
        ),
    )
    rules = [*matrix_rules(playbook), *rules_of(playbook, stage, "production")]
    told = [(limit.source, limit.condition.text, limit.action) for limit in limits_of(playbook, rules)]
    assert told == [
        ("critical", "> 5%", ""),
        ("severity", "errors > 6%", ""),
        ("matrix", "errors > 7%", "notify"),
        ("matrix", "p95 > 4s", "halve"),
        ("trigger", "errors > 5% for 5m", "rollback"),
        ("trigger", "errors > 3%", "hold"),
        ("guardrail", "errors < 2%", "hold"),
    ]
    assert len(limits_of(playbook, matrix_rules(playbook))) == 4
