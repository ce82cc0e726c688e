"""Samples: measurements of metrics as the store keeps them and as the judge reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runbook.judge.facts import Sample, Value
from runbook.playbook.model import Metric
from runbook.rollout.site import Site
from runbook.store.base import SampleRow, StoreAway

SHORTEST_INTERVAL = 0.2  # a sandbox shortens intervals, but never below this


def interval_of(metric: Metric, scale: float) -> float:
    """How often a metric is measured, seconds, with the sandbox's scale."""
    return max(SHORTEST_INTERVAL, metric.interval * scale) if scale != 1.0 else metric.interval


def sample_of(row: SampleRow) -> Sample:
    """A kept measurement, as the judge reads it."""
    return Sample(row.t, row.text if row.text is not None else row.value, row.error)


def kept_samples(site: Site, name: str, since: float, until: float | None = None) -> list[Sample]:
    """The samples of a metric in that time; none when the store is away."""
    if site.store is None:
        return []
    try:
        return [sample_of(row) for row in site.store.samples(site.chain, name, since, until)]
    except StoreAway as away:
        site.lose_store(away)
        return []


def keep(site: Site, readings: Mapping[str, Sample], names: Sequence[str] | None = None) -> None:
    """Keep what was seen as samples; nothing happens when the store is away."""
    rows = [
        SampleRow(
            metric=name,
            t=sample.t,
            value=_number(sample.value),
            text=_text(sample.value),
            error=sample.error,
        )
        for name, sample in readings.items()
        if names is None or name in names
    ]
    if site.store is None or not rows:
        return
    try:
        site.store.keep_samples(site.chain, rows)
    except StoreAway as away:
        site.lose_store(away)


def _number(value: Value) -> float | None:
    return None if isinstance(value, (str, bool)) else value


def _text(value: Value) -> str | None:
    """A text, or a truth as a condition spells it; None for a number."""
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else None
