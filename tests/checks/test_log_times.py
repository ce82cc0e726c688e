"""The time a line begins with: the forms of logs, zones, years that are not written, and lines that have none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.checks.here.log_times import time_of, without_time

NOON = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC).timestamp()
NOW = NOON + 3600


@pytest.fixture(params=["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The machine's zone, for times that name none."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("2026-11-21T12:00:00Z started", 0),
        ("2026-11-21T12:00:00.250Z started", 0.25),
        ("2026-11-21 12:00:00,123+00:00 ERROR no", 0.123),
        ("2026-11-21T12:00:00.123456789Z", 0.123456789),
        ("2026-11-21T13:00:00+0100 x", 0),
        ("2026-11-21 07:30:00 -0430 x", 0),
        ("[2026-11-21T12:00:00Z] x", 0),
        ("INFO  [main] 2026-11-21T12:00:00Z x", 0),
        ("app-1  | 2026-11-21T12:00:00Z x", 0),
        ("<34>1 2026-11-21T12:00:00Z host app - - x", 0),
        ("level=info ts=2026-11-21T12:00:00Z msg=x", 0),
        ("2026-12-31T23:59:60Z leap", 40 * 86400 + 43199),
        ('10.0.0.1 - - [21/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 200', 0),
        ('10.0.0.1 - jo [21/Nov/2026:07:00:00 -0500] "GET / HTTP/1.1" 200', 0),
        (f"{int(NOON)} started", 0),
        (f"{int(NOON)}.5 started", 0.5),
        (f"{int(NOON) * 1000 + 7}: started", 0.007),
        (f"[{int(NOON)}] started", 0),
        ('{"time": "2026-11-21T12:00:00Z", "msg": "x"}', 0),
        ('{"msg": "x", "@timestamp": "2026-11-21T12:00:00.5Z"}', 0.5),
        (f'{{"ts": {NOON + 0.25}, "msg": "x"}}', 0.25),
        (f'{{"timestamp": {int(NOON) * 1000}}}', 0),
        (f'{{"ts": {int(NOON) * 10**9}}}', 0),
        (f'{{"time": 0.31, "request": {{"ts": 1}}, "ts": {int(NOON)}}}', 0),
    ],
)
def test_times_that_say_their_zone(line: str, after: float) -> None:
    assert time_of(line, NOW) == pytest.approx(NOON + after, abs=1e-5)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "   at com.example.Main(Main.java:12) 2026-11-21T12:00:00Z",
        "\tcaused by 2026-11-21T12:00:00Z",
        "Traceback (most recent call last):",
        "2026-13-41T12:00:00Z no such day",
        "2026-11-21T25:00:00Z no such hour",
        "0001-01-01T00:00:00Z",
        "9999-12-31 23:59:59",
        "12:00:00 no day",
        "1234567 too short for a time",
        "17952624001234567 too long for one",
        "x" * 200 + " 2026-11-21T12:00:00Z far behind",
        "Nov 31 12:00:00 host no such day",
        '{"time": "noon"}',
        '{"time": true, "ts": [1], "timestamp": {}}',
        '{"ts": ' + "9" * 400 + "}",
        '{"ts": -1}',
        '{"ts": 1e999}',
        '{"time": "2026-11-21T12:00:00Z"',
        "{" * 5000,
        '{"a":' * 5000,
        "\0\x01\xff",
    ],
)
def test_lines_without_a_time(line: str) -> None:
    assert time_of(line, NOW) is None


@pytest.mark.parametrize(
    "shape", ["%Y-%m-%d %H:%M:%S,123", "%Y/%m/%d %H:%M:%S [error] x", "%b %e %H:%M:%S host app: x"]
)
def test_a_time_without_a_zone_is_local(shape: str, zone: str) -> None:
    line = time.strftime(shape, time.localtime(NOON))
    assert time_of(line, NOW) == pytest.approx(NOON, abs=0.2)
    assert not any(digit in without_time(line).removesuffix(",123") for digit in "0123456789")


def local(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> float:
    """Seconds since the epoch of a time in the machine's zone."""
    return time.mktime((year, month, day, hour, minute, second, 0, 0, -1))


def test_the_year_that_syslog_leaves_out() -> None:
    new_year = local(2027, 1, 1, 0, 30)
    assert time_of("Dec 31 23:59:00 host x", new_year) == local(2026, 12, 31, 23, 59)
    assert time_of("Jan  1 00:10:00 host x", new_year) == local(2027, 1, 1, 0, 10)
    eve = local(2026, 12, 31, 23, 59, 50)
    assert time_of("Jan  1 00:00:05 host x", eve) == local(2027, 1, 1, 0, 0, 5)
    assert time_of("Feb 29 12:00:00 host x", NOW) == local(2024, 2, 29, 12)


def test_the_hour_that_comes_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """On 25 October 2026 the clocks of Berlin go from 03:00 back to 02:00."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()
    try:
        assert time_of("2026-10-25 02:30:00 x", first + 5) == first
        assert time_of("2026-10-25 02:30:00 x", first + 3605) == first + 3600
        assert time_of("2026-03-29 02:30:00 in the hour that is left out", first) is not None
    finally:
        monkeypatch.undo()
        time.tzset()


@given(
    st.integers(1_000_100_000, 4_000_000_000),
    st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    st.sampled_from(["{0:%Y-%m-%dT%H:%M:%S}{0:%z} x", "a - - [{0:%d/%b/%Y:%H:%M:%S} {0:%z}] x", "{1} x", "{2} x"]),
)
def test_every_time_is_read_as_it_was_written(seconds: int, offset: timezone, shape: str) -> None:
    moment = datetime.fromtimestamp(seconds, offset)
    line = shape.format(moment, seconds, seconds * 1000)
    assert time_of(line, NOW) == seconds


@given(
    st.text(max_size=300), st.sampled_from(["", "{", '{"time":', "2026-11-21T", "[21/Nov/2026:", "Nov 21 ", "17952"])
)
def test_no_line_is_too_odd(text: str, beginning: str) -> None:
    found = time_of(beginning + text, NOW)
    assert found is None or 946_684_800 <= found <= 4_102_444_800
    without_time(beginning + text)
