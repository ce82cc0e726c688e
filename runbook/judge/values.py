"""What a name, a window or a calculation is worth at one time, or why it cannot be known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import localcontext
from itertools import pairwise

from runbook.judge.facts import Facts, Sample, Series
from runbook.judge.quantities import (
    EXACT,
    Quantity,
    UnmeasuredError,
    calculate,
    decimal_of,
    fewest,
    oldest,
    quantity_of,
)
from runbook.judge.statistics import deviation, quantile, treated_share
from runbook.judge.verdicts import Reason
from runbook.language.algebra import BARE
from runbook.language.durations import show_duration
from runbook.language.syntax import Arithmetic, Name, Negative, Node, Number, Text, Treated, TruthValue, Window
from runbook.language.units import dimension_of, show_value

LARGEST_SKEW = 30.0  # seconds that a source's clock may be ahead of ours before its word counts for nothing
# Seconds. `between` leaves its start out, and the look at the very moment of entering belongs to the bake.
JUST_BEFORE = 1e-6
LARGEST_NUMBER = 1e100  # what lies beyond was not measured; its square would be no number any more


@dataclass(frozen=True)
class Values:
    """Looks values up. `horizon` is the time of the latest sample that may be seen.

    `minimum` overrides the series' own smallest number of samples. With `mean_since`, a bare metric is the plain mean
    of its samples since then instead of the newest sample.
    """

    facts: Facts
    horizon: float
    minimum: int | None = None
    mean_since: float | None = None

    def of(self, node: Node) -> Quantity:
        """The value of a node. Raises UnmeasuredError, and UnitError for a calculation across units."""
        match node:
            case Number():
                return Quantity(node.text if node.unit == "version" else node.value, node.unit or BARE)
            case Text() | TruthValue():
                return Quantity(node.value)
            case Name():
                return self._name(node)
            case Window():
                return self._window(node)
            case Treated():
                return self._treated(node)
            case Arithmetic():
                return calculate(node.operator, self.of(node.left), self.of(node.right))
            case Negative():
                of = self.of(node.of)
                return replace(of, value=-of.number)
        raise TypeError(f"{type(node).__name__} has no value")

    def unit_of(self, node: Node) -> str | None:
        """The unit of a name, for messages."""
        if isinstance(node, Name):
            series = self.facts.series.get(node.name)
            return series.unit if series else self.facts.units.get(node.name)
        return BARE if isinstance(node, Number) and node.unit is None else getattr(node, "unit", None)

    def required(self, series: Series) -> int:
        """How many samples it takes."""
        return series.min_samples if self.minimum is None else self.minimum

    def seen(self, node: Name | Window) -> int:
        """How many samples count towards the smallest number: those in the window, else since the step was entered."""
        name = node.name if isinstance(node, Name) else node.metric.name
        series = self.facts.series.get(name)
        if series is None:
            return 1
        if isinstance(node, Window) and node.seconds is not None and node.function != "last":
            return len(self._good(series, self.facts.now - node.seconds * self.facts.scale))
        return self._seen_since(series, self.facts.entered if self.mean_since is None else self.mean_since)

    # -- names -------------------------------------------------------------------------------------

    def _name(self, node: Name) -> Quantity:
        if node.reference is not None:
            return self.reference(node.reference, node.name)
        series = self.facts.series.get(node.name)
        if series is not None:
            return self._metric(node.name, series)
        if node.name in self.facts.values:
            value = quantity_of(self.facts.values[node.name], self.facts.units.get(node.name))
            # A scaled environment lives faster, so that it is as old as what is written for the real one.
            return replace(value, value=value.number / decimal_of(self.facts.scale)) if self._ages(node) else value
        if node.may_be_text:
            return Quantity(node.name)
        raise UnmeasuredError(Reason.NODATA, f"nothing is known of {node.name} yet")

    def _ages(self, node: Name) -> bool:
        return node.name == "stage_age" and self.facts.scale > 0

    def reference(self, name: str, metric: str) -> Quantity:
        """The captured number of a metric under the name of a reference. Raises UnmeasuredError."""
        found = self.facts.references.get(name, {}).get(metric)
        if found is None:
            raise UnmeasuredError(Reason.NODATA, f"no {name} of {metric} was captured")
        series = self.facts.series.get(metric)
        unit = series.unit if series else self.facts.units.get(metric)
        return replace(quantity_of(found.mean, unit), n=found.n, spread=found.spread)

    def _metric(self, name: str, series: Series) -> Quantity:
        if self.mean_since is not None:
            return self._mean(name, series, self.mean_since)
        newest = self._newest(name, series)
        self._refuse_few(name, series, self.facts.entered)
        age = max(0.0, self.facts.now - newest.t)
        return replace(quantity_of(newest.value, series.unit), n=1, age=age, requests=newest.n)

    def _mean(self, name: str, series: Series, since: float) -> Quantity:
        samples = self._good(series, since - JUST_BEFORE)
        if not samples:
            raise UnmeasuredError(Reason.NODATA, f"{name} has not been seen since the step was entered")
        if any(isinstance(sample.value, str | bool) for sample in samples):
            return replace(self, mean_since=None)._metric(name, series)
        self._refuse_few(name, series, since)
        return replace(_averaged(samples, series), age=max(0.0, self.facts.now - samples[-1].t))

    def _newest(self, name: str, series: Series) -> Sample:
        newest = series.newest(self.horizon)
        if newest is None:
            if series.newest(float("inf")) is not None and self.horizon > self.facts.now:
                raise UnmeasuredError(Reason.ERROR, f"the clock of {name} is more than {LARGEST_SKEW:.0f} s ahead")
            raise UnmeasuredError(Reason.NODATA, f"{name} has no sample yet")
        problem = problem_of(newest, series)
        if problem is not None:
            raise problem
        self._refuse_old(name, series, newest)
        return newest

    def _refuse_old(self, name: str, series: Series, newest: Sample) -> None:
        age = self.facts.now - newest.t
        if age > series.oldest_allowed:
            allowed = show_duration(series.oldest_allowed)
            raise UnmeasuredError(Reason.NODATA, f"{name} is {show_duration(age)} old, older than {allowed}")

    def _refuse_few(self, name: str, series: Series, since: float | None) -> None:
        required = self.required(series)
        if required <= 1:
            return
        n = self._seen_since(series, since)
        if n < required:
            raise UnmeasuredError(Reason.NODATA, f"{name} has {n} of {required} samples")

    def _seen_since(self, series: Series, since: float | None) -> int:
        return len(self._good(series, float("-inf") if since is None else since - JUST_BEFORE))

    def _good(self, series: Series, start: float) -> list[Sample]:
        """The samples later than `start` that can be judged."""
        return [sample for sample in series.between(start, self.horizon) if problem_of(sample, series) is None]

    # -- windows -----------------------------------------------------------------------------------

    def _window(self, node: Window) -> Quantity:
        name = node.metric.name
        series = self.facts.series.get(name)
        if series is None:
            raise UnmeasuredError(Reason.NODATA, f"nothing is known of {name} yet")
        if node.function == "last" or node.seconds is None:
            return replace(self, mean_since=None)._metric(name, series)
        start = self.facts.now - node.seconds * self.facts.scale
        samples = self._good(series, start)
        if node.function == "count":
            return Quantity(decimal_of(len(samples)), "count", len(samples))
        if len(samples) < max(self.required(series), 2 if node.function == "rate" else 1):
            raise self._why_empty(name, series, start, len(samples))
        self._refuse_old(name, series, samples[-1])
        age = max(0.0, self.facts.now - samples[-1].t)
        return replace(_folded(node.function, samples, series), age=age)

    def _why_empty(self, name: str, series: Series, start: float, n: int) -> UnmeasuredError:
        newest = series.newest(self.horizon)
        problem = problem_of(newest, series) if newest is not None and newest.t > start else None
        if problem is not None and problem.reason is Reason.ERROR:
            return problem
        return UnmeasuredError(Reason.NODATA, f"{name} has {n} samples in the window, too few")

    def _treated(self, node: Treated) -> Quantity:
        metric = node.of.name if isinstance(node.of, Name) else node.of.metric.name
        whole = self.of(node.of)
        series = self.facts.series.get(metric)
        if series is not None and series.covers == "treated":
            return whole
        if not self.facts.percent:
            raise UnmeasuredError(Reason.NODATA, "nobody is treated at 0 %")
        baseline = self.reference("baseline", metric)
        share = self.facts.percent / 100
        value = decimal_of(treated_share(float(whole.number), share, float(baseline.number)))
        # How far it varies rests on both sides: `comparisons` tells its interval.
        return Quantity(value, whole.unit, fewest(whole.n, baseline.n), oldest(whole.age))


def problem_of(sample: Sample, series: Series) -> UnmeasuredError | None:
    """Why a sample cannot be judged; None where it can."""
    if sample.error:
        return UnmeasuredError(Reason.ERROR, sample.error)
    if not sample.good or sample.value is None:
        return UnmeasuredError(Reason.NODATA, "the source had no value")
    if isinstance(sample.value, int | float) and abs(sample.value) > LARGEST_NUMBER:
        return UnmeasuredError(Reason.ERROR, f"{float(sample.value):g} is larger than anything that is measured")
    dimension = dimension_of(series.unit)
    if dimension == "breakdown":
        return UnmeasuredError(Reason.ERROR, "a breakdown into shares cannot be judged")
    if dimension in (None, "version"):
        return None
    if isinstance(sample.value, bool | str):
        return UnmeasuredError(Reason.ERROR, f"the value {sample.value!r} is no number of {series.unit}")
    if dimension == "share":
        largest = 1 if series.unit == "ratio" else 100
        if not 0 <= sample.value <= largest:
            return UnmeasuredError(
                Reason.ERROR, f"{show_value(sample.value, series.unit)} is no share: it must be 0..100 %"
            )
    return None


def _folded(function: str, samples: Sequence[Sample], series: Series) -> Quantity:
    if function == "avg":
        return _averaged(samples, series)
    numbers = [quantity_of(sample.value).number for sample in samples]
    n = len(numbers)
    if function in ("min", "max"):
        return Quantity(min(numbers) if function == "min" else max(numbers), series.unit, n)
    if function == "sum":
        with localcontext(EXACT):
            return Quantity(sum(numbers, start=decimal_of(0)), series.unit, n)
    if function == "rate":
        return _rate(samples, series)
    value = quantile(sorted(float(number) for number in numbers), int(function[1:]) / 100)
    return Quantity(decimal_of(value), series.unit, n)


def _averaged(samples: Sequence[Sample], series: Series) -> Quantity:
    numbers = [quantity_of(sample.value).number for sample in samples]
    with localcontext(EXACT):
        mean = sum(numbers, start=decimal_of(0)) / len(numbers)
    spread = deviation([float(number) for number in numbers]) if len(numbers) > 1 else None
    known = [sample.n for sample in samples if sample.n is not None]
    requests = sum(known) if len(known) == len(samples) else None
    return Quantity(mean, series.unit, len(numbers), spread=spread, requests=requests)


def _rate(samples: Sequence[Sample], series: Series) -> Quantity:
    """The growth per second of a counter; where it falls it was reset, and what it shows then is all growth."""
    numbers = [float(quantity_of(sample.value).number) for sample in samples]
    grown = sum(after - before if after >= before else after for before, after in pairwise(numbers))
    elapsed = samples[-1].t - samples[0].t
    if elapsed <= 0:
        raise UnmeasuredError(Reason.NODATA, "a rate needs two samples at different times")
    return Quantity(decimal_of(grown / elapsed), series.unit, len(numbers))
