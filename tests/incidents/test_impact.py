"""Durations, percentages, requests and metrics of an incident, computed from given times."""

from __future__ import annotations

import pytest

from runbook.incidents.measured import rises_to_worse
from runbook.playbook.model import Metric
from tests.incidents.scene import BASE, ERROR_RATE, Chain, samples

REQUESTS = Metric(name="total_requests", unit="count", is_="counter", interval=30)


def gone_wrong(*, outcome: str = "done") -> Chain:
    """At 10 % since 2 s; critical from 90 s; trigger at 100 s; brought back at 109 s; resolved at 209 s."""
    chain = Chain()
    chain.ramp(0, "op-1", "tasters", 10)
    chain.add(100, "trigger.fired", when="error_rate > 5%", then="rollback", observed="8 %")
    chain.emergency(101, "op-2", 1, outcome=outcome)
    return chain


RISING = samples((30, 0.01), (60, 0.012), (90, 0.06), (95, None), (100, 0.08), (150, 0.03), (300, 0.2))


def test_the_clocks_count_from_the_first_critical_value() -> None:
    chain = gone_wrong()
    chain.add(209, "incident.resolved", id=1, text="")
    clocks = chain.impact({"error_rate": RISING}).clocks
    assert clocks.measured and clocks.began == BASE + 90
    assert (clocks.to_detect, clocks.to_mitigate, clocks.to_resolve) == (10, 19, 119)
    assert clocks.duration == 19 and not clocks.going_on


def test_without_samples_it_begins_with_the_first_sign_and_the_detection_is_not_known() -> None:
    clocks = gone_wrong().impact().clocks
    assert not clocks.measured and clocks.began == BASE + 100
    assert clocks.to_detect is None and clocks.to_mitigate == 9 and clocks.to_resolve is None


def test_nothing_brought_back_goes_on_until_now() -> None:
    chain = Chain()
    chain.add(100, "incident.opened", id=1, title="slow", severity="P2")
    clocks = chain.impact(now=160).clocks
    assert clocks.going_on and clocks.duration == 60 and clocks.to_mitigate is None


def test_resolved_without_a_way_back_ends_the_harm() -> None:
    chain = Chain()
    chain.add(100, "incident.opened", id=1, title="slow", severity="P2")
    chain.add(130, "incident.resolved", id=1, text="")
    clocks = chain.impact(now=500).clocks
    assert not clocks.going_on and clocks.duration == 30


def test_a_half_done_way_back_mitigates_nothing() -> None:
    assert gone_wrong(outcome="half-done").impact().clocks.mitigated is None


def test_a_second_emergency_at_safe_flags_does_not_move_the_clock() -> None:
    chain = gone_wrong()
    told = {"kind": "emergency", "to": "safe"}
    chain.add(500, "operation.started", "op-3", **told)
    chain.position(505, "dark", 0, "op-3", how="emergency")
    chain.add(505, "incident.joined", "op-3", id=1, title="again")
    chain.add(505, "operation.ended", "op-3", outcome="done", **told)
    assert chain.impact().clocks.mitigated == BASE + 109


def test_the_way_back_that_went_lowest_counts() -> None:
    chain = Chain()
    chain.ramp(0, "op-1", "tables", 50)
    chain.add(100, "incident.opened", id=1, title="slow", severity="P2")
    for seconds, percent in ((110, 10.0), (150, 0.0)):
        operation = f"back-{seconds}"
        chain.add(seconds, "operation.started", operation, kind="rollback")
        chain.position(seconds + 5, "s", percent, operation, how="rollback")
        chain.add(seconds + 5, "operation.ended", operation, kind="rollback", outcome="done")
    impact = chain.impact()
    assert impact.clocks.mitigated == BASE + 155 and impact.percent == 50


@pytest.mark.parametrize(
    ("rows", "began"),
    [
        (((40, 0.08), (60, 0.01), (90, 0.08), (100, 0.09)), 90),  # an earlier peak that had passed is not the beginning
        (((90, 0.08), (100, 0.01)), 100),  # no longer critical at the first sign
        (((90, 0.08), (95, None), (99, None)), 90),  # what was not measured neither breaks nor begins it
        (((101, 0.08),), 100),  # what came after the sign does not tell of the beginning
        ((), 100),
    ],
)
def test_the_beginning_is_an_unbroken_run_of_critical_values(
    rows: tuple[tuple[float, float | None], ...], began: float
) -> None:
    assert gone_wrong().impact({"error_rate": samples(*rows)}).clocks.began == BASE + began


