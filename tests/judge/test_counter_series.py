"""Counters over resets, redeploys and gaps: no false trigger, no missed one, on series whose truth is known.

The truth is counted event by event, apart from the judge: the requests that really came in a window.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest

from runbook.judge.evaluate import evaluate
from runbook.judge.facts import Facts, Sample, Series
from runbook.judge.verdicts import Truth
from runbook.language.conditions import parse_condition

INTERVAL = 15.0
WINDOW = 300.0  # seconds, `rate(errors_total, 5m)`
LIMIT = 2.0  # a second
NOW = 1_790_000_000.0
LENGTH = 80  # scrapes


@dataclass(frozen=True)
class Story:
    """What happened to a counter: how many a second, when its process began anew, and when nobody scraped it."""

    rates: tuple[float, ...]  # one a scrape
    resets: frozenset[int] = frozenset()
    gaps: frozenset[int] = frozenset()

    def samples(self) -> tuple[Sample, ...]:
        """What was kept: the counter as the process of that time shows it."""
        kept, value = [], 1_000_000.0
        for number, rate in enumerate(self.rates):
            value = rate * INTERVAL / 2 if number in self.resets else value + rate * INTERVAL
            if number not in self.gaps:
                kept.append(Sample(self.time(number), value))
        return tuple(kept)

    def time(self, number: int) -> float:
        return NOW - (len(self.rates) - 1 - number) * INTERVAL

    def true_rate(self) -> float:
        """How many really came a second, between the first and the last look of the window, each interval apart."""
        inside = [n for n in range(len(self.rates)) if n not in self.gaps and NOW - WINDOW < self.time(n) <= NOW]
        first, last = inside[0], inside[-1]
        came = sum(self.rates[n] * INTERVAL for n in range(first + 1, last + 1))
        return came / ((last - first) * INTERVAL)

    def lost(self) -> float:
        """The most that a reset may hide, a second: what came before it since the last look."""
        hidden = 0.0
        for reset in self.resets:
            begin = reset
            while begin > 0 and (begin - 1 in self.gaps or begin == reset):
                begin -= 1
            hidden += sum(self.rates[n] * INTERVAL for n in range(begin + 1, reset + 1))
        return hidden / WINDOW


def stories() -> list[Story]:
    """Fifty of them: calm and stormy, with resets at any moment, with gaps, and with both."""
    chance = random.Random(20260921)
    found = []
    for number in range(50):
        calm, storm = chance.uniform(0.05, 1.2), chance.uniform(3.5, 40.0)
        begins = chance.randrange(10, LENGTH)
        rates = tuple(storm if number % 2 and place >= begins else calm for place in range(LENGTH))
        resets = frozenset(chance.sample(range(1, LENGTH), number % 4))
        gaps: frozenset[int] = frozenset()
        if number % 5 >= 3:
            start = chance.randrange(1, LENGTH - 12)
            gaps = frozenset(range(start, start + chance.randrange(1, 8)))
        found.append(Story(rates, resets, gaps))
    return found


STORIES = stories()


def fires(story: Story) -> bool:
    series = Series(unit="count", samples=story.samples(), interval=INTERVAL, max_age=3 * INTERVAL)
    facts = Facts(now=NOW, series={"errors_total": series})
    judged = evaluate(parse_condition(f"rate(errors_total, 5m) > {LIMIT:g}"), facts)
    assert judged.truth is not Truth.UNKNOWN, judged
    return judged.truth is Truth.TRUE


@pytest.mark.parametrize("story", STORIES, ids=[str(number) for number in range(len(STORIES))])
def test_the_trigger_is_true_where_the_requests_really_came(story: Story) -> None:
    really, hidden = story.true_rate(), story.lost()
    if really <= LIMIT:
        assert not fires(story), really  # no reset and no gap makes a storm of a calm
    elif really - hidden > LIMIT:
        assert fires(story), (really, hidden)  # and none hides one, but for what a reset itself forgets


def test_both_outcomes_and_every_trouble_are_among_them() -> None:
    decided = [story for story in STORIES if story.true_rate() <= LIMIT or story.true_rate() - story.lost() > LIMIT]
    assert len(decided) >= 45
    assert sum(fires(story) for story in STORIES) >= 10
    assert sum(not fires(story) for story in STORIES) >= 20
    assert sum(bool(story.resets) for story in STORIES) >= 30
    assert sum(bool(story.gaps) for story in STORIES) >= 15


@pytest.mark.parametrize("at", [1, 5, 10, 15, 19])
def test_a_reset_is_all_growth_and_no_fall(at: int) -> None:
    """A calm service that is restarted: what a naive difference would call minus a million is three requests."""
    rates = tuple(0.2 for _ in range(20))
    story = Story(rates, resets=frozenset({at}))
    assert not fires(story)
    loud = Story(tuple(3.0 for _ in range(40)), resets=frozenset({20 + at}))
    assert fires(loud)


def test_a_gap_up_to_now_is_unknown_and_no_calm() -> None:
    story = Story(tuple(9.0 for _ in range(40)), gaps=frozenset(range(30, 40)))
    series = Series(unit="count", samples=story.samples(), interval=INTERVAL, max_age=3 * INTERVAL)
    judged = evaluate(parse_condition("rate(errors_total, 5m) > 2"), Facts(now=NOW, series={"errors_total": series}))
    assert judged.truth is Truth.UNKNOWN
