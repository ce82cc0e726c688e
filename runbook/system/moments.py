"""Moments as operators type them: `2h` from now, `friday`, `14:30`, `2026-11-28`, `2026-11-28T12:00`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from runbook.language.durations import DurationError, parse_duration
from runbook.language.places import did_you_mean
from runbook.system.clock import local_day_and_clock, utc
from runbook.system.refusals import Refusal

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
EXAMPLES = "write it like 2d, friday, 14:30, 2026-11-28 or 2026-11-28T12:00"

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DATE_AND_CLOCK = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def parse_moment(text: str, now: float) -> float:
    """The moment that is meant, in seconds since the epoch; `now` is the same.

    A duration counts from now. A day, by date or by name, is meant to its end, `friday` being the next one, today
    included; a time of day is the next one. All are of the operator's zone. Raises `Refusal` for what is no moment and
    for what is past.
    """
    written = text.strip()
    try:
        moment = _moment(written, now)
    except (ValueError, OverflowError, OSError):
        raise Refusal(f"{text!r} is no moment{_meant(written)}", next_steps=[EXAMPLES]) from None
    if moment <= now:
        said = f"{local_day_and_clock(moment, now)} is past: it is {local_day_and_clock(now, now)} now"
        raise Refusal(f"{text!r} is over; {said}", next_steps=[EXAMPLES])
    return moment


def dated(seconds: float) -> str:
    """`Mon 24 Nov 09:00` in the operator's zone."""
    moment = utc(seconds).astimezone()
    return f"{moment:%a} {moment.day} {moment:%b %H:%M}"


def _moment(written: str, now: float) -> float:
    here = utc(now).astimezone().replace(tzinfo=None)
    if _DATE.fullmatch(written):
        return _end_of(datetime.fromisoformat(written))
    if _DATE_AND_CLOCK.fullmatch(written):
        return datetime.fromisoformat(written).astimezone().timestamp()
    if clock := _CLOCK.fullmatch(written):
        at = here.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
        return (at if at > here else at + timedelta(days=1)).astimezone().timestamp()
    if (day := _day(written)) is not None:
        return _end_of(here + timedelta(days=(day - here.weekday()) % 7))
    return now + parse_duration(written)


def _end_of(day: datetime) -> float:
    following = day.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return following.astimezone().timestamp()


def _day(written: str) -> int | None:
    """The number of a day of the week, from its name or its first three letters."""
    name = written.casefold()
    return next((number for number, day in enumerate(DAYS) if name in (day, day[:3])), None)


def _meant(written: str) -> str:
    if meant := did_you_mean(written.casefold(), DAYS):
        return f"; {meant}"
    try:
        parse_duration(written)
    except DurationError as trouble:
        return f": {trouble}" if written[:1].isdigit() and "has no unit" in str(trouble) else ""
    return ""
