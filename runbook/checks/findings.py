"""What kinds share beside their options: the surroundings of one check, and findings that say more than a status."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, fields, replace
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
    """The answer to a request, whatever its status; a finding where there is none, or no place to start from.

    It is asked through the environment's proxy, if there is one. The finding tells the phase in which it ended.
    """
    if request is None:
        return unknown("a relative URL, and the environment has no url")
    try:
        request = proxied(request, around)
    except VariableTrouble as trouble:
        return without_value(trouble)
    answer = await around.asker.ask(request, seconds_left(around))
    return unanswered(answer) if isinstance(answer, HttpTrouble) else answer


def proxied(request: Request, around: Surroundings) -> Request:
    """The request with the environment's proxy, whose password is masked from now on. Raises VariableTrouble."""
    if around.proxy is None:
        return request
    from runbook.system.http_proxy import FROM_ENVIRONMENT, proxies_of_environment

    proxy = around.variables.url(around.proxy) if around.proxy != FROM_ENVIRONMENT else FROM_ENVIRONMENT
    for url in (proxy,) if proxy != FROM_ENVIRONMENT else proxies_of_environment():
        around.masker.learn_url(url)
    return replace(request, proxy=proxy)


def unanswered(trouble: HttpTrouble) -> Finding:
    """The finding of a request that got no answer.

    One that was not even sent, or that the proxy on the way did not pass on, says nothing of the other side: a look
    that takes the service for down there would roll a good release back.
    """
    if trouble.phase == "refuse":
        return unknown(trouble.message)
    if trouble.phase == "proxy":
        return replace(unknown(f"proxy: {trouble.message}"), phases=trouble.phases, phase=trouble.phase)
    return Unreachable(
        Status.UNKNOWN,
        observed="timed out" if trouble.timed_out else "",
        message=f"{trouble.phase}: {trouble.message}",
        reason=Reason.ERROR,
        phases=trouble.phases,
        phase=trouble.phase,
    )


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
