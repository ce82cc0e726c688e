"""The calendar: windows and freezes by the clock on the wall, over midnight and over every change of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from runbook.judge.calendar import Calendar, Freeze, Standing, calendar_at, parse_freeze_edge, parse_windows


def at(text: str) -> float:
    """A moment in UTC, `2026-03-29T01:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def shown(moment: float | None) -> str | None:
    return None if moment is None else f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M}"


def freeze(start: str, end: str, why: str = "") -> Freeze:
    return Freeze(parse_freeze_edge(start, end=False), parse_freeze_edge(end, end=True), why)


def standing(windows: str, now: str, *freezes: Freeze, zone: str = "Europe/Berlin") -> Standing:
    return calendar_at(Calendar(zone, parse_windows(windows) if windows else (), freezes), at(now))


def said(found: Standing) -> tuple[bool, str | None, str | None]:
    return found.open, shown(found.opens_at), shown(found.closes_at)


HOLIDAYS = freeze("2025-12-20", "2026-01-03", "holidays")
WORKDAYS = "Mon-Thu 09:00-16:00"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2025-12-18T07:59", (False, "2025-12-18T08:00", "2025-12-18T15:00")),
        ("2025-12-18T08:00", (True, None, "2025-12-18T15:00")),
        ("2025-12-18T14:59", (True, None, "2025-12-18T15:00")),
        ("2025-12-18T15:00", (False, "2026-01-05T08:00", "2026-01-05T15:00")),
        ("2025-12-19T12:00", (False, "2026-01-05T08:00", "2026-01-05T15:00")),
        ("2025-12-24T12:00", (False, "2026-01-05T08:00", "2026-01-05T15:00")),
        ("2026-01-04T12:00", (False, "2026-01-05T08:00", "2026-01-05T15:00")),
    ],
)
def test_a_week_and_the_holidays_behind_it(now: str, expected: tuple[bool, str | None, str | None]) -> None:
    assert said(standing(WORKDAYS, now, HOLIDAYS)) == expected


def test_why() -> None:
    windows = "Mon-Thu 09:00-16:00 (Europe/Berlin)"
    assert standing(WORKDAYS, "2025-12-18T08:00", HOLIDAYS).why == windows
    assert standing(WORKDAYS, "2025-12-17T20:00", HOLIDAYS).why == windows
    assert standing(WORKDAYS, "2025-12-18T15:00", HOLIDAYS).why == f"{windows}; then frozen: holidays"
    assert standing(WORKDAYS, "2025-12-24T12:00", HOLIDAYS).why == "holidays"
    audit = freeze("2025-12-24", "2026-01-06", "audit")
    assert standing(WORKDAYS, "2025-12-24T12:00", HOLIDAYS, audit).why == "holidays; audit"
    assert standing(WORKDAYS, "2025-12-21T12:00", HOLIDAYS, audit).why == "holidays; then frozen: audit"
    assert standing("", "2025-12-21T12:00").why == "at any time"
    unsaid = freeze("2025-12-20 18:00", "2026-01-03")
    assert standing("", "2025-12-21T12:00", unsaid).why == "frozen from 2025-12-20 18:00 to 2026-01-03"


def test_frozen_is_told_apart_from_outside_of_the_windows() -> None:
    assert standing(WORKDAYS, "2025-12-24T12:00", HOLIDAYS).frozen
    assert standing("", "2026-03-02T12:00", freeze("2026-01-01", "9999-12-31")).frozen
    assert not standing(WORKDAYS, "2025-12-18T15:00", HOLIDAYS).frozen
    assert not standing(WORKDAYS, "2025-12-18T08:00", HOLIDAYS).frozen


def test_without_windows_only_freezes_close_it() -> None:
    assert said(standing("", "2025-06-01T00:00")) == (True, None, None)
    assert said(standing("", "2025-12-19T22:59", HOLIDAYS)) == (True, None, "2025-12-19T23:00")
    assert said(standing("", "2025-12-19T23:00", HOLIDAYS)) == (False, "2026-01-03T23:00", None)
    assert said(standing("", "2026-01-03T23:00", HOLIDAYS)) == (True, None, None)


def test_overlapping_freezes_open_after_the_last() -> None:
    rows = [freeze("2026-03-02", "2026-03-04"), freeze("2026-03-01", "2026-03-02"), freeze("2026-03-04", "2026-03-05")]
    assert said(standing("", "2026-03-01T12:00", *rows)) == (False, "2026-03-05T23:00", None)
    within = [freeze("2026-03-01", "2026-03-09"), freeze("2026-03-03", "2026-03-04")]
    assert said(standing("", "2026-03-02T12:00", *within)) == (False, "2026-03-09T23:00", None)


def test_a_freeze_inside_a_window_closes_it_for_that_time() -> None:
    lunch = freeze("2026-03-03 12:00", "2026-03-03 13:00", "lunch")
    assert said(standing(WORKDAYS, "2026-03-03T09:00", lunch)) == (True, None, "2026-03-03T11:00")
    assert said(standing(WORKDAYS, "2026-03-03T11:30", lunch)) == (False, "2026-03-03T12:00", "2026-03-03T15:00")


def test_windows_over_midnight_and_over_the_weekend() -> None:
    assert said(standing("Fri 22:00-02:00", "2026-03-07T00:30")) == (True, None, "2026-03-07T01:00")
    assert not standing("Fri 22:00-02:00", "2026-03-06T00:30").open
    assert said(standing("Fri-Mon 00:00-24:00", "2026-03-05T12:00")) == (False, "2026-03-05T23:00", "2026-03-09T23:00")
    assert said(standing("Mon 22:00-00:00, Tue 00:00-01:00", "2026-03-02T21:30"))[2] == "2026-03-03T00:00"
    assert said(standing("daily 00:00-24:00", "2026-03-05T12:00")) == (True, None, None)


@pytest.mark.parametrize(
    ("windows", "now", "expected"),
    [
        # 29 March 2026: at 01:00 UTC the clocks go from 02:00 to 03:00.
        ("Sun 01:00-02:30", "2026-03-29T00:30", (True, None, "2026-03-29T01:00")),
        ("Sun 02:30-04:00", "2026-03-29T00:30", (False, "2026-03-29T01:00", "2026-03-29T02:00")),
        ("Sun 02:00-02:30", "2026-03-28T12:00", (False, "2026-04-05T00:00", "2026-04-05T00:30")),
        ("Sat 22:00-02:30", "2026-03-28T22:00", (True, None, "2026-03-29T01:00")),
        # 25 October 2026: at 01:00 UTC they go from 03:00 back to 02:00.
        ("Sun 02:15-02:45", "2026-10-25T00:20", (True, None, "2026-10-25T00:45")),
        ("Sun 02:15-02:45", "2026-10-25T00:50", (False, "2026-10-25T01:15", "2026-10-25T01:45")),
        ("Sun 01:00-04:00", "2026-10-25T00:20", (True, None, "2026-10-25T03:00")),
    ],
)
def test_where_the_clocks_change(windows: str, now: str, expected: tuple[bool, str | None, str | None]) -> None:
    assert said(standing(windows, now)) == expected


def test_hours_that_are_not_there_are_told() -> None:
    note = "02:00-02:30 does not exist on 29 Mar: the clocks go forward"
    for now in ("2026-03-28T12:00", "2026-03-29T12:00"):
        assert standing("Sun 02:00-02:30", now).why == f"Sun 02:00-02:30 (Europe/Berlin); {note}"
    for now in ("2026-03-29T22:30", "2026-03-30T12:00", "2026-03-21T12:00", "2026-10-24T12:00"):
        assert "does not exist" not in standing("Sun 02:00-02:30", now).why
    assert "does not exist" not in standing("Sun 02:30-03:30", "2026-03-28T12:00").why


def test_a_freeze_over_a_change_of_the_clocks_is_one_stretch() -> None:
    spring = freeze("2026-03-29 02:30", "2026-03-29 04:00")
    assert said(standing("", "2026-03-29T00:59", spring)) == (True, None, "2026-03-29T01:00")
    assert said(standing("", "2026-03-29T01:30", spring)) == (False, "2026-03-29T02:00", None)
    gone = freeze("2026-03-29 02:10", "2026-03-29 02:50")
    assert said(standing("", "2026-03-29T00:30", gone)) == (True, None, None)
    autumn = freeze("2026-10-25 02:30", "2026-10-25 02:40")
    assert said(standing("", "2026-10-25T00:29", autumn)) == (True, None, "2026-10-25T00:30")
    assert said(standing("", "2026-10-25T00:50", autumn)) == (False, "2026-10-25T01:40", None)
    behind = freeze("2026-10-25 03:00", "2026-10-25 04:00")
    assert said(standing("", "2026-10-25T01:30", behind)) == (True, None, "2026-10-25T02:00")
    before = freeze("2026-10-25 01:00", "2026-10-25 02:00")
    assert said(standing("", "2026-10-24T23:30", before)) == (False, "2026-10-25T00:00", None)


def test_a_day_that_was_skipped() -> None:
    # Samoa went from Thursday 29 to Saturday 31 December 2011, at 10:00 UTC.
    found = standing("Fri 09:00-17:00", "2011-12-29T20:00", zone="Pacific/Apia")
    assert said(found) == (False, "2012-01-05T19:00", "2012-01-06T03:00")
    assert found.why.endswith("09:00-17:00 does not exist on 30 Dec: the clocks go forward")
    assert said(standing("Thu 22:00-02:00", "2011-12-30T09:00", zone="Pacific/Apia"))[2] == "2011-12-30T10:00"
    assert said(standing("Fri 22:00-02:00", "2011-12-30T09:00", zone="Pacific/Apia"))[1] == "2011-12-30T10:00"


def test_half_an_hour_of_change_and_odd_offsets() -> None:
    # Lord Howe: on 4 April 2026 at 15:00 UTC from 02:00 back to 01:30.
    assert said(standing("Sun 01:40-01:50", "2026-04-04T14:45", zone="Australia/Lord_Howe")) == (
        True,
        None,
        "2026-04-04T14:50",
    )
    assert shown(standing("Sun 01:40-01:50", "2026-04-04T14:55", zone="Australia/Lord_Howe").opens_at) == (
        "2026-04-04T15:10"
    )
    assert said(standing("Mon 09:00-10:00", "2026-03-02T03:30", zone="Asia/Kathmandu")) == (
        True,
        None,
        "2026-03-02T04:15",
    )


def test_nothing_within_400_days() -> None:
    long = freeze("2026-01-01", "9999-12-31", "end of life")
    found = standing(WORKDAYS, "2026-03-02T12:00", long)
    assert said(found) == (False, None, None)
    assert found.why == "end of life; no window within 400 days"
    assert said(standing("", "2026-03-02T12:00", long)) == (False, None, None)
    assert said(standing("", "2026-03-02T12:00", freeze("2028-01-01", "2028-01-02"))) == (True, None, None)
    assert not standing("", "2026-03-02T12:00", freeze("0001-01-01", "9999-12-31")).open


def test_an_unknown_zone_lets_nothing_through() -> None:
    found = standing(WORKDAYS, "2026-03-02T12:00", zone="Europe/Berln")
    assert (found.open, found.opens_at) == (False, None)
    assert found.why == "there is no time zone 'Europe/Berln'; did you mean Europe/Berlin?"


def test_fractions_of_a_second_count() -> None:
    calendar = Calendar("UTC", parse_windows("Mon 09:00-10:00"))
    opens = at("2026-03-02T09:00")
    assert not calendar_at(calendar, opens - 0.001).open
    assert calendar_at(calendar, opens).open
    assert calendar_at(calendar, opens + 3599.999).open
    assert not calendar_at(calendar, opens + 3600).open


def test_a_calendar_is_kept_as_it_is() -> None:
    calendar = Calendar("Europe/Berlin", parse_windows(WORKDAYS), (HOLIDAYS,))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(calendar), type=Calendar) == calendar
