"""How far back conditions ask, and where a history has holes. Pure.

Only a window (`avg(error_rate, 7d)`) reaches back before the rung was entered: what a bake is judged on, `for` and
`M of N` are of the rung itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from runbook.language.conditions import parse_condition
from runbook.language.syntax import Window, walk
from runbook.playbook.model import Playbook

MISSED = 1.5  # intervals: what lies farther apart is a hole, as the watched share counts it
APART = 0.49  # intervals: what was read back keeps that far from what was seen; a hair less than half closes every hole
FARTHEST = 35 * 86400.0  # seconds: no condition makes more of the past be read than that
MOST = 100_000  # points of one metric that are read back at once: a month at 30 s

Span = tuple[float, float]
"""From when to when, seconds since the epoch."""


def longest_windows(playbook: Playbook) -> dict[str, float]:
    """By metric, the seconds of the longest window that any condition of the playbook asks of it."""
    longest: dict[str, float] = {}
    for text in _conditions(playbook):
        if "(" not in text:  # a window is written like a call, and reading takes longer than looking
            continue
        for node in walk(parse_condition(text).root):
            if isinstance(node, Window) and node.seconds is not None:
                name = node.metric.name
                longest[name] = max(longest.get(name, 0.0), node.seconds)
    return longest


def holes(seen: Iterable[float], span: Span, interval: float) -> list[Span]:
    """The parts of a span in which nothing was seen for more than one and a half intervals.

    Both ends of a hole are times at which something was seen, or the ends of the span.
    """
    since, until = span
    inside = sorted({time for time in seen if since <= time <= until})
    return [(a, b) for a, b in pairwise([since, *inside, until]) if b - a > MISSED * interval]


def not_asked(gaps: Sequence[Span], asked: Span | None) -> list[Span]:
    """The holes that do not lie wholly in what was asked for already: the source had nothing there."""
    if asked is None:
        return list(gaps)
    return [(a, b) for a, b in gaps if not (asked[0] <= a and b <= asked[1])]


def fitting(
    points: Iterable[tuple[float, float]], gaps: Sequence[Span], seen: Iterable[float], interval: float
) -> list[tuple[float, float]]:
    """The points that lie in a hole, away from what was seen at its ends; the ends of the span itself are free."""
    times = set(seen)
    room = [(a + APART * interval if a in times else a, b - APART * interval if b in times else b) for a, b in gaps]
    return [point for point in points if any(a <= point[0] <= b for a, b in room)]


def joined_span(asked: Span | None, now_asked: Span) -> Span:
    """What was asked for altogether; where there is a gap between, what was asked last."""
    if asked is None or asked[1] < now_asked[0] or now_asked[1] < asked[0]:
        return now_asked
    return min(asked[0], now_asked[0]), max(asked[1], now_asked[1])


def _conditions(playbook: Playbook) -> Iterator[str]:
    for stage in playbook.stages:
        yield from (gate.condition for gate in stage.gates)
        yield from (trigger.when for trigger in stage.triggers)
    yield from (row.when for row in playbook.matrix)
    yield from (one.when for one in playbook.severities.values() if one.when)
    if playbook.rollback is not None and playbook.rollback.recovered:
        yield playbook.rollback.recovered
