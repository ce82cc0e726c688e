"""How much of a bake was watched, and when somebody is next expected to look."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise

import msgspec


class Pace(msgspec.Struct, frozen=True):
    """A look `every` so many seconds, for `for_` seconds; None goes on without an end."""

    every: float
    for_: float | None = None


Cadence = tuple[Pace, ...]
"""Paces in turn, counted from when the step was entered: every 15 m for 4 h, then every 4 h.

Where the last one ends too, nothing is expected after it: no look is due. Such time still counts against the share that
was watched as it would under the last pace, so that it is watched only where somebody looked.
"""


def watched_share(times: Iterable[float], entered: float, now: float, interval: float | Cadence) -> float:
    """How much of the time from `entered` to `now` was watched, 0 to 1, counted against `interval` seconds.

    Looks up to one and a half intervals apart leave nothing unwatched; across a longer gap one interval counts. Nothing
    was watched where nobody looked, and all of it where no time has passed since. With a cadence, the interval behind
    each look is what was expected then.
    """
    seen = sorted({time for time in times if entered <= time <= now})
    if not seen:
        return 0.0
    elapsed = now - entered
    if elapsed <= 0:
        return 1.0
    cadence = _endless(interval)
    ends = [entered, *seen, now]
    # What was missed is summed, so that all of it comes out as 1 and not as a hair less: `sampled: 100%` asks for 1.
    missed = sum(_missed(cadence, a - entered, b - a) for a, b in pairwise(ends))
    return max(0.0, 1 - missed / elapsed)


def interval_at(cadence: Cadence, age: float) -> float:
    """The seconds between looks, `age` seconds after entering; infinite where nothing is expected any more."""
    begin = 0.0
    for pace in cadence:
        if pace.for_ is None or age < begin + pace.for_:
            return pace.every
        begin += pace.for_
    return math.inf


def next_look(cadence: Cadence, entered: float, last_look: float | None, now: float) -> float:
    """When a person is next expected to look, seconds since the epoch; not later than `now` where a look is overdue.

    The first look is due one interval after entering. Behind a look, each pace asks for the next one at its own
    interval, but not before it begins; the earliest counts. Infinite where nothing is expected any more.
    """
    age = max(0.0, (last_look if last_look is not None else entered) - entered)
    due = age + _allowed(cadence, age)
    ends = math.inf if _open_ended(cadence) else sum(pace.for_ or 0.0 for pace in cadence)
    return entered + due if due <= ends and now - entered <= ends else math.inf


def _missed(cadence: Cadence, age: float, gap: float) -> float:
    """How much of a gap behind a look at `age` counts as not watched: half an interval late is not late."""
    allowed = _allowed(cadence, age)
    grace = min(allowed, interval_at(cadence, age + allowed)) / 2
    return 0.0 if gap <= allowed + grace else gap - allowed


def _allowed(cadence: Cadence, age: float) -> float:
    """How many seconds after a look at `age` the next one is expected; infinite without a pace in force."""
    begin, allowed = 0.0, math.inf
    for pace in cadence:
        end = math.inf if pace.for_ is None else begin + pace.for_
        if age < end:
            allowed = min(allowed, max(pace.every, begin - age))
        begin = end
    return allowed


def _open_ended(cadence: Cadence) -> bool:
    return any(pace.for_ is None for pace in cadence)


def _endless(interval: float | Cadence) -> Cadence:
    """The cadence with its last pace going on; a plain interval is one pace."""
    if isinstance(interval, int | float):
        return (Pace(interval),)
    return interval if _open_ended(interval) or not interval else (*interval[:-1], Pace(interval[-1].every))
