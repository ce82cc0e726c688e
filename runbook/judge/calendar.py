"""The calendar: when steps up are made, and when not. It never binds a way down.

A window is open whenever the clock on the wall of its zone shows one of its hours. So where the clocks go forward, what
lies in the hole is not there, and what begins in it begins at its end; where they go back, the repeated hour is open
both times. A freeze is one stretch: from the first time that the clock shows its start to the last time that it shows
its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, tzinfo
from itertools import pairwise

import msgspec

from runbook.judge.windows import CalendarError, Freeze, Window, parse_freeze_edge, parse_windows, wall_of
from runbook.judge.zones import (
    DAY,
    Stretch,
    UnknownZoneError,
    first_at,
    last_at,
    offset_at,
    stretches,
    zone_of,
    zone_problem,
)

__all__ = [
    "Calendar",
    "CalendarError",
    "Freeze",
    "Standing",
    "Window",
    "calendar_at",
    "parse_freeze_edge",
    "parse_windows",
    "zone_problem",
]

DAYS_AHEAD = 400  # a year, and what is left of a freeze at its end
_NEVER = float("inf")


class Calendar(msgspec.Struct, frozen=True):
    """Open in its windows (with none: always), except in its freezes; all by the clock of `timezone`."""

    timezone: str = "UTC"
    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()

    @property
    def text(self) -> str:
        """`Mon-Thu 09:00-16:00 (Europe/Berlin)`."""
        windows = ", ".join(window.text for window in self.windows)
        return f"{windows} ({self.timezone})" if windows else "at any time"


class Standing(msgspec.Struct, frozen=True):
    """Whether the calendar is open, and `why`: the reason of the freeze, else the windows, and what is odd about them.

    Times are seconds since the epoch. Where it is open, `closes_at` is when it closes (None: not within 400 days) and
    `opens_at` is None. Where it is closed, `opens_at` is when it opens (None: not within 400 days) and `closes_at` when
    it closes after that. `frozen` says that a freeze closes it now.
    """

    open: bool
    why: str
    opens_at: float | None
    closes_at: float | None
    frozen: bool = False


class _Frozen(msgspec.Struct, frozen=True):
    start: float
    end: float
    why: str


def calendar_at(calendar: Calendar, now: float) -> Standing:
    """How the calendar stands at `now`, seconds since the epoch. With a zone that is not known here it is closed."""
    try:
        zone = zone_of(calendar.timezone)
    except UnknownZoneError as unknown:
        return Standing(open=False, why=str(unknown), opens_at=None, closes_at=None)
    frozen, horizon = _frozen_from(calendar, zone, now), now + DAYS_AHEAD * DAY
    reasons = [freeze.why for freeze in frozen if freeze.start <= now]
    later: list[str] = []
    for start, end in _openings(calendar, zone, now, horizon):
        opens, passed = _past_freezes(start, end, frozen)
        if opens < end:
            closes = min([end, *(freeze.start for freeze in frozen if freeze.start > opens)])
            closes_at = closes if closes < horizon else None
            if opens <= now:
                return Standing(open=True, why=calendar.text, opens_at=None, closes_at=closes_at)
            if opens < horizon:
                notes = [*_then(reasons, [*later, *passed]), *_holes(calendar, zone, now, opens)]
                return Standing(False, _joined(reasons or [calendar.text], notes), opens, closes_at, bool(reasons))
        later.extend(passed)
    notes = [*_then(reasons, later), f"no window within {DAYS_AHEAD} days"]
    return Standing(False, _joined(reasons or [calendar.text], notes), None, None, bool(reasons))


def _frozen_from(calendar: Calendar, zone: tzinfo, now: float) -> list[_Frozen]:
    """The freezes that are not over yet, the earliest first."""
    found: list[_Frozen] = []
    for freeze in calendar.freezes:
        if wall_of(freeze.end) < now - DAY:
            continue
        start, end = first_at(zone, wall_of(freeze.start)), last_at(zone, wall_of(freeze.end))
        if max(start, now) < end:
            found.append(_Frozen(start, end, freeze.text))
    return sorted(found, key=lambda freeze: (freeze.start, freeze.end))


def _past_freezes(start: float, end: float, frozen: Sequence[_Frozen]) -> tuple[float, list[str]]:
    """The first moment from `start` on that is not frozen, as far as `end`, and why not before."""
    passed: list[str] = []
    for freeze in frozen:
        if freeze.start <= start < min(freeze.end, end):
            start = freeze.end
            passed.append(freeze.why)
    return start, passed


def _openings(calendar: Calendar, zone: tzinfo, start: float, end: float) -> Iterator[tuple[float, float]]:
    """The times at which windows are open, in order, those that touch as one; without windows all of it."""
    if not calendar.windows:
        yield start, _NEVER
        return
    opened, closed = start, start
    for stretch in stretches(zone, start, end):
        for first, last in sorted(_open_in(calendar.windows, stretch)):
            if first > closed:
                if closed > opened:
                    yield opened, closed
                opened = first
            closed = max(closed, last)
    if closed > opened:
        yield opened, closed


def _open_in(windows: Sequence[Window], stretch: Stretch) -> Iterator[tuple[float, float]]:
    """The parts of a stretch in which a window is open."""
    for wall, window in _walls(windows, stretch.start + stretch.offset, stretch.end + stretch.offset):
        first = max(stretch.start, wall - stretch.offset)
        last = min(stretch.end, wall + window.minutes * 60 - stretch.offset)
        if first < last:
            yield first, last


def _walls(windows: Sequence[Window], start: float, end: float) -> Iterator[tuple[int, Window]]:
    """Every window that may touch these wall times, with the wall time at which it begins."""
    # It may have begun the day before. Day 0, 1970-01-01, was a Thursday.
    for day in range(int(start // DAY) - 1, int(end // DAY) + 1):
        for window in windows:
            if (day + 3) % 7 in window.days:
                yield day * DAY + window.start * 60, window


def _holes(calendar: Calendar, zone: tzinfo, now: float, opens: float) -> list[str]:
    """What is not there, from today until it opens, because the clocks go forward over it."""
    notes: list[str] = []
    today = (now + offset_at(zone, now)) // DAY
    for before, after in pairwise(stretches(zone, now - DAY, opens)):
        hole, end = before.end + before.offset, before.end + after.offset
        for wall, window in _walls(calendar.windows, hole, end):
            if hole <= wall and wall + window.minutes * 60 <= end and wall // DAY >= today:
                day = date.fromordinal(date(1970, 1, 1).toordinal() + wall // DAY)
                notes.append(f"{window.hours} does not exist on {day.day} {day:%b}: the clocks go forward")
    return notes


def _then(reasons: Sequence[str], later: Sequence[str]) -> list[str]:
    """The freezes that are still to come before it opens, those left out that are the reason already."""
    new = (why for why in later if why not in reasons)
    return [f"then {why}" if why.startswith("frozen ") else f"then frozen: {why}" for why in new]


def _joined(reasons: Sequence[str], notes: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys([*reasons, *notes]))
