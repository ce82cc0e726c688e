"""Samples and facts as the tests of the judge need them."""

from __future__ import annotations

from typing import Any

from runbook.judge.evaluate import evaluate
from runbook.judge.facts import Facts, Sample, Series, Value
from runbook.judge.verdicts import Judged, Reason, Truth
from runbook.language.conditions import parse_condition

NOW = 100_000.0
TRUE = (Truth.TRUE, None)
FALSE = (Truth.FALSE, None)
NODATA = (Truth.UNKNOWN, Reason.NODATA)
ERROR = (Truth.UNKNOWN, Reason.ERROR)
NAN = float("nan")


def series(unit: str | None, *values: Value | Exception, step: float = 30.0, end: float = NOW, **more: Any) -> Series:
    """Values `step` apart, the last at `end`. An exception stands for a source that could not be asked."""
    first = end - step * (len(values) - 1)
    samples = (
        Sample(first + step * index, None, str(value))
        if isinstance(value, Exception)
        else Sample(first + step * index, value)
        for index, value in enumerate(values)
    )
    return Series(unit, tuple(samples), step, **more)


def judge(text: str, **facts: Any) -> Judged:
    """A condition on facts at NOW; `m=series(...)` gives a metric, any other keyword is a field of Facts."""
    return evaluate(parse_condition(text), facts_of(**facts))


def facts_of(**facts: Any) -> Facts:
    given = {name: value for name, value in facts.items() if isinstance(value, Series)}
    rest = {name: value for name, value in facts.items() if name not in given}
    return Facts(rest.pop("now", NOW), series=given, **rest)


def outcome(judged: Judged) -> tuple[Truth, Reason | None]:
    return judged.truth, judged.reason
