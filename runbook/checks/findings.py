"""What kinds share beside their options: the surroundings of one check, and findings that say more than a status."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from runbook.checks.base import Check, CheckResult, Finding, Surroundings
from runbook.judge.verdicts import Reason, Status
from runbook.system.http_messages import HttpTrouble, Request, Response
from runbook.system.secrets import VariableTrouble

LookAll = Callable[[Sequence[Check]], Awaitable[list[CheckResult]]]


@dataclass(kw_only=True)
class AroundCheck(Surroundings):
    """The surroundings of one check: itself, and how nested ones are looked at. `deadline` is that of its attempt."""

    check: Check
    look_all: LookAll

    @classmethod
    def of(cls, around: Surroundings, check: Check, look_all: LookAll) -> AroundCheck:
        shared = {field.name: getattr(around, field.name) for field in fields(Surroundings)}
        return cls(**shared, check=check, look_all=look_all)


@dataclass(frozen=True)
class Unreachable(Finding):
    """Nothing answered, or with an unexpected status: a fail where the question is *is it there*, else unknown."""


@dataclass(frozen=True)
class Rows(Finding):
    """The worst of several rows is the value; `rows` are all of them by name, of which the offenders are shown."""

    rows: Sequence[tuple[str, Any]] = ()


@dataclass(frozen=True)
class Nested(Finding):
    """The fold of nested checks."""

    results: Sequence[CheckResult] = ()


class NotTaken(Exception):  # noqa: N818 - it is told, not a fault of ours
    """A value could not be taken out of what came back, and why."""

    def __init__(self, message: str, reason: Reason = Reason.ERROR) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason


def seconds_left(around: Surroundings) -> float:
    """Until the deadline; never less than a millisecond."""
    return max(0.001, around.deadline - time.monotonic())


def unknown(message: str, reason: Reason = Reason.ERROR, observed: str = "") -> Finding:
    """A finding that says neither yes nor no."""
    return Finding(Status.UNKNOWN, observed=observed, message=message, reason=reason)


def unreachable(message: str, observed: str = "") -> Finding:
    """A finding that nothing usable answered."""
    return Unreachable(Status.UNKNOWN, observed=observed, message=message, reason=Reason.ERROR)


async def answered(request: Request | None, around: Surroundings) -> Response | Finding:
    """The answer to a request, whatever its status; a finding where there is none, or no place to start from."""
    if request is None:
        return unknown("a relative URL, and the environment has no url")
    answer = await around.asker.ask(request, seconds_left(around))
    if isinstance(answer, HttpTrouble):
        return unreachable(answer.message, observed="timed out" if answer.timed_out else "")
    return answer


def failed(message: str, observed: str = "", expected: str = "", listed: Sequence[str] = ()) -> Finding:
    """A finding that says no."""
    return Finding(Status.FAIL, observed=observed, expected=expected, message=message, listed=listed)


def without_value(trouble: VariableTrouble) -> Finding:
    """A finding that a `${...}` has no value that can stand there."""
    return unknown(f"{trouble.message} ({trouble.hint})" if trouble.hint else trouble.message)


def shown(value: Any) -> str:
    """A value taken out, as it is shown: `true`, `0.017`, the text itself, compact JSON for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int | float):
        return f"{value:.6g}" if isinstance(value, float) else str(value)[:40]
    import json

    return json.dumps(value, ensure_ascii=False)
