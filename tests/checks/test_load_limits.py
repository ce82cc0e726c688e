"""`load` within its limits: the deadline, its own time-out, a rate, and what this machine can hold."""

from __future__ import annotations

import resource
import time

import pytest

from runbook.judge.verdicts import Reason, Status
from tests.checks.looking import a_check, looked, surroundings
from tests.checks.test_load import some
from tests.hostile import drip, hang, hang_in_the_body
from tests.servers import Script, answer, scripted

ANY = "errors >= 0%"


@pytest.mark.parametrize("script", [hang, hang_in_the_body, drip])
def test_a_server_that_hangs_ends_at_the_deadline(script: Script) -> None:
    with scripted({"/": script}) as server:
        around = surroundings(url=server.url, seconds=0.6)
        row = looked({"load": "/", "requests": 40, "concurrency": 8, "expect": ANY}, around)
        assert len(server.asked) == 8
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert row.message == (
        "stopped at the deadline of 600 ms after 8 of 40 requests, of which none was answered; "
        "give more time: runbook preflight --deadline 10s"
    )
    assert 0.4 < row.duration < 1.0


def test_one_that_hangs_makes_it_unknown_not_a_pass_by_the_others() -> None:
    with scripted({"/": some(lambda number: number == 5, hang, answer("ok"))}) as server:
        plain = {"load": "/", "requests": 20, "concurrency": 2, "expect": "errors < 50%"}
        row = looked(plain, surroundings(url=server.url, seconds=1))
        assert len(server.asked) == 20
    assert row.status is Status.UNKNOWN
    assert "after 20 of 20 requests" in row.message


def test_ten_thousand_in_a_second_are_given_up_early() -> None:
    with scripted({"/": answer("ok")}) as server:
        plain = {"load": "/", "requests": 10_000, "concurrency": 50, "expect": "p95 < 3s"}
        row = looked(plain, surroundings(url=server.url, seconds=1))
        asked = len(server.asked)
        assert 0 < asked < 3000
    assert (row.status, row.reason, row.observed) == (Status.UNKNOWN, Reason.ERROR, "not ended")
    assert row.message.startswith("stopped after ")
    assert " of 10,000 requests: at " in row.message
    assert "a second the deadline of 1 s comes first; give more time: runbook preflight --deadline " in row.message
    assert row.duration < 0.9


def test_its_own_time_out_bounds_it_and_is_named() -> None:
    with scripted({"/": hang}) as server:
        row = looked({"load": "/", "timeout": 0.3, "expect": ANY}, surroundings(url=server.url, seconds=20))
    assert row.message.startswith("stopped at the time-out of 300 ms after 10 of 100 requests")
    assert row.message.endswith("give it timeout: 10s")
    assert a_check({"load": "/"}).timeout == 600
    assert a_check({"http": "/"}).timeout == 10


def test_no_more_than_the_rate() -> None:
    with scripted({"/": answer("ok")}) as server:
        plain = {"load": "/", "requests": 21, "concurrency": 10, "rate": 50.0}
        row = looked({**plain, "expect": "rate <= 55 and errors == 0%"}, url=server.url)
        assert (row.status, len(server.asked)) == (Status.PASS, 21)
        assert 0.4 <= row.duration < 2
        began = time.monotonic()
        row = looked({**plain, "rate": 2.0, "expect": ANY}, surroundings(url=server.url, seconds=3))
        assert time.monotonic() - began < 0.5
        assert len(server.asked) == 21
    assert row.message.startswith("21 requests, at most 2 a second, take 10 s: nothing was sent")
    assert row.message.endswith("give more time: runbook preflight --deadline 30s")


def test_more_connections_than_files_may_be_open() -> None:
    most, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with scripted({"/": answer("ok")}) as server:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        try:
            row = looked({"load": "/", "requests": 900, "concurrency": 300, "expect": ANY}, url=server.url)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        assert server.asked == []
    assert row.message.endswith("too few for 300 connections: ulimit -n 364, or a concurrency of 192")
