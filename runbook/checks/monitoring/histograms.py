"""A quantile out of the buckets of a histogram, as Prometheus takes it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from runbook.checks.findings import NotTaken
from runbook.checks.monitoring.exposition import Exposed
from runbook.checks.monitoring.prometheus_values import total
from runbook.judge.verdicts import Reason

_EDGE = "le"


def buckets_of(samples: Sequence[Exposed]) -> Mapping[tuple[tuple[str, str], ...], dict[float, float]]:
    """The buckets of each series: its labels without `le`, and counts by the bucket's upper edge. Raises NotTaken."""
    found: dict[tuple[tuple[str, str], ...], dict[float, float]] = {}
    for sample in samples:
        edge = _edge_of(sample)
        series = tuple(sorted((key, value) for key, value in sample.labels.items() if key != _EDGE))
        counts = found.setdefault(series, {})
        if edge in counts:
            raise NotTaken(f"the bucket le={edge:g} of {sample.name} stands twice")
        counts[edge] = sample.value
    return found


def added(several: Sequence[Mapping[float, float]]) -> dict[float, float]:
    """The buckets of several series as one. Raises NotTaken where they have not the same edges."""
    edges = {tuple(sorted(counts)) for counts in several}
    if len(edges) > 1:
        raise NotTaken("the series have buckets with different edges, so they cannot be added")
    return {edge: total(counts[edge] for counts in several) for edge in sorted(several[0])}


def quantile_of(counts: Mapping[float, float], share: float) -> float:
    """The value below which `share` (0..1) of what was observed lies. Raises NotTaken.

    Prometheus' `histogram_quantile` for classic buckets (promql/quantile.go, bucketQuantile): the bucket in which the
    rank `share * total` falls, and a straight line within it, the lowest beginning at 0 where its edge is positive. In
    the last bucket, which has no upper edge, it is the edge below.
    """
    edges = sorted(counts)
    if len(edges) < 2 or not math.isinf(edges[-1]):
        raise NotTaken("a histogram needs two buckets and one up to +Inf")
    seen = [counts[edge] for edge in edges]
    if any(not math.isfinite(count) or count < 0 for count in seen) or seen != sorted(seen):
        raise NotTaken("the buckets of the histogram do not grow with their edges, so it makes no sense")
    if not seen[-1]:
        raise NotTaken("the histogram has observed nothing yet", Reason.NODATA)
    rank = share * seen[-1]
    index = next(position for position, count in enumerate(seen) if count >= rank)
    if index == len(edges) - 1:
        return edges[-2]
    if index == 0 and edges[0] <= 0:
        return edges[0]
    below, before = (edges[index - 1], seen[index - 1]) if index else (0.0, 0.0)
    if seen[index] == before:  # only where the rank is 0 and the lowest buckets are empty
        return below
    value = below + (edges[index] - below) * (rank - before) / (seen[index] - before)
    return min(max(value, below), edges[index])  # rounding leads no value out of its bucket


def _edge_of(sample: Exposed) -> float:
    try:
        edge = float(sample.labels[_EDGE])
    except (KeyError, ValueError):
        raise NotTaken(f"{sample.name} has a bucket without an edge le") from None
    if math.isnan(edge):
        raise NotTaken(f"{sample.name} has a bucket whose edge is NaN")
    return edge
