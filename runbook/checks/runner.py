"""Looks at many checks at once, within one deadline, each apart from the others: one that breaks is one row."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from runbook.checks.base import Check, CheckResult, Surroundings
from runbook.checks.rows import late_row, row

T = TypeVar("T")

_GRACE = 0.1  # seconds that a look may take longer than its deadline: for kinds that tell their own time-out
_ENDING = 6.0  # seconds that the process groups of late checks are waited for


async def look(checks: Sequence[Check], around: Surroundings) -> list[CheckResult]:
    """Every check once (or its `attempts`), all at the same time, in the order given.

    Takes no longer than `around.deadline`: what is late then has failed where it asks *is it there*, else it is
    unknown. Raises nothing for what the world, or one kind of check, does. Close `around.asker` when no more is asked.
    """
    return await _all_at_once(checks, around, judge=True)


async def measure(checks: Mapping[str, Check], around: Surroundings) -> dict[str, CheckResult]:
    """The checks of metrics, by the metric's name: the value that each takes out, or why there is none.

    `expect` is not looked at, and nothing fails: a row passes with a value or is unknown.
    """
    results = await _all_at_once(list(checks.values()), around, judge=False)
    return dict(zip(checks, results, strict=True))


def look_now(checks: Sequence[Check], around: Surroundings) -> list[CheckResult]:
    """As `look`, for callers without an event loop. Threads that hang on the system do not hold it."""
    return _now(look(checks, around), around)


def measure_now(checks: Mapping[str, Check], around: Surroundings) -> dict[str, CheckResult]:
    """As `measure`, for callers without an event loop."""
    return _now(measure(checks, around), around)


def look_and_measure_now(
    checks: Sequence[Check], metrics: Mapping[str, Check], around: Surroundings
) -> tuple[list[CheckResult], dict[str, CheckResult]]:
    """Both at once, so that a request which both need is made once."""

    async def both() -> tuple[list[CheckResult], dict[str, CheckResult]]:
        looked, measured = await asyncio.gather(look(checks, around), measure(metrics, around))
        return looked, measured

    return _now(both(), around)


def _now(work: Coroutine[Any, Any, T], around: Surroundings) -> T:
    async def whole() -> T:
        try:
            return await work
        finally:
            await around.asker.close()

    return asyncio.run(whole())


async def _all_at_once(checks: Sequence[Check], around: Surroundings, judge: bool) -> list[CheckResult]:
    if not checks:
        return []

    async def look_nested(nested: Sequence[Check]) -> list[CheckResult]:
        return await _all_at_once(nested, around, judge=True)

    began = time.monotonic()
    tasks = [asyncio.create_task(row(check, around, look_nested, judge)) for check in checks]
    try:
        _, late = await asyncio.wait(tasks, timeout=max(0.0, around.deadline - began) + _GRACE)
    except asyncio.CancelledError:
        await _end(tasks)
        raise
    results = [
        late_row(check, around, began, judge) if task in late else task.result()
        for task, check in zip(tasks, checks, strict=True)
    ]
    await _end(late)
    return results


async def _end(tasks: set[asyncio.Task[CheckResult]] | list[asyncio.Task[CheckResult]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_ENDING)
