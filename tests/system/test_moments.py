"""Moments as operators type them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from runbook.system.moments import dated, parse_moment
from runbook.system.refusals import Exit, Refusal

NOW = datetime(2026, 11, 25, 14, 10, 30, tzinfo=UTC).timestamp()  # a Wednesday


@pytest.fixture(autouse=True, params=["UTC"])
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    """The operator's zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def at(text: str, now: float = NOW) -> str:
    return datetime.fromtimestamp(parse_moment(text, now), UTC).strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2d", "2026-11-27 14:10:30"),
        ("1h30m", "2026-11-25 15:40:30"),
        ("2026-11-28", "2026-11-29 00:00:00"),
        ("2026-11-25", "2026-11-26 00:00:00"),
        ("2026-11-28T12:00", "2026-11-28 12:00:00"),
        ("2026-11-28 12:00:05", "2026-11-28 12:00:05"),
        ("2026-11-28T12:00Z", "2026-11-28 12:00:00"),
        ("2026-11-28T12:00+05:30", "2026-11-28 06:30:00"),
        ("friday", "2026-11-28 00:00:00"),
        ("Fri", "2026-11-28 00:00:00"),
        ("wednesday", "2026-11-26 00:00:00"),
        ("TUESDAY", "2026-12-02 00:00:00"),
        ("14:11", "2026-11-25 14:11:00"),
        ("9:00", "2026-11-26 09:00:00"),
        ("  friday ", "2026-11-28 00:00:00"),
    ],
)
def test_what_is_meant(text: str, moment: str) -> None:
    assert at(text) == moment


@pytest.mark.parametrize("zone", ["Europe/Berlin"], indirect=True)
def test_days_and_clocks_are_the_operators(zone: str) -> None:
    assert at("2026-11-28") == "2026-11-28 23:00:00"
    assert at("2026-11-28T12:00") == "2026-11-28 11:00:00"
    assert at("16:00") == "2026-11-25 15:00:00"
    assert dated(parse_moment("2026-11-28T12:00", NOW)) == "Sat 28 Nov 12:00"


@pytest.mark.parametrize("zone", ["Europe/Berlin"], indirect=True)
def test_a_day_on_which_the_clocks_change_ends_at_midnight(zone: str) -> None:
    october = datetime(2026, 10, 23, 12, 0, tzinfo=UTC).timestamp()
    assert at("sunday", october) == "2026-10-25 23:00:00"
    march = datetime(2026, 3, 28, 12, 0, tzinfo=UTC).timestamp()
    assert at("2026-03-28", march) == "2026-03-28 23:00:00"
    assert at("2026-03-29", march) == "2026-03-29 22:00:00"


@pytest.mark.parametrize("text", ["2026-11-24", "2026-11-25T14:10", "2020-01-01T00:00Z", "0s"])
def test_what_is_past_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse_moment(text, NOW)
    assert caught.value.exit is Exit.USAGE
    assert "is past: it is 14:10 now" in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2",
        "2026-13-01",
        "2026-02-30",
        "2026-11-28T25:00",
        "25:00",
        "9999-12-31",
        "2d3",
        "-2d",
        "frid",
        "1e9s",
    ],
)
def test_what_is_no_moment_says_how_to_write_it(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse_moment(text, NOW)
    assert "is no moment" in caught.value.message
    assert caught.value.next_steps == ("write it like 2d, friday, 14:30, 2026-11-28 or 2026-11-28T12:00",)


def test_a_misspelt_day_and_a_missing_unit_are_guessed() -> None:
    with pytest.raises(Refusal, match="did you mean friday"):
        parse_moment("firday", NOW)
    with pytest.raises(Refusal, match="2 has no unit"):
        parse_moment("2", NOW)
