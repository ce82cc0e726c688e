"""Durations: read, refused, shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.language.durations import DurationError, parse_duration, parse_range, show_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("5m", 300),
        ("24h", 86400),
        ("7d", 604800),
        ("2w", 1209600),
        ("800ms", 0.8),
        ("0.5s", 0.5),
        ("1h30m", 5400),
        ("1 h 30 m", 5400),
        (" 10m ", 600),
        ("0m", 0),
    ],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("30", "has no unit: write 30s, 30m or 30h"),
        ("1.5", "has no unit"),
        ("", "is no duration"),
        ("5 minutes", "is no duration"),
        ("5x", "is no duration"),
        ("m", "is no duration"),
        ("-5m", "is no duration"),
        ("1e3s", "is no duration"),
        ("5m and more", "is no duration"),
        ("9" * 12 + "w", "longer than a hundred years"),
        ("9" * 5000 + "s", "is no duration"),
    ],
)
def test_what_is_no_duration_says_what_to_write(text: str, part: str) -> None:
    with pytest.raises(DurationError, match=part) as caught:
        parse_duration(text)
    assert len(str(caught.value)) < 200


def test_ranges() -> None:
    assert parse_range("24h..48h") == (86400, 172800)
    assert parse_range("30m") == (1800, None)
    with pytest.raises(DurationError, match=r"write 24h\.\.48h"):
        parse_range("48h..24h")
    with pytest.raises(DurationError):
        parse_range("24h..")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (0.35, "350 ms"),
        (0.9996, "1 s"),
        (2.4, "2.4 s"),
        (9.97, "10 s"),
        (42, "42 s"),
        (59.7, "1 m"),
        (125, "2 m 5 s"),
        (3600, "1 h"),
        (19 * 3600 + 50 * 60, "19 h 50 m"),
        (48 * 3600, "48 h"),
        (72 * 3600, "3 d"),
        (9 * 86400 + 4 * 3600, "9 d 4 h"),
        (-5, "-5 s"),
    ],
)
def test_durations_are_shown_in_an_operators_words(seconds: float, shown: str) -> None:
    assert show_duration(seconds) == shown


@given(st.integers(min_value=1, max_value=71 * 60))
def test_whole_minutes_up_to_three_days_are_read_back(minutes: int) -> None:
    assert parse_duration(show_duration(minutes * 60)) == minutes * 60
