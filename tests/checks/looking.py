"""How the tests of checks make a check and look at it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from runbook.checks.asker import Asker
from runbook.checks.base import Answers, Check, CheckResult, Surroundings
from runbook.checks.registry import KINDS
from runbook.checks.runner import look_now, measure_now
from runbook.system.secrets import Masker
from runbook.system.variables import Variables

COMMON = {"title", "id", "timeout", "attempts", "expect", "level", "only", "unless", "reads", "checks"}


def a_check(plain: Mapping[str, Any]) -> Check:
    """A check from the mapping that a playbook would hold."""
    kind = next(key for key in plain if key in KINDS)
    options = {key: value for key, value in plain.items() if key not in COMMON}
    common = {key: value for key, value in plain.items() if key in COMMON}
    nested = tuple(a_check(part) for part in plain["all"]) if kind == "all" else ()
    return Check(
        **{"title": "Something", "id": "something", "checks": nested, **common},
        kind=kind,
        options=msgspec.convert(options, KINDS[kind]),
    )


def surroundings(
    project: Path | str = "/", *, url: str | None = None, seconds: float = 10.0, **more: Any
) -> Surroundings:
    variables = more.pop("variables", None) or Variables()
    return Surroundings(
        project=Path(project),
        environment=more.pop("environment", "staging"),
        url=url,
        variables=variables,
        masker=variables.masker,
        asker=Asker(),
        deadline=time.monotonic() + seconds,
        now=time.time(),
        **more,
    )


def looked(plain: Mapping[str, Any], around: Surroundings | None = None, **more: Any) -> CheckResult:
    return looked_all([plain], around, **more)[0]


def looked_all(
    plain: Sequence[Mapping[str, Any]], around: Surroundings | None = None, **more: Any
) -> list[CheckResult]:
    return look_now([a_check(one) for one in plain], around or surroundings(**more))


def measured(plain: Mapping[str, Any], around: Surroundings | None = None, **more: Any) -> CheckResult:
    return measure_now({"metric": a_check(plain)}, around or surroundings(**more))["metric"]


__all__ = ["Answers", "Masker", "a_check", "looked", "looked_all", "measured", "surroundings"]
