"""How each metric stands against its target, warning and critical. Pure, given the facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbook.checks.base import CheckResult
from runbook.judge.evaluate import evaluate
from runbook.judge.facts import Facts, Value
from runbook.judge.verdicts import Judged, Reason, Status, Verdict, verdict_of
from runbook.language.conditions import parse_condition
from runbook.language.units import show_value
from runbook.playbook.model import Metric, Playbook
from runbook.rollout.rows import counted_checks


@dataclass(frozen=True)
class MetricHealth:
    """One metric now. `level` is ok, missed, warning, critical, unknown, or shown (nothing to hold it against)."""

    name: str
    level: str
    status: Status
    value: Value
    unit: str | None
    observed: str
    target: str | None
    warning: str | None
    critical: str | None
    reason: Reason | None = None
    message: str = ""
    age: float | None = None


def health_of(playbook: Playbook, facts: Facts) -> list[MetricHealth]:
    """Every metric of the playbook."""
    return [_health(name, metric, facts) for name, metric in playbook.metrics.items()]


def _health(name: str, metric: Metric, facts: Facts) -> MetricHealth:
    limits = [("critical", metric.critical), ("warning", metric.warning)]
    judged = {level: evaluate(parse_condition(text, name), facts) for level, text in limits if text}
    if metric.target:
        judged["target"] = evaluate(parse_condition(metric.target, name), facts)
    level, status, told = _level(judged)
    value = facts.values.get(name)
    series = facts.series.get(name)
    if series is not None and series.samples and series.samples[-1].good:
        value = series.samples[-1].value
    return MetricHealth(
        name=name,
        level=level,
        status=status,
        value=None if status is Status.UNKNOWN else value,
        unit=metric.unit,
        observed="" if value is None or status is Status.UNKNOWN else show_value(value, metric.unit),
        target=metric.target,
        warning=metric.warning,
        critical=metric.critical,
        reason=told.reason if told else None,
        message=(told.message or told.observed) if told and status is Status.UNKNOWN else "",
        age=told.age if told else None,
    )


def _level(judged: dict[str, Judged]) -> tuple[str, Status, Judged | None]:
    """The gravest limit that is reached; unknown where one could not be judged."""
    for level in ("critical", "warning"):
        if level in judged and judged[level].holds:
            return level, Status.FAIL, judged[level]
    unknown = [one for one in judged.values() if one.reason is not None]
    if unknown:
        return "unknown", Status.UNKNOWN, unknown[0]
    if "target" in judged and not judged["target"].holds:
        return "missed", Status.FAIL, judged["target"]
    return ("ok" if judged else "shown"), Status.PASS, next(iter(judged.values()), None)


def verdict_of_health(rows: Sequence[MetricHealth], checks: Sequence[CheckResult], *, strict: bool) -> Verdict:
    """Critical is no-go; a warning or a missed target only under `strict`; what could not be measured is unknown."""
    counted = [Status.PASS if row.level in ("warning", "missed") and not strict else row.status for row in rows]
    return verdict_of([*counted, *counted_checks(checks, strict=strict)])
