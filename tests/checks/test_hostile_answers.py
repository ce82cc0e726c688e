"""Whatever comes back instead of an honest number: never a pass, within the deadline, and the reason is told."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Any

import pytest

from runbook.judge.verdicts import Reason, Status
from tests.checks.looking import looked, looked_all, measured, surroundings
from tests.hostile import BODIES, BROKEN
from tests.servers import answer, scripted

PROGRAMS = (".value", ".value | tonumber", "[.value] | add", "first(.value)")
NO_DATA = {
    "empty",
    "blank",
    "null",
    "empty object",
    "value null",
    "value NaN",
    "value infinite",
    "value infinite below",
}
NO_DATA |= {"value beyond floats", "another key", "value of 5000 digits"}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_answers(name: str) -> None:
    """Where a value is meant: unknown. Where the question is whether it is there: fail."""
    with scripted({"/": BROKEN[name]}) as server:
        checks: list[dict[str, Any]] = [
            {"http": "/", "jq": ".value", "expect": "> 0"},
            {"http": "/", "jq": ".value"},
            {"http": "/", "expect": "!= 1"},
            {"http": "/", "list": ".[]?"},
            {"http": "/", "header": "content-length"},
            {"http": "/", "status": 200},
            {"http": "/", "matches": "value"},
        ]
        began = time.monotonic()
        rows = looked_all(checks, surroundings(url=server.url, seconds=0.5))
        assert time.monotonic() - began < 2.0
    assert [row.status for row in rows] == [Status.UNKNOWN] * 5 + [Status.FAIL] * 2
    assert {row.reason for row in rows[:5]} == {Reason.ERROR}
    assert all(row.message for row in rows)


@pytest.mark.parametrize("name", BODIES)
def test_broken_bodies(name: str) -> None:
    with scripted({"/": answer(BODIES[name])}) as server:
        checks = [{"http": "/", "jq": jq, "expect": "> 0.5 and value < 1000000"} for jq in PROGRAMS]
        around = surroundings(url=server.url, seconds=6)
        rows = looked_all(checks, around)
    assert Status.PASS not in {row.status for row in rows}, [row.message for row in rows]
    assert all(row.message or row.reason for row in rows)
    if name in NO_DATA:
        assert rows[0].reason is Reason.NODATA
    elif name not in ("value false", "value true"):
        assert rows[0].status is Status.UNKNOWN


@pytest.mark.parametrize(
    "name", ["empty", "HTML", "value null", "value NaN", "value list", "truncated", "deep", "a list"]
)
def test_measurements_of_broken_bodies(name: str) -> None:
    with scripted({"/": answer(BODIES[name])}) as server:
        row = measured({"http": "/", "jq": ".value"}, url=server.url)
    assert row.status is Status.UNKNOWN
    assert row.value is None


def test_a_source_with_another_clock_is_not_measured() -> None:
    old = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    with scripted({"/": answer('{"value": 1}', headers=old)}) as server:
        row = measured({"http": "/", "jq": ".value"}, url=server.url)
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert "clock" in row.message


@pytest.mark.parametrize("off", [-7200, -60, 60, 7200])
@pytest.mark.parametrize(
    "check",
    [
        {"jq": ".value", "expect": "< 2"},
        {"jq": ".value", "expect": "> 2"},
        {"jq": "{a: .value}", "expect": "a == 1 and time < 5s"},
        {"jq": "{status: .value}", "expect": "status == 1"},
        {"header": "X-Count", "expect": "== 7"},
        {"list": ".none[]", "expect": "== 0"},
        {"matches": "[0-9]+", "expect": "== 1"},
    ],
)
def test_what_a_cache_kept_is_not_judged(check: dict[str, str], off: int) -> None:
    headers = f"X-Count: 7\r\nDate: {formatdate(time.time() + off, usegmt=True)}\r\n"
    with scripted({"/": answer('{"value": 1, "none": []}', headers=headers)}) as server:
        row = looked({"http": "/", **check}, url=server.url)
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert "clock" in row.message and row.expected == check["expect"]


@pytest.mark.parametrize("expect", [{}, {"expect": "status == 200"}, {"expect": "time < 5s and wait < 5s"}])
def test_what_is_measured_here_is_judged_whatever_the_clock_of_the_source(expect: dict[str, str]) -> None:
    headers = f"Date: {formatdate(time.time() - 7200, usegmt=True)}\r\n"
    with scripted({"/": answer("1", headers=headers)}) as server:
        assert looked({"http": "/", **expect}, url=server.url).status is Status.PASS


def test_a_value_of_now_is_judged() -> None:
    headers = f"Date: {formatdate(time.time() - 2, usegmt=True)}\r\n"
    with scripted({"/": answer('{"value": 1}', headers=headers)}) as server:
        assert looked({"http": "/", "jq": ".value", "expect": "< 2"}, url=server.url).status is Status.PASS


def test_nothing_listens() -> None:
    rows = looked_all([{"http": "http://127.0.0.1:1/"}, {"http": "http://127.0.0.1:1/", "jq": ".a"}])
    assert [row.status for row in rows] == [Status.FAIL, Status.UNKNOWN]


def test_programs_that_never_end_are_ended() -> None:
    endless = [
        "def f: f; f",
        "[range(1e18)] | add",
        "[.[] | recurse(.)] | length",
        "until(false; .)",
        '"a" * 1e9 | length',
    ]
    with scripted({"/": answer('{"value": 1}')}) as server:
        began = time.monotonic()
        checks = [{"http": "/", "jq": program} for program in endless]
        rows = looked_all([*checks, {"http": "/", "jq": ".value"}], surroundings(url=server.url, seconds=1))
        assert time.monotonic() - began < 4
    assert {row.status for row in rows[:-1]} == {Status.UNKNOWN}
    assert rows[-1].status is Status.PASS


def test_patterns_that_never_end_are_ended() -> None:
    with scripted({"/": answer("a" * 200_000 + "!")}) as server:
        began = time.monotonic()
        patterns = [r"(a+)+$", r"(a|aa)+$", r"a*a*a*b"]
        rows = looked_all([{"http": "/", "matches": p} for p in patterns], surroundings(url=server.url, seconds=1))
        assert time.monotonic() - began < 4
    assert Status.PASS not in {row.status for row in rows}


def test_what_a_service_says_reaches_no_terminal_raw() -> None:
    poison = '"\\u001b]0;title\\u0007\\u202e\\u009b31m"'
    with scripted({"/": answer(poison), "/l": answer(f"[{poison}]")}) as server:
        rows = looked_all([{"http": "/", "jq": ".", "expect": "== x"}, {"http": "/l", "list": ".[]"}], url=server.url)
    for row in rows:
        text = row.observed + row.message + "".join(row.listed)
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\\x1b]0;title" in text
