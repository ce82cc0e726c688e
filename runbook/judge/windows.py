"""The words of a calendar: on which days and hours it is open (`Mon-Thu 09:00-16:00`), and from when to when not."""

from __future__ import annotations

import re
from datetime import date
from functools import cache

import msgspec

from runbook.language.places import TextError, did_you_mean

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_FULL = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SEVERAL = {
    "weekdays": (0, 1, 2, 3, 4),
    "weekend": (5, 6),
    "weekends": (5, 6),
    "daily": (0, 1, 2, 3, 4, 5, 6),
}
_DAY_OF = {name: day for day, full in enumerate(_FULL) for name in (full, full[:3])}
_DAY_OF |= {"tues": 1, "thur": 3, "thurs": 3}
_WORDS = r"\s*(?:(?P<time>\d{1,2}:\d{2}(?![\w:]))|(?P<word>[^\W\d_]+)|(?P<dash>[-\u2013])|(?P<mark>[,;]))"
_EDGE = r"\s*(\d{4})-(\d{2})-(\d{2})(?:[T ]+(\d{1,2}):(\d{2}))?\s*"
_EPOCH = date(1970, 1, 1).toordinal()
_EXAMPLE = "write it like Mon-Thu 09:00-16:00"


class CalendarError(TextError):
    """A calendar that is wrong."""


class Window(msgspec.Struct, frozen=True):
    """Hours that come back every week. `days` count from 0, Monday; `start` and `end` are minutes of the local day.

    An `end` of 1440 is the end of the day; one that is not later than `start` lies on the day after. `text` shows it.
    """

    days: tuple[int, ...]
    start: int
    end: int
    text: str

    @property
    def minutes(self) -> int:
        """How long it is open by the clock on the wall: 1 to 1440."""
        return self.end - self.start if self.end > self.start else self.end + 1440 - self.start

    @property
    def hours(self) -> str:
        """`09:00-16:00`."""
        return f"{_shown(self.start)}-{_shown(self.end)}"


class Freeze(msgspec.Struct, frozen=True):
    """A time without steps up, by the local clock: `start` is part of it, `end` is not. Both are texts as
    `parse_freeze_edge` gives them (`2025-12-20T00:00`). Raises CalendarError where it ends before it begins.
    """

    start: str
    end: str
    why: str = ""

    def __post_init__(self) -> None:
        if wall_of(self.end) <= wall_of(self.start):
            message = f"the freeze ends ({_spoken(self.end)}) before it begins ({_spoken(self.start)})"
            raise CalendarError(message, width=len(self.end), hint="write `from` before `to`")

    @property
    def text(self) -> str:
        """Why, else from when to when."""
        return self.why or f"frozen from {_spoken(self.start)} to {_spoken(self.end)}"


def parse_windows(text: str) -> tuple[Window, ...]:
    """The windows of `Mon-Thu 09:00-16:00`, of `Mon,Wed 09:00-12:00; Fri 22:00-02:00`, of several joined by commas.

    Days are names of days, ranges of them (`Fri-Mon` goes over the weekend), `weekdays`, `weekend` or `daily`. Hours
    that follow without days are on the days before. Raises CalendarError, which points at the first thing wrong.
    """
    return tuple(_Words(text).windows())


def parse_freeze_edge(text: str, end: bool) -> str:
    """One edge of a freeze in local time, `2025-12-20T18:00`, from `2025-12-20`, `2025-12-20 18:00` or with a T.

    A day alone begins at 00:00 where a freeze begins and is whole where one ends: then it reads `2025-12-20T24:00`.
    Raises CalendarError.
    """
    hint = "write it like 2025-12-20 or 2025-12-20 18:00"
    found = _pattern(_EDGE).fullmatch(text)
    if found is None:
        raise CalendarError(f"{text.strip()[:40]!r} is no day and no time", width=len(text), hint=hint)
    year, month, day, hours, minutes = found.groups()
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        message = f"there is no {year}-{month}-{day} in the calendar"
        raise CalendarError(message, found.start(1), len("2025-12-20"), hint) from None
    if hours is None:
        return f"{year}-{month}-{day}T{'24' if end else '00'}:00"
    _minutes(f"{hours}:{minutes}", found.start(4))
    return f"{year}-{month}-{day}T{int(hours):02}:{minutes}"


def wall_of(edge: str) -> int:
    """The edge of a freeze in the seconds that a clock on the wall counts from 1970-01-01 00:00, in any zone."""
    day, _, clock = edge.partition("T")
    return (date.fromisoformat(day).toordinal() - _EPOCH) * 86_400 + _minutes(clock, 0) * 60


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """Compiled when something is read: that takes a millisecond, and `status` reads nothing here."""
    return re.compile(text, re.ASCII)


