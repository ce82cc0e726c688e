"""What the judge is told: the playbook's metrics, the samples kept, this look's readings, and what is built in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from runbook.checks.base import Check
from runbook.judge.evaluate import evaluate
from runbook.judge.facts import Facts, Sample, Series, Value
from runbook.judge.verdicts import STATUS_OF, Judged, Truth
from runbook.language.conditions import names_in, parse_condition
from runbook.playbook.model import Metric
from runbook.rollout.bake import elapsed_since
from runbook.rollout.looking import Look, look, look_with_build
from runbook.rollout.references import references_of
from runbook.rollout.requests import resting_on
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing, standing_of
from runbook.rollout.versions import note_version
from runbook.store.base import SampleRow, StoreAway

SHORTEST_INTERVAL = 0.2  # a sandbox shortens intervals, but never below this
WHEN_DEADLINE = 5.0  # seconds
SANDBOX_MAX_AGE = 5.0  # seconds: a scaled age would be shorter than one look on a busy machine
WINDOW_KEPT = 3600.0  # how far back samples are read where nothing was entered, seconds


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


def facts_of(site: Site, standing: Standing, look: Look | None, *, since: float | None = None) -> Facts:
    """Everything that conditions may be judged on. `since` widens the samples read back, seconds since the epoch."""
    state, now, scale = site.state(), site.clock.wall(), site.environment.bake_scale
    position = standing.position
    entered = position.baking_since if position is not None and standing.entered else None
    start = min(x for x in (since, entered, now - WINDOW_KEPT * max(scale, 0.001)) if x is not None)
    series: dict[str, Series] = {}
    values: dict[str, Value] = builtins_of(site, standing)
    units: dict[str, str | None] = {}
    for name, metric in site.playbook.metrics.items():
        if metric.counter is not None:
            values[name], units[name] = float(state.counted(metric.counter, entered or 0.0)), metric.unit or "count"
        elif metric.value is not None:
            values[name], units[name] = metric.value, metric.unit
        else:
            series[name] = _series(site, name, metric, start, look)
    return Facts(
        now=now,
        series=_with_requests(site, series, entered),
        values=values,
        units=units,
        references=references_of(state),
        checks=_checks(look, now),
        percent=position.percent if position else None,
        entered=entered,
        scale=scale,
        service_down=service_down(look),
    )


def _series(site: Site, name: str, metric: Metric, start: float, look: Look | None) -> Series:
    scale = site.environment.bake_scale
    samples = kept_samples(site, name, start)
    fresh = look.readings.get(name) if look else None
    if fresh is not None and (not samples or samples[-1].t < fresh.t):
        samples.append(fresh)
    interval = interval_of(metric, scale)
    oldest = metric.max_age * scale if metric.max_age is not None else 3 * interval
    if scale != 1.0:
        oldest = max(SANDBOX_MAX_AGE, oldest)
    return Series(
        unit=metric.unit,
        samples=tuple(samples),
        interval=interval,
        max_age=oldest,
        min_samples=metric.min_samples,
        covers=metric.covers,
    )


def _with_requests(site: Site, series: Mapping[str, Series], entered: float | None) -> dict[str, Series]:
    """The series, each with the requests that it rests on where the playbook names the metric that counts them."""
    metrics = site.playbook.metrics
    counters = {name: metrics[name].n for name in series}
    return {
        name: resting_on(one, series[counter], grows=metrics[counter].is_ == "counter", entered=entered)
        if (counter := counters[name]) is not None and counter in series
        else one
        for name, one in series.items()
    }


def builtins_of(site: Site, standing: Standing) -> dict[str, Value]:
    """The names that every playbook has."""
    state, position = site.state(), standing.position
    incidents = state.open_incidents()
    return {
        "percent": position.percent if position else None,
        "fraction": position.percent / 100 if position else None,
        "stage": position.stage if position else None,
        "stage_age": elapsed_since(position, site.clock) if position and standing.entered else None,
        "incidents": float(len(incidents)),
        "incidents_p0": float(sum(1 for incident in incidents if incident.severity == "P0")),
        "rollbacks": float(state.rollbacks),
    }


def _checks(look: Look | None, now: float) -> dict[str, list[tuple[float, Truth]]]:
    truths = {status: truth for truth, status in STATUS_OF.items()}
    if look is None:
        return {}
    said: dict[str, list[tuple[float, Truth]]] = {}
    for row in look.checks:
        truth = truths.get(row.status, Truth.UNKNOWN)
        said.setdefault(row.check.id, []).append((now, truth))
        said.setdefault(row.check.full_id, []).append((now, truth))
    if (down := reachability(look)) is not None:
        said["service"] = [(now, Truth.FALSE if down else Truth.TRUE)]
    return said


def reachability(look: Look) -> bool | None:
    """Whether the service is down: some *is it there* check of `verify` fails; None when there is none to tell."""
    asked = [row for row in look.checks if row.check.checklist == "verify" and row.check.options.presence()]
    return any(row.status == "fail" for row in asked) if asked else None


def service_down(look: Look | None) -> bool:
    return bool(look is not None and reachability(look))


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


@dataclass(frozen=True)
class Sight:
    """What is seen from where we stand. `told` says that a new build came in, where it did."""

    standing: Standing
    look: Look
    facts: Facts
    told: str = ""


def look_from_here(site: Site, checks: Sequence[Check], deadline: float) -> Sight:
    """Ask these checks, every metric and the version, within `deadline` seconds, and keep what they gave."""
    shown, _ = site.flags_or_trouble()
    standing = standing_of(site.playbook, site.state(), shown)
    here = standing.position
    percent, stage = (here.percent, here.stage) if here else (None, None)
    if standing.entered:
        seen = look_with_build(site, checks, deadline=deadline, percent=percent, stage=stage)
    else:
        seen = look(site, checks, metrics=True, deadline=deadline, percent=percent, stage=stage)
    return kept_sight(site, standing, seen)


def kept_sight(site: Site, standing: Standing, seen: Look) -> Sight:
    """What a look comes to that is kept: its samples, and a new build that it saw, which begins the bake again."""
    keep(site, seen.readings)
    told = note_version(site, standing, seen)
    before, now = standing.position, site.state().position
    if before is not None and now is not None and now.since == before.since:
        standing = replace(standing, position=now)
    return Sight(standing, seen, facts_of(site, standing, seen), told)


def judge_now(site: Site, text: str, percent: float | None, stage: str | None) -> Judged:
    """A condition of an operation (`when`), judged now; `percent` and `stage` are where the operation goes.

    Metrics are asked only where the condition names one, and not for long: a way back does not wait for them.
    """
    condition = parse_condition(text)
    shown, _ = site.flags_or_trouble()
    standing = standing_of(site.playbook, site.state(), shown)
    named = {use.name for use in names_in(condition)}
    metrics = any(name in named for name, metric in site.playbook.metrics.items() if metric.check is not None)
    seen = look(site, [], metrics=metrics, deadline=WHEN_DEADLINE, percent=percent, stage=stage) if metrics else None
    facts = facts_of(site, standing, seen)
    there = {"percent": percent, "fraction": None if percent is None else percent / 100, "stage": stage}
    return evaluate(condition, replace(facts, values={**facts.values, **there}, percent=percent))
