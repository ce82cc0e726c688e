"""How long something has been true: `for`, holes in the data, and the absence of the watcher."""

from __future__ import annotations

import msgspec

from runbook.judge.verdicts import Truth

LONGEST_ABSENCE = 600.0  # after a longer one nothing can be said of the time before
SLOWEST_LOOK = 2.5  # seconds; looking does not get faster where time is shortened


class Clock(msgspec.Struct, frozen=True, omit_defaults=True):
    """Since when a condition has been true, when its truth was last known, and when it was last looked at."""

    since: float | None = None
    known: float | None = None
    seen: float | None = None

    def elapsed(self, now: float) -> float:
        """The seconds it has been true; 0 where it is not."""
        return 0.0 if self.since is None else now - self.since


def cadence(interval: float, scale: float) -> float:
    """How far apart looks may be expected, in seconds.

    Where time is shortened, an interval of 30 s becomes 30 ms, but a look still takes as long as the service needs to
    answer: that must not read as the absence of the watcher.
    """
    return max(interval, SLOWEST_LOOK) if scale < 1 else interval


def tick(clock: Clock, truth: Truth, now: float, *, interval: float, hold: float, restarted: bool = False) -> Clock:
    """One evaluation later. A false one resets; an unknown one neither counts nor resets.

    Where the truth was not known for more than two intervals while somebody looked, the next true evaluation starts
    anew. Where nobody looked (more than two intervals apart, or `restarted`), that time does not count: what had
    elapsed stays, with a grace of one interval for what was nearly due; after ten minutes it starts anew.
    """
    since, known = clock.since, clock.known
    absent = 0.0 if clock.seen is None else now - clock.seen
    if clock.seen is not None and since is not None and (restarted or absent > 2 * interval):
        since = None if absent > LONGEST_ABSENCE else _resumed(clock.seen - since, now, interval, hold)
        known = None if known is None else known + absent
    if truth is Truth.UNKNOWN:
        return Clock(since, known, now)
    if truth is Truth.FALSE:
        return Clock(None, now, now)
    if since is None or (known is not None and now - known > 2 * interval):
        since = now
    return Clock(since, now, now)


def _resumed(elapsed: float, now: float, interval: float, hold: float) -> float:
    remaining = hold - elapsed
    return now - (hold - interval) if 0 < remaining < interval else now - elapsed
