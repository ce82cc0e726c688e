"""What kept samples tell of an incident: when it began, how bad each metric was, how many requests there were. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from runbook.judge.evaluate import evaluate
from runbook.judge.facts import Facts, Sample, Series
from runbook.language.conditions import parse_condition
from runbook.language.units import show_value
from runbook.playbook.model import Metric

LOOKED_BEFORE = 3600.0  # how long before the first sign samples are looked at, seconds
RECENT = 300.0  # a critical value this long before the first sign still belongs to it, seconds
_COUNTS_REQUESTS = re.compile(r"(?:^|_)(?:requests|queries|calls|hits)(?:_|$)")

Samples = Mapping[str, Sequence[Sample]]


@dataclass(frozen=True)
class Span:
    """The time that is meant, seconds since the epoch: the harm from `began` to `until`, its metrics to `watched`."""

    began: float
    until: float
    watched: float


@dataclass(frozen=True)
class Point:
    """A value at a time (seconds since the epoch), as it is shown: `2.6 %`."""

    at: float
    shown: str


@dataclass(frozen=True)
class MetricStory:
    """One metric over the incident. `worst` is by its limit, None without one; `range` tells how far it went.

    `before` is the last value before the beginning, `last` the newest one until the incident was resolved; `count` is
    how many values there were in that time.
    """

    name: str
    limit: str
    before: Point | None
    worst: Point | None
    range: str
    last: Point | None
    count: int


@dataclass(frozen=True)
class Requests:
    """How many requests a metric counted while it went on, and how many of them reached the changed share.

    `affected` says it in words (`about 120`), empty where the percentage is not known. `at_least` tells that the
    samples do not cover all of the time.
    """

    metric: str
    total: int
    affected: str
    at_least: bool


@dataclass(frozen=True)
class Beginning:
    """What samples tell of the beginning: when, and which metric was how critical."""

    at: float
    what: str


def first_critical(signalled: float, metrics: Mapping[str, Metric], samples: Samples) -> Beginning | None:
    """When the metrics that were critical at the first sign had become so; the earliest of them."""
    found = [
        Beginning(first.t, f"{name} was {_shown(first, metric)} (critical {metric.critical})")
        for name, metric in metrics.items()
        if metric.critical and (first := _run_of_critical(name, metric, samples.get(name, ()), signalled)) is not None
    ]
    return min(found, key=lambda one: one.at, default=None)


def _run_of_critical(name: str, metric: Metric, samples: Sequence[Sample], signalled: float) -> Sample | None:
    """The first sample of the unbroken run of critical values that leads to the first sign."""
    condition = parse_condition(f"{name} {metric.critical}")
    first: Sample | None = None
    for sample in reversed([one for one in samples if one.t <= signalled]):
        if not sample.good:
            continue  # what was not measured neither breaks the run nor begins it
        if first is None and signalled - sample.t > max(RECENT, 3 * metric.interval):
            return None
        if not evaluate(condition, Facts(sample.t, {name: Series(metric.unit, (sample,))})).holds:
            break
        first = sample
    return first


def metric_story(metric: Metric, samples: Sequence[Sample], span: Span) -> MetricStory | None:
    """One metric over the incident; None where it was not measured, or where it only counts."""
    good = [one for one in samples if one.good]
    within = [one for one in good if span.began <= one.t <= span.watched]
    if not within or metric.is_ == "counter":
        return None
    before = [one for one in good if one.t < span.began]
    numbers = [(float(one.value), one) for one in within if isinstance(one.value, int | float)]
    rising = rises_to_worse(metric)
    worst = None
    if numbers and rising is not None:
        worst = (max if rising else min)(numbers, key=lambda one: one[0])[1]
    values = [value for value, _ in numbers]
    ends = [show_value(value, metric.unit) for value in (min(values), max(values))] if values else []
    return MetricStory(
        name=metric.name,
        limit=limit_of(metric),
        before=_point(before[-1], metric) if before else None,
        worst=_point(worst, metric) if worst else None,
        range=" .. ".join(dict.fromkeys(ends)),
        last=_point(within[-1], metric),
        count=len(within),
    )


def _shown(sample: Sample, metric: Metric) -> str:
    return show_value(sample.value, metric.unit)


def _point(sample: Sample, metric: Metric) -> Point:
    return Point(sample.t, _shown(sample, metric))


def limit_of(metric: Metric) -> str:
    """The gravest limit that the playbook names: `critical > 5%`."""
    named = (("critical", metric.critical), ("warning", metric.warning), ("target", metric.target))
    return next((f"{name} {text}" for name, text in named if text), "")


def rises_to_worse(metric: Metric) -> bool | None:
    """Whether a higher value is a worse one, by the metric's limits; None where they do not tell."""
    for text, bad in ((metric.critical, ">"), (metric.warning, ">"), (metric.target, "<")):
        if text and text.lstrip()[0] in "<>":
            return text.lstrip()[0] == bad
    return None


def requests_of(metric: Metric, samples: Sequence[Sample], span: Span, percent: float | None) -> Requests | None:
    """The requests counted between beginning and end, where this metric is a counter named after them.

    A counter that falls was started anew and counts from zero. None where fewer than two values tell.
    """
    if metric.is_ != "counter" or not _COUNTS_REQUESTS.search(metric.name):
        return None
    numbers = [(one.t, float(one.value)) for one in samples if one.good and isinstance(one.value, int | float)]
    base = [one for one in numbers if span.began - 3 * metric.interval <= one[0] <= span.began][-1:]
    within = [*base, *(one for one in numbers if span.began < one[0] <= span.until)]
    if len(within) < 2:
        return None
    total = sum(new - old if new >= old else new for (_, old), (_, new) in pairwise(within))
    share = 1.0 if metric.covers == "treated" else None if percent is None else percent / 100
    covered = bool(base) and span.until - within[-1][0] < metric.interval
    return Requests(metric.name, round(total), "" if share is None else _about(total * share), not covered)


def _about(number: float) -> str:
    if number == round(number):
        return f"{round(number):,}"
    return f"about {round(number):,}" if number >= 1 else "fewer than one"