def test_an_old_critical_value_is_no_beginning() -> None:
    chain = Chain()
    chain.add(5_000, "incident.opened", id=1, title="slow", severity="P2")
    assert not chain.impact({"error_rate": samples((1_000, 0.2))}).clocks.measured


def test_the_percentage_is_the_largest_that_stood_in_that_time() -> None:
    assert gone_wrong().impact().percent == 10
    chain = Chain()
    chain.ramp(0, "op-1", "tasters", 10)
    chain.add(50, "incident.opened", id=1, title="slow", severity="P2")
    chain.ramp(60, "op-2", "tables", 50)
    assert chain.impact().percent == 50


def test_the_percentage_is_not_known_where_no_position_is() -> None:
    chain = Chain()
    chain.add(50, "incident.opened", id=1, title="slow", severity="P2")
    assert chain.impact().percent is None


def test_metrics_show_before_worst_and_last() -> None:
    chain = gone_wrong()
    chain.add(209, "incident.resolved", id=1, text="")
    (metric,) = chain.impact({"error_rate": RISING}).metrics
    assert metric.before and metric.before.shown == "1.2 %"
    assert metric.worst and (metric.worst.shown, metric.worst.at) == ("8 %", BASE + 100)
    assert metric.last and (metric.last.shown, metric.last.at) == ("3 %", BASE + 150)  # 300 s is after the resolution
    assert (metric.range, metric.count, metric.limit) == ("3 % .. 8 %", 3, "critical > 5%")


def test_the_worst_value_of_a_score_is_the_lowest_and_without_a_limit_there_is_none() -> None:
    metrics = {
        "score": Metric(name="score", unit="score", critical="< 0.3"),
        "load": Metric(name="load", unit="count"),
        "state": Metric(name="state"),
        "silent": Metric(name="silent", critical="> 1"),
    }
    given = {"score": samples((101, 0.7), (105, 0.2)), "load": samples((101, 3), (105, 9))}
    shown = {one.name: one for one in gone_wrong().impact(given, metrics).metrics}
    assert set(shown) == {"score", "load"}
    assert shown["score"].worst and shown["score"].worst.shown == "0.2"
    assert shown["load"].worst is None and shown["load"].range == "3 .. 9"


@pytest.mark.parametrize(
    ("metric", "rises"),
    [
        (ERROR_RATE, True),
        (Metric(name="m", target="> 0.6"), False),
        (Metric(name="m", target="< 3s"), True),
        (Metric(name="m", warning="< 1"), False),
        (Metric(name="m", target="== 1"), None),
        (Metric(name="m"), None),
    ],
)
def test_which_way_is_worse(metric: Metric, rises: bool | None) -> None:
    assert rises_to_worse(metric) is rises


def requests(*pairs: tuple[float, float | None], metric: Metric = REQUESTS) -> tuple[int, str, bool] | None:
    found = gone_wrong().impact({metric.name: samples(*pairs)}, {metric.name: metric}).requests
    return None if found is None else (found.total, found.affected, found.at_least)


def test_requests_are_counted_by_a_counter_between_beginning_and_way_back() -> None:
    assert requests((70, 500), (100, 1_000), (104, 1_600), (108, 3_000), (200, 9_000)) == (2_000, "200", False)


def test_a_counter_that_was_started_anew_counts_from_zero() -> None:
    assert requests((100, 1_000), (104, 1_200), (108, 300)) == (500, "50", False)


def test_samples_that_do_not_reach_the_beginning_give_a_least_number() -> None:
    assert requests((102, 1_000), (108, 1_055)) == (55, "about 6", True)


def test_fewer_than_one_is_not_shown_as_none() -> None:
    assert requests((100, 1_000), (108, 1_004)) == (4, "fewer than one", False)


def test_requests_of_the_treated_are_all_affected() -> None:
    treated = Metric(name="treated_requests", unit="count", is_="counter", covers="treated")
    assert requests((100, 10), (108, 30), metric=treated) == (20, "20", False)


@pytest.mark.parametrize(
    "metric",
    [Metric(name="total_requests"), Metric(name="tokens", is_="counter"), Metric(name="requester", is_="counter")],
    ids=["a gauge", "another counter", "a name that only looks alike"],
)
def test_nothing_else_is_taken_for_a_count_of_requests(metric: Metric) -> None:
    assert requests((100, 10), (108, 30), metric=metric) is None


def test_one_value_counts_nothing() -> None:
    assert requests((100, 10)) is None
