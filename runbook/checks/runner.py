"""Looks at many checks at once, within one deadline, each apart from the others: one that breaks is one row."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from runbook.checks.base import Check, CheckResult, Surroundings
from runbook.checks.rows import late_row, row
from runbook.checks.turns import Turns, never_came

T = TypeVar("T")

_GRACE = 0.1  # seconds that a look may take longer than its deadline: for kinds that tell their own time-out
_ENDING = 6.0  # seconds that the process groups of late checks are waited for


async def look(checks: Sequence[Check], around: Surroundings) -> list[CheckResult]:
    """Every check once (or its `attempts`), in the order given: all at the same time, and after them, one after the
    other, those whose kind wants to be alone, nested ones too.

    Takes no longer than `around.deadline`: what is late then has failed where it asks *is it there*, else it is
    unknown. Raises nothing for what the world, or one kind of check, does. Close `around.asker` when no more is asked.
    """
    return await _looked(checks, around, Turns(1))


async def measure(checks: Mapping[str, Check], around: Surroundings) -> dict[str, CheckResult]:
    """The checks of metrics, by the metric's name: the value that each takes out, or why there is none.

    `expect` is not looked at, and nothing fails: a row passes with a value or is unknown.
    """
    return await _measured(checks, around, Turns(1))


def look_now(checks: Sequence[Check], around: Surroundings) -> list[CheckResult]:
    """As `look`, for callers without an event loop. Threads that hang on the system do not hold it."""
    return _now(look(checks, around), around)


def measure_now(checks: Mapping[str, Check], around: Surroundings) -> dict[str, CheckResult]:
    """As `measure`, for callers without an event loop."""
    return _now(measure(checks, around), around)


def look_and_measure_now(
    checks: Sequence[Check], metrics: Mapping[str, Check], around: Surroundings
) -> tuple[list[CheckResult], dict[str, CheckResult]]:
    """Both at once, so that a request which both need is made once; what wants to be alone waits for all of both."""

    async def both() -> tuple[list[CheckResult], dict[str, CheckResult]]:
        turns = Turns(2)
        looked, measured = await asyncio.gather(_looked(checks, around, turns), _measured(metrics, around, turns))
        return looked, measured

    return _now(both(), around)


def _now(work: Coroutine[Any, Any, T], around: Surroundings) -> T:
    async def whole() -> T:
        try:
            return await work
        finally:
            await around.asker.close()

    return asyncio.run(whole())


async def _looked(checks: Sequence[Check], around: Surroundings, turns: Turns) -> list[CheckResult]:
    try:
        return await _Round(around, True, turns).results(checks)
    finally:
        turns.leave()


async def _measured(checks: Mapping[str, Check], around: Surroundings, turns: Turns) -> dict[str, CheckResult]:
    try:
        results = await _Round(around, False, turns).results(list(checks.values()))
    finally:
        turns.leave()
    return dict(zip(checks, results, strict=True))


class _Round:
    """The checks of one list, looked at together. Whoever asks for it has a place among what is under way.

    That place goes to the checks, and comes back with the last of them: between the end of nested checks and another
    attempt of the list around them nothing that wants to be alone begins.
    """

    def __init__(self, around: Surroundings, judge: bool, turns: Turns) -> None:
        self._around = around
        self._judge = judge
        self._turns = turns
        self._began = time.monotonic()
        self._left = 0
        self._waiting: set[int] = set()  # those that want to be alone and had no turn yet, by their number

    async def results(self, checks: Sequence[Check]) -> list[CheckResult]:
        """Their rows, in their order, not later than the deadline."""
        if not checks:
            return []
        self._left = len(checks)
        self._waiting = {number for number, check in enumerate(checks) if check.options.alone()}
        self._turns.enter(len(checks) - len(self._waiting))
        self._turns.leave()
        tasks = [asyncio.create_task(self._row(number, check)) for number, check in enumerate(checks)]
        try:
            left = max(0.0, self._around.deadline - self._began)
            _, late = await asyncio.wait(tasks, timeout=left + _GRACE)
        except asyncio.CancelledError:
            await _end(tasks)
            raise
        results = [
            self._late(number, check) if task in late else task.result()
            for number, (task, check) in enumerate(zip(tasks, checks, strict=True))
        ]
        await _end(late)
        return results

    async def _row(self, number: int, check: Check) -> CheckResult:
        around = self._around

        async def look_nested(nested: Sequence[Check]) -> list[CheckResult]:
            nonlocal around
            results = await _Round(around, True, self._turns).results(nested)
            around = replace(around, asker=around.asker.afresh())  # another attempt asks again
            return results

        try:
            if number in self._waiting:
                await self._turns.alone()
                self._waiting.discard(number)
                around = replace(around, now=around.now + time.monotonic() - around.began)
            return await row(check, around, look_nested, self._judge)
        finally:
            self._ended(has_place=number not in self._waiting)

    def _ended(self, has_place: bool) -> None:
        self._left -= 1
        if not self._left:  # the last one gives its place back to whoever asked
            self._turns.enter(0 if has_place else 1)
        elif has_place:
            self._turns.leave()

    def _late(self, number: int, check: Check) -> CheckResult:
        late = late_row(check, self._around, self._began, self._judge)
        if number not in self._waiting:
            return late
        around = self._around
        return replace(late, observed="not begun", message=never_came(around.deadline - around.began))


async def _end(tasks: set[asyncio.Task[CheckResult]] | list[asyncio.Task[CheckResult]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_ENDING)
