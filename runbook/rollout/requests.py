"""How many requests the samples of a metric rest on, where another metric counts them. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from runbook.judge.facts import Sample, Series
from runbook.judge.values import problem_of

SAME_LOOK = 1.0  # seconds: what one look asks at once comes in a few milliseconds apart


def resting_on(series: Series, counting: Series, *, grows: bool, entered: float | None) -> Series:
    """The series with the requests behind each sample, as the other metric counted them.

    Of a gauge it is the newest value that is not later than the sample. Of a counter (`grows`) it is what was added
    since the sample before, so that all samples of a bake together rest on the requests since the rung was entered;
    where the counter falls it was reset, and what it shows then is all new. Where nothing was added since the sample
    before, but something since the rung was entered, the newest sample rests on one: it stands for what came before.
    Not known (None) where it never counted.
    """
    counted = [
        (one.t, float(one.value))
        for one in counting.samples
        if problem_of(one, counting) is None and isinstance(one.value, int | float) and not isinstance(one.value, bool)
    ]
    if not counted:
        return series
    grace = min(SAME_LOOK, counting.interval / 2)
    times = [time - grace for time, _ in counted]
    at = [bisect_right(times, sample.t) for sample in series.samples]
    if grows:
        behind = _standing_for_more(_added(at, series.samples, _totals(counted, entered)), series.samples, entered)
    else:
        behind = [max(0, round(counted[place - 1][1])) if place else None for place in at]
    samples = (Sample(one.t, one.value, one.error, n) for one, n in zip(series.samples, behind, strict=True))
    return replace(series, samples=tuple(samples))


def _totals(counted: Sequence[tuple[float, float]], entered: float | None) -> list[float]:
    """What was added up to each count. Nothing is told to the bake that may have been added before it began."""
    totals, total = [0.0], 0.0
    for (before, value), (time, following) in pairwise(counted):
        across = entered is not None and before < entered <= time
        if following < value:
            total += following
        elif not across:
            total += following - value
        totals.append(total)
    return totals


def _added(at: Sequence[int], samples: Sequence[Sample], totals: Sequence[float]) -> list[int | None]:
    """What was added between each sample that can be judged and the one before it."""
    added: list[int | None] = []
    before = 0.0
    for place, sample in zip(at, samples, strict=True):
        total = totals[place - 1] if place else 0.0
        added.append(round(total - before) if sample.good else None)
        before = total if sample.good else before
    return added


def _standing_for_more(added: list[int | None], samples: Sequence[Sample], entered: float | None) -> list[int | None]:
    since = sum(n or 0 for n, sample in zip(added, samples, strict=True) if entered is None or sample.t >= entered)
    return [*added[:-1], 1] if added and added[-1] == 0 and since > 0 else added
