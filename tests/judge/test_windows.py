"""How a calendar is written, and what is said where it is written wrongly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.judge.calendar import CalendarError, Freeze, parse_freeze_edge, parse_windows, zone_problem
from runbook.judge.windows import DAYS, Window, wall_of

ALL = (0, 1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon-Thu 09:00-16:00", [((0, 1, 2, 3), 540, 960)]),
        ("Mon,Wed 09:00-12:00", [((0, 2), 540, 720)]),
        ("Mon, Wed 9:00-12:00", [((0, 2), 540, 720)]),
        ("weekdays 08:00-18:00", [((0, 1, 2, 3, 4), 480, 1080)]),
        ("weekend 08:00-18:00", [((5, 6), 480, 1080)]),
        ("daily 00:00-24:00", [(ALL, 0, 1440)]),
        ("Fri-Mon 22:00-02:00", [((0, 4, 5, 6), 1320, 120)]),
        ("Tue-Tue 09:00-10:00", [((1,), 540, 600)]),
        ("monday - thursday 09:00 - 16:00", [((0, 1, 2, 3), 540, 960)]),
        ("MON\u2013THU 09:00\u201316:00", [((0, 1, 2, 3), 540, 960)]),
        ("Mon-Wed,Fri 09:00-12:00", [((0, 1, 2, 4), 540, 720)]),
        ("Mon 09:00-12:00, Wed 13:00-15:00", [((0,), 540, 720), ((2,), 780, 900)]),
        ("Mon 09:00-12:00; Wed 13:00-15:00", [((0,), 540, 720), ((2,), 780, 900)]),
        ("Mon-Thu 09:00-12:00, 13:00-16:00", [((0, 1, 2, 3), 540, 720), ((0, 1, 2, 3), 780, 960)]),
    ],
)
def test_windows(text: str, expected: list[tuple[tuple[int, ...], int, int]]) -> None:
    assert [(window.days, window.start, window.end) for window in parse_windows(text)] == expected


def test_each_window_shows_its_days() -> None:
    shown = [window.text for window in parse_windows("Mon, Wed 9:00-12:00, 13:00-16:00; Fri-Sat 22:00-2:00")]
    assert shown == ["Mon, Wed 09:00-12:00", "Mon, Wed 13:00-16:00", "Fri-Sat 22:00-02:00"]


@pytest.mark.parametrize(
    ("text", "pointed", "message", "hint"),
    [
        ("", "", "the text ends where a day is due", "write it like"),
        ("Mon", "Mon", "Mon has no hours", "write Mon 00:00-24:00"),
        ("Mon  ", "Mon", "Mon has no hours", "write Mon 00:00-24:00"),
        ("Mon 09:00-12:00,; Tue 09:00-12:00", ",", "nothing follows the ','", "leave it out"),
        ("Mon,Tue; 09:00-12:00", "Mon,Tue", "Mon,Tue has no hours", "00:00-24:00"),
        ("09:00-12:00", "09:00", "these hours have no days", "daily 09:00-16:00"),
        ("Mondy 09:00-12:00", "Mondy", "'Mondy' is no day", "did you mean monday?"),
        ("weekdys 09:00-12:00", "weekdys", "'weekdys' is no day", "did you mean weekdays?"),
        ("Montag 09:00-12:00", "Montag", "'Montag' is no day", "did you mean monday?"),
        ("Xyz 09:00-12:00", "Xyz", "'Xyz' is no day", "Mon, Tue"),
        ("Mon-weekdays 09:00-12:00", "weekdays", "weekdays is several days already", "name the last day"),
        ("Mon 9am-5pm", "9am-5pm", "stands here where the hour", "09:00-16:00"),
        ("Mon 9-17", "9-17", "stands here where the hour", "09:00-16:00"),
        ("Mon 25:00-26:00", "25:00", "there is no 25:00 in a day", "24:00"),
        ("Mon 09:60-10:00", "09:60", "there is no 09:60 in a day", "24:00"),
        ("Mon 09:00-24:01", "24:01", "there is no 24:01 in a day", "24:00"),
        ("Mon 24:00-02:00", "24:00", "nothing begins at 24:00", "00:00"),
        ("Mon 09:00-", "", "the text ends where the hour at which it closes", ""),
        ("Mon 09:00 12:00", "12:00", "where a dash", ""),
        ("Mon 09:00-12:00,", ",", "nothing follows the ','", "leave it out"),
        ("Mon 09:00-17:00 Europe/Berlin", "Europe", "'Europe' stands here where a comma", ""),
        ("Mon 09:00:00-10:00:00", "09:00:00-10:00:00", "stands here", ""),
    ],
)
def test_mistakes_are_pointed_at(text: str, pointed: str, message: str, hint: str) -> None:
    with pytest.raises(CalendarError) as raised:
        parse_windows(text)
    error = raised.value
    assert message in error.message
    assert hint in error.hint
    assert text[error.start : error.start + error.width] == pointed


@given(st.text(alphabet="MonThuFriweekday 0123456789:-,;", max_size=30))
def test_any_text_is_windows_or_a_mistake_within_it(text: str) -> None:
    try:
        assert parse_windows(text)
    except CalendarError as error:
        assert 0 <= error.start <= len(text)
        assert error.width >= 1
        assert error.message


@given(
    st.lists(st.sampled_from(range(7)), min_size=1, max_size=7, unique=True),
    st.integers(0, 1439),
    st.integers(0, 1440),
)
def test_what_a_window_shows_reads_as_the_same_window(days: list[int], start: int, end: int) -> None:
    named = ",".join(DAYS[day] for day in days)
    (window,) = parse_windows(f"{named} {start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}")
    assert window == Window(tuple(sorted(days)), start, end, window.text)
    assert parse_windows(window.text) == (window,)
    assert 1 <= window.minutes <= 1440


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2025-12-20", "2025-12-20T00:00", "2025-12-20T24:00"),
        ("2025-12-20 18:00", "2025-12-20T18:00", "2025-12-20T18:00"),
        ("2025-12-20T18:00", "2025-12-20T18:00", "2025-12-20T18:00"),
        (" 2025-12-20 9:05 ", "2025-12-20T09:05", "2025-12-20T09:05"),
        ("2024-02-29", "2024-02-29T00:00", "2024-02-29T24:00"),
        ("9999-12-31", "9999-12-31T00:00", "9999-12-31T24:00"),
    ],
)
def test_the_edges_of_a_freeze(text: str, start: str, end: str) -> None:
    assert (parse_freeze_edge(text, end=False), parse_freeze_edge(text, end=True)) == (start, end)


@pytest.mark.parametrize(
    ("text", "pointed", "message"),
    [
        ("2025-02-29", "2025-02-29", "there is no 2025-02-29 in the calendar"),
        ("2025-13-01", "2025-13-01", "there is no 2025-13-01"),
        ("2025-12-20 25:00", "25:00", "there is no 25:00 in a day"),
        ("20.12.2025", "20.12.2025", "'20.12.2025' is no day and no time"),
        ("2025-12-20T18:00Z", "2025-12-20T18:00Z", "is no day and no time"),
        ("2025-12-20T18:00+01:00", "2025-12-20T18:00+01:00", "is no day and no time"),
        ("tomorrow", "tomorrow", "is no day and no time"),
        ("", "", "is no day and no time"),
    ],
)
def test_no_edge_of_a_freeze(text: str, pointed: str, message: str) -> None:
    with pytest.raises(CalendarError) as raised:
        parse_freeze_edge(text, end=True)
    assert message in raised.value.message
    assert text[raised.value.start :][: raised.value.width] == pointed


def test_a_freeze_has_a_length() -> None:
    with pytest.raises(CalendarError, match=r"ends \(2026-01-03\) before it begins \(2026-01-04\)"):
        Freeze("2026-01-04T00:00", "2026-01-03T24:00")
    assert Freeze("2026-01-03T00:00", "2026-01-03T24:00").text == "frozen from 2026-01-03 to 2026-01-03"


def test_the_wall_counts_seconds_from_1970() -> None:
    assert [wall_of(edge) for edge in ("1970-01-01T00:00", "1970-01-01T24:00", "1970-01-02T00:01")] == [0, 86400, 86460]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"])
def test_zones_that_are_known(zone: str) -> None:
    assert zone_problem(zone) == ""


@pytest.mark.parametrize(
    ("zone", "meant"),
    [
        ("Europe/Berln", "did you mean Europe/Berlin?"),
        ("europe/berlin", "did you mean Europe/Berlin?"),
        ("Berlin", "did you mean Europe/Berlin?"),
        ("New York", "did you mean America/New_York?"),
        ("PST", "write it like Europe/Berlin"),
        ("../etc/passwd", "there is no time zone '../etc/passwd'"),
        ("/etc/localtime", "there is no time zone"),
        ("Europe", "there is no time zone 'Europe'"),
        ("", "there is no time zone ''"),
    ],
)
def test_zones_that_are_not(zone: str, meant: str) -> None:
    assert meant in zone_problem(zone)