def _minutes(clock: str, start: int) -> int:
    """The minutes of the day of `16:30`; `24:00` is its end. Raises CalendarError."""
    hours, minutes = (int(part) for part in clock.split(":"))
    if minutes > 59 or hours * 60 + minutes > 1440:
        raise CalendarError(f"there is no {clock} in a day", start, len(clock), "hours go from 00:00 to 24:00")
    return hours * 60 + minutes


def _shown(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _spoken(edge: str) -> str:
    return edge.removesuffix("T00:00").removesuffix("T24:00").replace("T", " ")


class _Token(msgspec.Struct, frozen=True):
    kind: str
    text: str
    start: int


class _Words:
    """Reads windows from left to right, one token ahead."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.next = self._read()

    def windows(self) -> list[Window]:
        found: list[Window] = []
        days: tuple[int, ...] = ()
        written = ""
        while True:
            if self.next.kind == "word" or not days:
                days, written = self._days()
            found.append(self._hours(days, written))
            if self.next.kind == "end":
                return found
            mark = self._take("mark", "a comma or the end")
            if self.next.kind in ("end", "mark"):
                raise CalendarError(f"nothing follows the {mark.text!r}", mark.start, hint="leave it out")

    def _days(self) -> tuple[tuple[int, ...], str]:
        """The days, and how they are written."""
        start = self.next.start
        if self.next.kind == "time":
            hint = "put them first: weekdays 09:00-16:00, or daily 09:00-16:00"
            raise CalendarError("these hours have no days", self.next.start, len(self.next.text), hint)
        days = set(self._day_range())
        while self.next.kind == "mark" and self.next.text == ",":
            self._take("mark", "")
            days.update(self._day_range())
        written = self.text[start : self.next.start].rstrip()
        if self.next.kind in ("end", "mark"):
            raise CalendarError(f"{written} has no hours", start, len(written), f"write {written} 00:00-24:00")
        return tuple(sorted(days)), written

    def _day_range(self) -> tuple[int, ...]:
        first = self._take("word", "a day")
        if first.text.lower() in _SEVERAL:
            return _SEVERAL[first.text.lower()]
        start = end = self._day(first)
        if self.next.kind == "dash":
            self._take("dash", "")
            end = self._day(self._take("word", "a day"))
        return tuple((start + later) % 7 for later in range((end - start) % 7 + 1))

    def _day(self, token: _Token) -> int:
        if token.text.lower() in _DAY_OF:
            return _DAY_OF[token.text.lower()]
        if token.text.lower() in _SEVERAL:
            message = f"{token.text} is several days already"
            raise CalendarError(message, token.start, len(token.text), "name the last day: Mon-Thu")
        meant = did_you_mean(token.text.lower(), [*_SEVERAL, *_DAY_OF])
        hint = meant or f"days are {', '.join(DAYS)}, weekdays, weekend and daily"
        raise CalendarError(f"{token.text!r} is no day", token.start, len(token.text), hint)

    def _hours(self, days: tuple[int, ...], written: str) -> Window:
        first = self._take("time", "the hour at which it opens")
        if _minutes(first.text, first.start) == 1440:
            raise CalendarError("nothing begins at 24:00", first.start, 5, "the next day begins at 00:00")
        self._take("dash", "a dash and the hour at which it closes")
        last = self._take("time", "the hour at which it closes")
        window = Window(days, _minutes(first.text, first.start), _minutes(last.text, last.start), "")
        return Window(days, window.start, window.end, f"{written} {window.hours}")

    def _take(self, kind: str, wanted: str) -> _Token:
        token = self.next
        if token.kind != kind:
            seen = f"{token.text!r} stands here" if token.text else "the text ends"
            raise CalendarError(f"{seen} where {wanted} is due", token.start, len(token.text), _EXAMPLE)
        self.next = self._read()
        return token

    def _read(self) -> _Token:
        found = _pattern(_WORDS).match(self.text, self.position)
        if found is None:
            rest = self.text[self.position :].lstrip()
            start = len(self.text) - len(rest)
            if not rest:
                return _Token("end", "", len(self.text))
            return _Token("", re.split(r"[\s,;]", rest, maxsplit=1)[0], start)
        self.position = found.end()
        kind = found.lastgroup or ""
        return _Token(kind, found[kind], found.start(kind))
