"""The clock on the wall of a time zone: how far it is from UTC, and when that changes.

A *wall* time counts the seconds that the clock on the wall shows since 1970-01-01 00:00; moments are seconds since the
epoch, UTC. Where the clocks go forward some wall times never are, where they go back some are twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from math import ceil, floor

import msgspec

from runbook.language.places import did_you_mean

DAY = 86_400
# What `datetime` can tell, less two days so that no offset leads out of it: years 1 and 9999.
_FIRST, _LAST = -62_135_596_800 + 2 * DAY, 253_402_300_799 - 2 * DAY


class UnknownZoneError(LookupError):
    """A time zone that this machine does not know; the message says what may have been meant."""


class Stretch(msgspec.Struct, frozen=True):
    """From `start` to `end`, exclusive, the clock on the wall is `offset` seconds ahead of UTC."""

    start: float
    end: float
    offset: float


def zone_of(name: str) -> tzinfo:
    """The zone of a name such as Europe/Berlin. Raises UnknownZoneError."""
    if name == "UTC":
        return UTC  # needs no data, and spares the import
    from zoneinfo import ZoneInfo  # 18 ms that only a calendar with a zone should pay

    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # a folder (Europe) is an OSError, a path upwards a ValueError
        raise UnknownZoneError(_unknown(name)) from None


def zone_problem(name: str) -> str:
    """What is wrong with the name of a time zone, and which may have been meant; empty where it is known."""
    try:
        zone_of(name)
    except UnknownZoneError as unknown:
        return str(unknown)
    return ""


def offset_at(zone: tzinfo, moment: float) -> float:
    """By how many seconds the clock on the wall is ahead of UTC."""
    offset = datetime.fromtimestamp(min(max(moment, _FIRST), _LAST), zone).utcoffset()
    return (offset or timedelta()).total_seconds()


def stretches(zone: tzinfo, start: float, end: float) -> Iterator[Stretch]:
    """The time from `start` to `end` in pieces of at most a day, on each of which the offset is the same.

    Both ends of each day are compared: no zone changes its clocks and changes them back within one.
    """
    offset = offset_at(zone, start)
    while start < end:
        stop = min(start + DAY, end)
        following = offset_at(zone, stop)
        if following != offset:
            stop = _change(zone, start, stop)
            following = offset_at(zone, stop)
        yield Stretch(start, stop, offset)
        start, offset = stop, following


def first_at(zone: tzinfo, wall: float) -> float:
    """The first moment at which the clock shows `wall`, or the end of the hole that `wall` lies in."""
    for stretch in stretches(zone, wall - DAY, wall + DAY):
        moment = max(stretch.start, wall - stretch.offset)
        if moment < stretch.end:
            return moment
    return wall + DAY


def last_at(zone: tzinfo, wall: float) -> float:
    """The last moment at which the clock shows `wall`, or the end of the hole that `wall` lies in."""
    for stretch in reversed(list(stretches(zone, wall - DAY, wall + DAY))):
        moment = min(stretch.end, wall - stretch.offset)
        if moment > stretch.start:
            return moment
    return wall - DAY


def _change(zone: tzinfo, start: float, stop: float) -> float:
    """The whole second in (start, stop] at which the offset is no longer that of `start`."""
    low, high, before = floor(start), ceil(stop), offset_at(zone, start)
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(zone, middle) == before:
            low = middle
        else:
            high = middle
    return min(high, stop)


def _unknown(name: str) -> str:
    from zoneinfo import available_timezones

    known = sorted(available_timezones())
    if not known:
        return f"the time zone {name!r} is not known: this machine has no time zone data; install tzdata, or write UTC"
    city = name.strip().replace(" ", "_").casefold()
    # Abbreviations are not guessed at: PST is close to MST, and not the same.
    same = [zone for zone in known if city in (zone.casefold(), zone.rpartition("/")[2].casefold())]
    meant = f"did you mean {same[0]}?" if same else did_you_mean(name, [zone for zone in known if "/" in zone])
    return f"there is no time zone {name!r}; {meant or 'write it like Europe/Berlin, or UTC'}"
