"""Looking: checks and metrics asked at once, within one deadline, each request made once."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runbook.checks.base import Check, CheckResult, Surroundings
from runbook.judge.facts import Sample
from runbook.judge.values import LARGEST_NUMBER
from runbook.judge.verdicts import Status
from runbook.playbook.model import Metric
from runbook.rollout.answers import KeptAnswers
from runbook.rollout.site import Site

CLOCK_GRAIN = 2.0  # seconds
BUILD = ""  # the place of the version among what is measured: no metric is called so


@dataclass(frozen=True)
class Look:
    """What one look saw. `at` is seconds since the epoch; `readings` are the metrics' new samples.

    `version` is what the environment said of its build, where that was asked.
    """

    at: float
    checks: Sequence[CheckResult] = ()
    readings: Mapping[str, Sample] = field(default_factory=dict)
    metrics: Mapping[str, CheckResult] = field(default_factory=dict)
    version: CheckResult | None = None


def surroundings(
    site: Site, deadline: float, *, percent: float | None, stage: str | None, dry_run: bool = False
) -> Surroundings:
    """What the checks of this site may know. `deadline` is in seconds from now."""
    from runbook.checks.asker import Asker

    state, now = site.state(), site.clock.wall()
    context = {"percent": f"{percent:g}"} if percent is not None else {}
    if stage is not None:
        context["stage"] = stage
    playbook = site.playbook
    return Surroundings(
        project=site.project,
        environment=site.environment.name,
        url=site.environment.url,
        variables=site.variables(context),
        masker=site.masker,
        asker=Asker(site.environment.at_once),
        deadline=time.monotonic() + deadline,
        now=now,
        flag_files=site.flag_files(),
        safe=playbook.flags.safe if playbook.flags else {},
        percent=percent,
        stage=stage,
        answers=KeptAnswers(state, now),
        dry_run=dry_run,
        protected=site.environment.protected,
        proxy=site.environment.proxy,
        builtins={"percent": percent, "fraction": None if percent is None else percent / 100, "stage": stage},
    )


def look(
    site: Site,
    checks: Sequence[Check],
    *,
    metrics: bool,
    deadline: float,
    percent: float | None = None,
    stage: str | None = None,
    dry_run: bool = False,
) -> Look:
    """Ask these checks, and all metrics when wanted."""
    around = surroundings(site, deadline, percent=percent, stage=stage, dry_run=dry_run)
    return _look(site, checks, measured_of(site) if metrics else {}, around)


def look_with_build(
    site: Site, checks: Sequence[Check], *, deadline: float, percent: float | None, stage: str | None
) -> Look:
    """Ask these checks, all metrics, and which build runs where the environment says how that is asked."""
    version = site.environment.version
    asked = measured_of(site) | ({BUILD: version} if version is not None else {})
    return _look(site, checks, asked, surroundings(site, deadline, percent=percent, stage=stage))


def measured_of(site: Site) -> dict[str, Check]:
    """The metrics that are asked for, with their checks."""
    return {name: metric.check for name, metric in site.playbook.metrics.items() if metric.check}


def _look(site: Site, checks: Sequence[Check], asked: Mapping[str, Check], around: Surroundings) -> Look:
    at = site.clock.wall()
    if not checks and not asked:
        return Look(at)
    from runbook.checks.runner import look_and_measure_now

    results, measured = look_and_measure_now(checks, asked, around)
    build = measured.pop(BUILD, None)
    readings = {name: reading(site.playbook.metrics[name], row, row.checked_at or at) for name, row in measured.items()}
    return Look(at, tuple(results), readings, measured, build)


def ask(
    site: Site, checks: Sequence[Check], seconds: float, *, percent: float | None, stage: str | None
) -> list[CheckResult]:
    """Ask checks once, within `seconds`: what a verify does at each turn."""
    return list(look(site, checks, metrics=False, deadline=seconds, percent=percent, stage=stage).checks)


def reading(metric: Metric, row: CheckResult, at: float) -> Sample:
    """One metric's new sample from how its check came out: a value, no data, or an error."""
    # A Date header counts whole seconds, and skew below two seconds is not told: only what is older is old.
    source = row.measured_at
    when = source if source is not None and at - source > CLOCK_GRAIN else at
    if row.status is Status.UNKNOWN:
        no_data = row.reason == "nodata"
        return Sample(at, None, "" if no_data else (row.message or "it could not be asked"))
    if row.status is Status.FAIL:
        return Sample(at, None, row.message or "it could not be asked")
    value = row.value
    if isinstance(value, bool) and metric.unit is not None:
        return Sample(at, None, f"{metric.name} gave {str(value).lower()}, a number was meant")
    if isinstance(value, int | float) and LARGEST_NUMBER < abs(value) < math.inf:
        return Sample(at, None, f"{metric.name} gave a number that is larger than anything that is measured")
    if isinstance(value, bool) or value is None or isinstance(value, (int, float, str)):
        return Sample(min(when, at), float(value) if isinstance(value, int) and not isinstance(value, bool) else value)
    return Sample(at, None, f"{metric.name} gave {type(value).__name__}, one value was meant")
