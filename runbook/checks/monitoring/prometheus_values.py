"""From the series that a query gave to the one value that is judged: one, the worst of several, or one over a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from runbook.checks.base import Finding
from runbook.checks.findings import NotTaken, Rows, shown
from runbook.checks.monitoring.prometheus_answers import Told
from runbook.judge.statistics import quantile
from runbook.judge.verdicts import Reason, Status

# How a function over a time is called in PromQL, where a query is put into it.
OVER_TIME: Mapping[str, str] = {
    "avg": "avg_over_time(",
    "min": "min_over_time(",
    "max": "max_over_time(",
    "last": "last_over_time(",
    "sum": "sum_over_time(",
    "count": "count_over_time(",
    "p50": "quantile_over_time(0.5, ",
    "p95": "quantile_over_time(0.95, ",
    "p99": "quantile_over_time(0.99, ",
}
_REMEDY = "write sum(...) around the query, or worst: max"
_NAMED = 3  # series that a message names


@dataclass(frozen=True)
class Window:
    """A time to look back over: its ends (seconds since the epoch), one point every `step` seconds, and what is taken
    of the points.
    """

    start: float
    end: float
    step: float
    take: str

    @property
    def points(self) -> int:
        """How many there are where none is missing."""
        return int((self.end - self.start) / self.step + 1e-6) + 1


def newest_value(series: Sequence[Told], worst: str | None) -> Finding:
    """The finding of an answer at one time. Raises NotTaken."""
    return one_or_worst([(each.name, each.points[-1][1]) for each in series], worst)


def value_over(series: Sequence[Told], window: Window, worst: str | None) -> Finding:
    """The finding of an answer over a time. Raises NotTaken; fewer than half of the points are no data.

    A point that is NaN or infinite is a missing one. The message tells what share is missing.
    """
    taken, fewest = list[tuple[str, float]](), window.points
    for each in series:
        if any(not window.start - window.step <= at <= window.end + window.step for at, _ in each.points):
            raise NotTaken("the answer has points outside of the time that was asked for")
        numbers = [number for _, number in each.points if math.isfinite(number)]
        if 2 * len(numbers) < window.points:
            there = f"{len(numbers)} of {window.points} points"
            raise NotTaken(f"only {there} are there for {each.name}, fewer than half", Reason.NODATA)
        taken.append((each.name, _folded(window.take, numbers)))
        fewest = min(fewest, len(numbers))
    finding = one_or_worst(taken, worst)
    missing = 1 - fewest / window.points
    return _with_message(finding, f"{missing:.0%} of the points are missing") if missing > 0 else finding


def merged(series: Sequence[Told], worst: str | None) -> dict[float, float]:
    """The points of all series by their time; where two have one, the worst. Raises NotTaken without `worst`.

    A time at which any series has no finite number has no point, as a look at that time would have had no data.
    """
    found: dict[float, float] = {}
    broken = {at for each in series for at, number in each.points if not math.isfinite(number)}
    for each in series:
        for at, number in each.points:
            if at in broken:
                continue
            if at in found and worst is None:
                raise NotTaken(_too_many([one.name for one in series]))
            choose = min if worst == "min" else max
            found[at] = choose(found[at], number) if at in found else number
    return found


def folded_there(query: str, window: Window) -> str:
    """The query, closed for a bracket, whose points over the window the server itself folds, at each time it is asked.

    A point that is NaN or infinite is left out, as `value_over` does, and as many points are meant as it means.
    """
    return f"{OVER_TIME[window.take]}((({query}) > -Inf) < Inf)[{_span(window)}])"


def counted_there(query: str, window: Window) -> str:
    """The query for how many points `folded_there` had: of the series that has the fewest of them."""
    return f"min(sum_over_time((abs({query}) < bool Inf)[{_span(window)}]))"


def half_there(series: Sequence[Told], counts: Mapping[float, float], window: Window) -> list[Told]:
    """The series at the times at which at least half of the window's points were there: fewer are no data."""
    whole = {at for at, count in counts.items() if 2 * count >= window.points}
    return [replace(each, points=tuple(point for point in each.points if point[0] in whole)) for each in series]


def fed(
    points: Mapping[float, float], samples: Mapping[float, float], step: float, oldest: float | None
) -> dict[float, float]:
    """The points at whose time the series behind them were fed; `samples` has the newest sample's time for each.

    Prometheus shows the last sample for five minutes after its source has ended, and a rate goes on for its whole
    window: such points were measured by nobody. A sample counts for `oldest` seconds; where that is not said, for twice
    the usual time from one sample to the next, or for two steps where these are longer.
    """
    taken = sorted({at for at in samples.values() if math.isfinite(at)})
    gaps = sorted(later - earlier for earlier, later in pairwise(taken))
    usual = gaps[len(gaps) // 2] if gaps else step
    limit = 2 * max(usual, step) if oldest is None else oldest
    return {at: number for at, number in points.items() if at - samples.get(at, -math.inf) <= limit}


def total(numbers: Iterable[float]) -> float:
    """The exact sum; NaN where there is none, because one is no finite number or the sum is too large."""
    try:
        return math.fsum(numbers)
    except (OverflowError, ValueError):
        return math.nan


def one_or_worst(named: Sequence[tuple[str, float]], worst: str | None, remedy: str = _REMEDY) -> Finding:
    """The finding of numbers by name: of the one, or of the largest or smallest. Raises NotTaken.

    `remedy` is what to write where there are several and one was meant.
    """
    if not named:
        raise NotTaken("the query gives nothing: there is no such series now", Reason.NODATA)
    broken = next((name for name, number in named if not math.isfinite(number)), None)
    if broken is not None:
        number = next(number for name, number in named if name == broken)
        said = "NaN" if math.isnan(number) else "infinite"
        raise NotTaken(f"the value is {said}" + (f" for {broken}" if len(named) > 1 else ""), Reason.NODATA)
    if worst is None:
        if len(named) > 1:
            raise NotTaken(_too_many([name for name, _ in named], remedy))
        return Finding(Status.PASS, observed=shown(_plain(named[0][1])), value=_plain(named[0][1]))
    ordered = sorted(((name, _plain(number)) for name, number in named), key=lambda pair: pair[1])
    name, value = ordered[0 if worst == "min" else -1]
    rows = tuple(ordered if worst == "min" else reversed(ordered))
    return Rows(Status.PASS, observed=f"{shown(value)} ({name})", value=value, rows=rows)


def _span(window: Window) -> str:
    """The range of a subquery that has exactly the window's points.

    Its points lie at multiples of the step, so that a range of as many steps has them all; a millisecond less, since
    a Prometheus before 3.0 counts both of its ends.
    """
    step = round(window.step * 1000)
    return f"{max(1, window.points * step - 1)}ms:{step}ms"


def _folded(function: str, numbers: Sequence[float]) -> float:
    match function:
        case "avg":
            return total(numbers) / len(numbers)
        case "min" | "max":
            return min(numbers) if function == "min" else max(numbers)
        case "last":
            return numbers[-1]
        case "sum":
            return total(numbers)
        case "count":
            return float(len(numbers))
    return quantile(sorted(numbers), int(function[1:]) / 100)


def _too_many(names: Sequence[str], remedy: str = _REMEDY) -> str:
    count = len(names)
    told = ", ".join(names[:_NAMED]) + (f" and {count - _NAMED} more" if count > _NAMED else "")
    return f"there are {count} series where one was meant ({told}): {remedy}"


def _plain(number: float) -> int | float:
    """A whole number without a decimal point, as everybody writes it."""
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


def _with_message(finding: Finding, message: str) -> Finding:
    return replace(finding, message=message)
