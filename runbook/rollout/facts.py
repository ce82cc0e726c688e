"""What the judge is told: the playbook's metrics, the samples kept, this look's readings, and what is built in."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from runbook.checks.base import Check
from runbook.judge.evaluate import evaluate
from runbook.judge.facts import Facts, Series, Value
from runbook.judge.verdicts import STATUS_OF, Judged, Truth
from runbook.language.conditions import names_in, parse_condition
from runbook.playbook.model import Metric
from runbook.rollout.bake import elapsed_since
from runbook.rollout.history import longest_windows
from runbook.rollout.last_good import keep_last_good
from runbook.rollout.looking import Look, look, look_with_build
from runbook.rollout.read_back import read_back
from runbook.rollout.references import references_of
from runbook.rollout.requests import resting_on
from runbook.rollout.samples import interval_of, keep, kept_samples
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing, standing_of
from runbook.rollout.versions import note_version

WHEN_DEADLINE = 5.0  # seconds
SANDBOX_MAX_AGE = 5.0  # seconds: a scaled age would be shorter than one look on a busy machine
WINDOW_KEPT = 3600.0  # how far back samples are read where nothing was entered, seconds


def facts_of(
    site: Site,
    standing: Standing,
    look: Look | None,
    *,
    since: float | None = None,
    unread: Mapping[str, str] | None = None,
) -> Facts:
    """Everything that conditions may be judged on. `since` widens the samples read back, seconds since the epoch.

    `unread` tells by metric why the history of its source could not be had.
    """
    state, now, scale = site.state(), site.clock.wall(), site.environment.bake_scale
    position = standing.position
    entered = position.baking_since if position is not None and standing.entered else None
    start = min(x for x in (since, entered, now - WINDOW_KEPT * max(scale, 0.001)) if x is not None)
    windows, troubles = longest_windows(site.playbook), unread or {}
    series: dict[str, Series] = {}
    values: dict[str, Value] = builtins_of(site, standing)
    units: dict[str, str | None] = {}
    for name, metric in site.playbook.metrics.items():
        if metric.counter is not None:
            values[name], units[name] = float(state.counted(metric.counter, entered or 0.0)), metric.unit or "count"
        elif metric.value is not None:
            values[name], units[name] = metric.value, metric.unit
        else:
            reach = min(start, now - windows.get(name, 0.0) * scale)
            series[name] = _series(site, name, metric, reach, look, troubles.get(name, ""))
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


def _series(site: Site, name: str, metric: Metric, start: float, look: Look | None, unread: str) -> Series:
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
        unread=unread,
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


@dataclass(frozen=True)
class Sight:
    """What is seen from where we stand. `told` says that a new build came in, where it did."""

    standing: Standing
    look: Look
    facts: Facts
    told: str = ""


def look_from_here(site: Site, checks: Sequence[Check], deadline: float) -> Sight:
    """Ask these checks, every metric and the version, within `deadline` seconds, and keep what they gave."""
    until = time.monotonic() + deadline
    shown, _ = site.flags_or_trouble()
    standing = standing_of(site.playbook, site.state(), shown)
    here = standing.position
    percent, stage = (here.percent, here.stage) if here else (None, None)
    if standing.entered:
        seen = look_with_build(site, checks, deadline=deadline, percent=percent, stage=stage)
    else:
        seen = look(site, checks, metrics=True, deadline=deadline, percent=percent, stage=stage)
    return kept_sight(site, standing, seen, until)


def kept_sight(site: Site, standing: Standing, seen: Look, until: float | None = None) -> Sight:
    """What a look comes to that is kept: its samples, what its sources kept while nobody looked, and a new build that
    it saw, which begins the bake again. `until` is the end of the look, on the monotonic clock.
    """
    keep(site, seen.readings)
    keep_last_good(site, seen.checks)
    told = note_version(site, standing, seen)
    before, now = standing.position, site.state().position
    if before is not None and now is not None and now.since == before.since:
        standing = replace(standing, position=now)
    unread = read_back(site, standing, seen, until)
    return Sight(standing, seen, facts_of(site, standing, seen, unread=unread), told)


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
