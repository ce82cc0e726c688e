"""The calendar against a second one that looks at every minute, and against what other systems' suites say."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook.judge.calendar import Calendar, Freeze, Window, calendar_at, parse_windows
from tests.places import SHARED, shared

MINUTES = 7 * 1440
CHANGES = [
    ("Europe/Berlin", "2026-03-26"),
    ("Europe/Berlin", "2026-10-22"),
    ("Europe/London", "2026-03-26"),
    ("Europe/London", "2026-10-22"),
    ("America/New_York", "2026-03-05"),
    ("America/New_York", "2026-10-29"),
    ("Australia/Lord_Howe", "2026-04-02"),
    ("Australia/Lord_Howe", "2026-10-01"),
    ("Pacific/Apia", "2011-12-27"),
    ("America/Havana", "2026-10-29"),  # at midnight
    ("Asia/Kathmandu", "2026-03-26"),
    ("UTC", "2026-03-26"),
]
OFTEN = st.sampled_from([0, 60, 90, 100, 110, 120, 135, 150, 180, 1380])
HOURS = st.tuples(st.one_of(OFTEN, st.integers(0, 1439)), st.one_of(OFTEN, st.just(1440), st.integers(0, 1440)))
WINDOWS = st.lists(st.tuples(st.sets(st.integers(0, 6), min_size=1), HOURS), max_size=3)
FREEZES = st.lists(st.tuples(st.integers(-2000, MINUTES), st.integers(1, 3000)), max_size=2)


def first_of(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


@cache
def walls(zone: str, day: str) -> list[datetime]:
    """What the clock on the wall shows at each minute of a week."""
    return [
        (first_of(day) + timedelta(minutes=m)).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for m in range(MINUTES)
    ]


def in_window(wall: datetime, days: set[int], start: int, end: int) -> bool:
    minute, day = wall.hour * 60 + wall.minute, wall.weekday()
    if start < end:
        return day in days and start <= minute < end
    return (day in days and minute >= start) or ((day - 1) % 7 in days and minute < end)


def opened(clock: list[datetime], windows: Any, freezes: list[tuple[datetime, datetime]]) -> list[bool]:
    """Whether it is open at each minute."""
    minutes = [not windows or any(in_window(wall, days, *hours) for days, hours in windows) for wall in clock]
    for start, end in freezes:
        since = [m for m, wall in enumerate(clock) if wall >= start]
        until = [m for m, wall in enumerate(clock) if wall < end]
        for m in range(since[0], until[-1] + 1) if since and until else ():
            minutes[m] = False
    return minutes


def next_minute(minutes: list[bool], start: int, wanted: bool) -> int | None:
    return next((m for m in range(start, len(minutes)) if minutes[m] is wanted), None)


def agrees(found: float | None, minute: int | None, begin: float) -> bool:
    """Whether a time is that minute's, or beyond the week where the week has none."""
    if minute is None:
        return found is None or found >= begin + MINUTES * 60
    return found == begin + minute * 60


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(CHANGES), WINDOWS, FREEZES, st.integers(0, 4 * 1440))
def test_every_minute_around_a_change_of_the_clocks(
    change: tuple[str, str], windows: Any, freezes: list[tuple[int, int]], now: int
) -> None:
    zone, day = change
    naive = first_of(day).replace(tzinfo=None)
    edges = [(naive + timedelta(minutes=m), naive + timedelta(minutes=m + length)) for m, length in freezes]
    calendar = Calendar(
        zone,
        tuple(Window(tuple(sorted(days)), start, end, "w") for days, (start, end) in windows),
        tuple(Freeze(f"{start:%Y-%m-%dT%H:%M}", f"{end:%Y-%m-%dT%H:%M}", "f") for start, end in edges),
    )
    minutes = opened(walls(zone, day), windows, edges)
    begin = first_of(day).timestamp()
    found = calendar_at(calendar, begin + now * 60)
    assert found.open is minutes[now]
    opens = now if found.open else next_minute(minutes, now, True)
    assert found.opens_at is None if found.open else agrees(found.opens_at, opens, begin)
    if opens is not None:
        assert agrees(found.closes_at, next_minute(minutes, opens, False), begin)


def test_it_takes_less_than_a_millisecond() -> None:
    calendar = Calendar("Europe/Berlin", parse_windows("Mon-Thu 09:00-16:00"))
    now = first_of("2026-03-27").timestamp()
    calendar_at(calendar, now)
    fastest = float("inf")
    for _ in range(50):
        before = time.perf_counter()
        calendar_at(calendar, now)
        fastest = min(fastest, time.perf_counter() - before)
    assert fastest < 0.001


def rows(name: str, group: str) -> list[dict[str, Any]]:
    path = SHARED / "conformance" / name
    return [row for row in json.loads(path.read_text()) if row["group"] == group] if path.exists() else []


def weekly(interval: list[dict[str, Any]]) -> bool:
    """Whether an interval says only what a week says: no months, no days of a month."""
    return all(part.keys() <= {"times_min", "weekdays", "location"} for part in interval)


ALERTMANAGER = [row for row in rows("alertmanager_calendar.json", "contains") if weekly(row["interval"])]
ARGO = [row for row in rows("argocd_windows.json", "active") if not row["expected_error"]]


@pytest.mark.parametrize("name", ["alertmanager_calendar.json", "argocd_windows.json"])
def test_the_rows_are_there(name: str) -> None:
    shared(f"conformance/{name}")
    assert ALERTMANAGER
    assert ARGO


@pytest.mark.parametrize("row", ALERTMANAGER, ids=lambda row: row["id"])
def test_alertmanager_intervals(row: dict[str, Any]) -> None:
    (part,) = row["interval"]
    # Its weekdays begin with Sunday.
    days = tuple((day - 1) % 7 for first, last in part.get("weekdays", [[0, 6]]) for day in range(first, last + 1))
    windows = tuple(Window(days, start, end, "w") for start, end in part.get("times_min", [[0, 1440]]))
    calendar = Calendar(part.get("location", "UTC"), windows)
    assert calendar_at(calendar, datetime.fromisoformat(row["instant"]).timestamp()).open is row["expected"]


@pytest.mark.parametrize("row", ARGO, ids=lambda row: row["id"])
def test_argo_sync_windows(row: dict[str, Any]) -> None:
    now = datetime.fromisoformat(row["now"]).timestamp()
    active = []
    for index, window in enumerate(row["windows"]):
        hour = int(window["schedule"].split()[1])
        # Begun at each minute of that hour, so that it lasts until an hour later, less a minute.
        end = (hour + 1) * 60 + int(window["duration"].removesuffix("h")) * 60 - 1
        calendar = Calendar(window.get("timezone", "UTC"), (Window((0, 1, 2, 3, 4, 5, 6), hour * 60, end % 1440, "w"),))
        if calendar_at(calendar, now).open:
            active.append(index)
    assert active == row["expected_active_indexes"]
