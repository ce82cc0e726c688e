"""What the kinds that ask a monitoring system share: answers to several requests, and whether they are of this time."""

from __future__ import annotations

from collections.abc import Sequence

from runbook.checks.base import Finding, Surroundings
from runbook.checks.findings import AroundCheck, NotTaken, answered
from runbook.judge.verdicts import Reason
from runbook.language.durations import DurationError, parse_duration, show_duration
from runbook.system.http_messages import Request, Response

OLDEST = 90.0  # seconds: three of the intervals of a metric that names none
_OF_ITSELF = (401, 403, 407, 429)  # a login is wanted, or fewer requests


async def all_answered(requests: Sequence[Request | None], around: Surroundings) -> list[Response] | Finding:
    """The answers to requests that are asked at once; the first finding where one has no answer."""
    import asyncio

    answers = []
    for answer in await asyncio.gather(*(answered(request, around) for request in requests)):
        if isinstance(answer, Finding):
            return answer
        answers.append(answer)
    return answers


def status_told(status: int, program: str) -> str:
    """What a status without an explanation means: a server that is there may refuse or be ill, else it is another."""
    if status in _OF_ITSELF or status >= 500:
        return f"status {status}"
    return f"this does not answer as {program} does: status {status}"


def refuse_skew(clock: float, now: float) -> None:
    """Raises NotTaken where the source's clock is far from ours; both are seconds since the epoch."""
    from runbook.judge.values import LARGEST_SKEW

    if abs(clock - now) > LARGEST_SKEW:
        raise NotTaken(f"the source's clock, or a cache before it, is {show_duration(abs(clock - now))} off")


def refuse_old(sampled: float, clock: float, limit: float | None, remedy: str) -> None:
    """Raises NotTaken where a value was sampled longer than `limit` seconds before `clock`, or well after it.

    Both times are by the source's own clock.
    """
    from runbook.judge.values import LARGEST_SKEW

    age = clock - sampled
    if -age > LARGEST_SKEW:
        raise NotTaken(f"the value is of a time {show_duration(-age)} ahead")
    if limit is not None and age > limit:
        message = f"the newest sample is {show_duration(age)} old, and no more than {show_duration(limit)} is meant"
        raise NotTaken(f"{message}; {remedy}", Reason.NODATA)


def oldest_allowed(newer_than: str | None, around: Surroundings) -> float | None:
    """How many seconds old a value may be; None for a metric, of which its `max_age` is judged where it is kept.

    Where `expect` judges a check and the playbook names no age, it is what a metric has that names none either.
    """
    if newer_than is not None:
        return parse_duration(newer_than)
    judged_here = isinstance(around, AroundCheck) and around.check.expect is not None
    return OLDEST if judged_here else None


def duration_problems(**written: str | None) -> list[str]:
    """What is wrong with options that are durations, each by its name."""
    found = []
    for name, text in written.items():
        if text is None:
            continue
        try:
            if not parse_duration(text):
                found.append(f"{name} is 0: write it like 30s")
        except DurationError as trouble:
            found.append(f"{name}: {trouble}")
    return found
