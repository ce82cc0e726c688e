"""Values that have a unit of their own: what an `expect` may compare them with."""

from __future__ import annotations

from collections.abc import Mapping

from runbook.checks.base import Finding, Surroundings
from runbook.checks.findings import AroundCheck, unknown
from runbook.language.checking import condition_problems
from runbook.language.conditions import parse_condition


def misfit(around: Surroundings, units: Mapping[str, str | None]) -> Finding | None:
    """A finding that `expect` is a slip of the unit (`free > 10%`, `used < 90`), which might always hold; else None.

    `units` names every value that the kind gives, its main one as `value`, with a unit of `language.units` or None.
    """
    expect = around.check.expect if isinstance(around, AroundCheck) else None
    if expect is None:
        return None
    try:
        problems = condition_problems(parse_condition(expect, subject="value"), units)
    except ValueError:  # the judge says what is wrong with its text
        return None
    if not problems:
        return None
    first = problems[0]
    return unknown(f"expect: {first.message}; {first.hint}" if first.hint else f"expect: {first.message}")
