"""Quantiles out of buckets; a real Prometheus agrees with them in test_scrape.py."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.checks.findings import NotTaken
from runbook.checks.monitoring.exposition import Exposed
from runbook.checks.monitoring.histograms import added, buckets_of, quantile_of
from runbook.judge.verdicts import Reason

INF = math.inf


@pytest.mark.parametrize(
    ("counts", "share", "value"),
    [
        ({1: 100, INF: 100}, 0.5, 0.5),
        ({1: 100, 2: 200, INF: 200}, 0.5, 1.0),
        ({1: 100, 2: 200, INF: 200}, 0.75, 1.5),
        ({1: 0, 2: 100, INF: 100}, 0.5, 1.5),
        ({1: 10, 2: 10, 4: 20, INF: 20}, 0.75, 3.0),
        ({1: 1, 2: 2, INF: 100}, 0.95, 2),
        ({1: 0, INF: 5}, 0.5, 1),
        ({-1: 10, 1: 20, INF: 20}, 0.25, -1),
        ({0: 10, 1: 20, INF: 20}, 0.75, 0.5),
        ({1: 0, 2: 5, INF: 5}, 0.0, 0.0),
    ],
)
def test_quantiles(counts: dict[float, float], share: float, value: float) -> None:
    assert quantile_of(counts, share) == pytest.approx(value)


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ({}, Reason.ERROR),
        ({INF: 5}, Reason.ERROR),
        ({1: 5, 2: 6}, Reason.ERROR),
        ({1: 5, INF: 4}, Reason.ERROR),
        ({1: -1, INF: 4}, Reason.ERROR),
        ({1: math.nan, INF: 4}, Reason.ERROR),
        ({1: 1, INF: INF}, Reason.ERROR),
        ({1: 0, INF: 0}, Reason.NODATA),
    ],
)
def test_buckets_that_make_no_sense(counts: dict[float, float], reason: Reason) -> None:
    with pytest.raises(NotTaken) as raised:
        quantile_of(counts, 0.95)
    assert raised.value.reason is reason


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(0, 1000)), min_size=1, max_size=12), st.integers(1, 50))
def test_a_quantile_rises_and_stays_within_the_edges(widths: list[tuple[float, int]], more: int) -> None:
    counts, seen = dict[float, float](), 0
    for edge, number in sorted(widths):
        seen += number
        counts[edge] = seen
    counts[INF] = seen + more
    values = [quantile_of(counts, share / 20) for share in range(1, 21)]
    assert values == sorted(values)
    edges = sorted(counts)
    assert all(min(0.0, edges[0]) <= value <= edges[-2] for value in values if edges[-2] > 0)


def test_buckets_by_series() -> None:
    samples = [Exposed("b", {"path": path, "le": le}, 1.0, None) for path in "xy" for le in ("1", "+Inf")]
    several = buckets_of(samples)
    assert list(several.values()) == [{1.0: 1.0, INF: 1.0}] * 2
    assert added(list(several.values())) == {1.0: 2.0, INF: 2.0}
    with pytest.raises(NotTaken, match="different edges"):
        added([{1.0: 1.0, INF: 1.0}, {2.0: 1.0, INF: 1.0}])
    with pytest.raises(NotTaken, match="twice"):
        buckets_of([*samples, Exposed("b", {"path": "x", "le": "1.0"}, 1.0, None)])
    for labels in ({}, {"le": "low"}, {"le": "NaN"}):
        with pytest.raises(NotTaken, match="edge"):
            buckets_of([Exposed("b", labels, 1.0, None)])
