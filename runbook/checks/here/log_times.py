"""The time that a line of a log begins with, in the forms that logs are written in."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

import msgspec

_PREFIX = 64  # characters before the time: a level, a process, a container's name, a key
_CLF_PREFIX = 300  # characters: a host, a user, and the address of a proxy
_EARLIEST, _LATEST = 946_684_800.0, 4_102_444_800.0  # 2000 and 2100: what lies outside is no time of a log
_AHEAD = 60.0  # seconds by which two clocks may differ
_DAY = 86_400.0
_MONTH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_MONTHS = {name: number for number, name in enumerate(_MONTH.split("|"), 1)}

_ISO = re.compile(
    r"(?<!\d)(?P<date>\d{4}[-/]\d\d[-/]\d\d)[T _](?P<clock>\d\d:\d\d:\d\d)(?:[.,](?P<part>\d{1,9}))?"
    r" ?(?P<zone>Z|UTC|[+-]\d\d:?\d\d)?(?![\d:])"
)
_SYSLOG = re.compile(rf"(?<!\w)(?P<month>{_MONTH}) (?P<day>[ 0-3]?\d) (?P<clock>\d\d:\d\d:\d\d)(?!\d)")
_CLF = re.compile(
    rf"\[(?P<day>\d\d)/(?P<month>{_MONTH})/(?P<year>\d{{4}}):(?P<clock>\d\d:\d\d:\d\d) (?P<zone>[+-]\d{{4}})\]"
)
_EPOCH = re.compile(r"\[?(?P<seconds>\d{10})(?:(?P<milliseconds>\d{3})|(?P<part>\.\d{1,9}))?(?![\w.-])")


class Stamped(msgspec.Struct, frozen=True):
    """What a line of JSON says of its time, under the names in use."""

    time: Any = None
    timestamp: Any = None
    ts: Any = None
    at: Any = msgspec.field(name="@timestamp", default=None)


_STAMPED = msgspec.json.Decoder(Stamped)


def time_of(line: str, now: float) -> float | None:
    """The time of a line in seconds since the epoch; None where it has none of its own.

    A line that begins with a blank goes on with the one before. A time without a zone is local, one without a year the
    latest that is not in the future (`now`).
    """
    if line[:1] in ("", " ", "\t"):
        return None
    if line[0] == "{":
        return _of_json(line, now)
    found = _written(line[: _PREFIX + 40], now)
    if found is None and (match := _CLF.search(line, 0, _CLF_PREFIX + 30)) is not None:
        found = _common_log(match.groups())
    return found


def without_time(line: str) -> str:
    """The line without its first written time."""
    head, rest = line[: _CLF_PREFIX + 30], line[_CLF_PREFIX + 30 :]
    for shape in (_ISO, _CLF, _SYSLOG):
        head, removed = shape.subn("", head, count=1)
        if removed:
            break
    else:
        head = _EPOCH.sub("", head, count=1) if _EPOCH.match(head) else head
    return head + rest


def _written(head: str, now: float) -> float | None:
    """The time at the beginning of a text: ISO, epoch or syslog."""
    if (match := _ISO.search(head)) is not None and match.start() <= _PREFIX:
        return _iso(match["date"], match["clock"], match["part"] or "0", match["zone"] or "", now)
    if (match := _EPOCH.match(head)) is not None:
        return _plausible(float(match["seconds"] + (match["part"] or "")) + int(match["milliseconds"] or 0) / 1000)
    if (match := _SYSLOG.search(head)) is not None and match.start() <= _PREFIX:
        return _syslog(match["month"], int(match["day"]), match["clock"], now)
    return None


def _of_json(line: str, now: float) -> float | None:
    try:
        stamped = _STAMPED.decode(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):  # cut off, or no JSON after all
        return None
    told = (_told(each, now) for each in (stamped.time, stamped.timestamp, stamped.ts, stamped.at))
    return next((each for each in told if each is not None), None)


def _told(value: Any, now: float) -> float | None:
    """A value that may be a time: a text, or a number of seconds or of the smaller units that loggers count in."""
    if isinstance(value, str):
        return _written(value[:100], now)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _LATEST * 1e9:
        return None
    return next((found for unit in (1, 1e3, 1e6, 1e9) if (found := _plausible(value / unit)) is not None), None)


def _plausible(seconds: float) -> float | None:
    return seconds if _EARLIEST <= seconds <= _LATEST else None


def _iso(date: str, clock: str, part: str, zone: str, now: float) -> float | None:
    whole = _whole_second(date.replace("/", "-"), clock, zone)
    if isinstance(whole, tuple):  # the hour that the clocks go through twice
        whole = _later_of(whole, now)
    return None if whole is None else _plausible(whole + int(part) / 10 ** len(part))


@lru_cache(maxsize=8192)
def _whole_second(date: str, clock: str, zone: str) -> float | tuple[float, float] | None:
    """The time; both times where the local clock shows it twice."""
    try:
        # A leap second is the last one of its minute.
        moment = datetime.fromisoformat(f"{date}T{clock[:6]}{'59' if clock.endswith(':60') else clock[6:]}")
        offset = _offset(zone)
        if offset is not None:
            return moment.replace(tzinfo=offset).timestamp()
        first, second = moment.timestamp(), moment.replace(fold=1).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return (first, second) if first < second else first


def _later_of(two: tuple[float, float], now: float) -> float:
    """The later time unless it is in the future: a line too many is seen, one too few would be missed."""
    return two[1] if two[1] <= now + _AHEAD else two[0]


def _offset(zone: str) -> timezone | None:
    if zone in ("Z", "UTC"):
        return UTC
    if not zone:
        return None
    span = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    if span >= timedelta(days=1):
        return None
    return timezone(-span if zone[0] == "-" else span)


def _syslog(month: str, day: int, clock: str, now: float) -> float | None:
    this_year = time.localtime(now).tm_year
    for year in range(this_year + 1, this_year - 5, -1):  # 29 February may lie four years back
        found = _iso(f"{year}-{_MONTHS[month]:02}-{day:02}", clock, "0", "", now)
        if found is not None and found <= now + _DAY:
            return found
    return None


@lru_cache(maxsize=8192)
def _common_log(parts: tuple[str, str, str, str, str]) -> float | None:
    day, month, year, clock, zone = parts
    return _iso(f"{year}-{_MONTHS[month]:02}-{day}", clock, "0", zone, 0.0)
