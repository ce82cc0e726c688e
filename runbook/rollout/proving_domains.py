"""What the names of an `expect`, and those of a playbook's rules, can be."""

from __future__ import annotations

import re
from collections.abc import Mapping

from runbook.checks.base import Check
from runbook.judge.reachable import Domain
from runbook.language.algebra import TEXT
from runbook.playbook.model import Playbook, Stage
from runbook.rollout.proving_shell import counts_things

COUNT = Domain("count")
RATIO = Domain("ratio")
SECONDS = Domain("s")
BYTES = Domain("bytes")
ANY = Domain()
_STATUSES = tuple(float(status) for status in (200, 204, 301, 302, 400, 401, 403, 404, 429, 500, 502, 503))
_COUNTING = re.compile(r"\s*select\s+(?:pg_catalog\.)?count\s*\(", re.IGNORECASE)
_REDIS_COUNTS = frozenset(
    [
        "LLEN",
        "SCARD",
        "ZCARD",
        "ZCOUNT",
        "ZLEXCOUNT",
        "HLEN",
        "HSTRLEN",
        "XLEN",
        "STRLEN",
        "DBSIZE",
        "EXISTS",
        "PFCOUNT",
    ]
)
_BY_KIND: Mapping[str, Mapping[str, Domain]] = {
    "http": {"status": Domain(fixed=_STATUSES), "time": SECONDS},
    "load": {"p50": SECONDS, "p95": SECONDS, "p99": SECONDS, "value": SECONDS, "errors": RATIO, "rate": COUNT},
    "disk": {"free": BYTES, "total": BYTES, "used": RATIO, "inodes": RATIO, "value": ANY},
    "machine": {"cpu": RATIO, "memory": RATIO, "swap": RATIO, "load": Domain(least=0.0), "value": Domain(least=0.0)},
    "file": {"size": BYTES, "age": SECONDS},
    "log": {"count": COUNT, "lines": COUNT, "share": RATIO},
    "tcp": {"value": SECONDS, "time": SECONDS},
    "dns": {"value": COUNT, "time": SECONDS},
}


def domains_of_expect(check: Check) -> dict[str, Domain]:
    """What a check takes out, by name; what is not listed here can be anything."""
    options = check.options
    known = dict(_BY_KIND.get(check.kind, {}))
    if _counts(check):
        known["value"] = COUNT
    elif check.kind == "log":
        known["value"] = RATIO if getattr(options, "share", None) else COUNT
    elif check.kind == "machine":
        known["value"] = known.get(options.machine, ANY)
    elif check.kind == "disk":
        known["value"] = known.get(str(getattr(options, "take", "")), ANY)
    return known


def _counts(check: Check) -> bool:
    """Whether the value is a number of things: lines, entries of a list, rows that are counted."""
    options = check.options
    if getattr(options, "lines", None) is True or getattr(options, "list_", None) or check.kind == "alertmanager":
        return True
    if check.kind == "redis":
        return options.command[:1] != () and options.command[0].upper() in _REDIS_COUNTS
    if check.kind == "run":
        return not options.jq and options.matches is None and counts_things(options.run)
    return check.kind == "sql" and _COUNTING.match(options.query) is not None and options.worst is None


def domains_here(playbook: Playbook, stage: Stage | None) -> dict[str, Domain]:
    """What the metrics, counters and constants of a playbook can be, and what is built in, where a rule is judged."""
    found: dict[str, Domain] = {}
    for name, metric in playbook.metrics.items():
        if metric.value is not None:
            found[name] = Domain(metric.unit, fixed=(metric.value,))
        elif metric.counter is not None:
            found[name] = Domain(metric.unit or "count", least=0.0)
        else:
            found[name] = Domain(metric.unit, measured=True, covers=metric.covers)
    stages = [stage] if stage is not None else list(playbook.stages)
    percents = tuple(dict.fromkeys(rung.percent for one in stages for rung in one.rungs)) or (0.0,)
    return {
        "percent": Domain("percent", fixed=percents),
        "fraction": Domain("ratio", fixed=tuple(percent / 100 for percent in percents)),
        "stage": Domain(TEXT, fixed=tuple(one.name for one in stages) or ("",)),
        "stage_age": SECONDS,
        "incidents": COUNT,
        "incidents_p0": COUNT,
        "rollbacks": COUNT,
        **found,
    }


def percents_here(playbook: Playbook, stage: Stage | None) -> tuple[float, ...]:
    """The percentages at which a rule is judged."""
    stages = [stage] if stage is not None else list(playbook.stages)
    return tuple(dict.fromkeys(rung.percent for one in stages for rung in one.rungs))
