"""`load`: as many requests as were asked for and never more, and honest numbers."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from runbook.judge.verdicts import Reason, Status
from runbook.system.secrets import Masker
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, measured, surroundings
from tests.hostile import reset
from tests.servers import Script, answer, closed_port, scripted

ANY = "errors >= 0%"


@dataclass
class Counted:
    """A script that counts how many it serves at the same time."""

    script: Script
    wait: float = 0.0
    now: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, connection: Any, request: str) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        threading.Event().wait(self.wait)
        with self.lock:
            self.now -= 1
        self.script(connection, request)


def some(chosen: Callable[[int], bool], then: Script, otherwise: Script) -> Script:
    """A script that does something else for some of the requests, by their number from 0 on."""
    lock, seen = threading.Lock(), [0]

    def serve(connection: Any, request: str) -> None:
        with lock:
            number, seen[0] = seen[0], seen[0] + 1
        (then if chosen(number) else otherwise)(connection, request)

    return serve


@pytest.mark.parametrize(("requests", "concurrency"), [(1, 1), (1, 50), (7, 3), (40, 40), (300, 20), (100, None)])
def test_as_many_as_asked_for_and_so_many_at_a_time(requests: int, concurrency: int | None) -> None:
    counted = Counted(answer("ok"), wait=0.01)
    at_a_time = {} if concurrency is None else {"concurrency": concurrency}
    with scripted({"/": counted}) as server:
        row = looked({"load": "/", "requests": requests, **at_a_time, "expect": ANY}, url=server.url)
        assert len(server.asked) == requests
    assert row.status is Status.PASS
    assert counted.most <= min(concurrency or 10, requests)
    assert requests < 40 or counted.most > 1


def test_a_thousand_at_a_hundred_a_time_take_a_few_seconds() -> None:
    with scripted({"/": answer("ok")}) as server:
        plain = {"load": "/", "requests": 1000, "concurrency": 100, "expect": "p95 < 3s and errors < 1%"}
        row = looked(plain, surroundings(url=server.url, seconds=30))
        assert len(server.asked) == 1000
    assert row.status is Status.PASS, row.message
    assert row.duration < 8
    assert row.message.startswith("1,000 requests, 100 at a time, ")
    assert "p95" in row.observed
    assert "errors 0 %" in row.observed


def test_the_request_is_the_one_that_is_written() -> None:
    plain = {"load": "/ask", "method": "post", "json": {"q": "${WORD}"}, "headers": {"X-Key": "${KEY}"}, "requests": 2}
    variables = Variables(process={"WORD": "pumps", "KEY": "hunter2hunter2"}, masker=Masker())
    with scripted({"/ask": answer("ok")}) as server:
        row = looked({**plain, "expect": "errors == 0%"}, url=server.url, variables=variables)
        assert all(request.startswith("POST /ask ") for request in server.asked)
        assert all("x-key: hunter2hunter2" in request.lower() for request in server.asked)
        assert all(request.endswith('{"q":"pumps"}') for request in server.asked)
    assert row.status is Status.PASS
    assert a_check(plain).options.by_hand("http://x.test").startswith('curl -fsS -X POST -H "X-Key: ${KEY}"')


@pytest.mark.parametrize(
    ("expect", "status"),
    [
        ("p95 < 3s and errors < 1%", Status.PASS),
        ("p50 < 30ms", Status.FAIL),
        ("p50 > 30ms and p99 < 2500ms", Status.PASS),
        ("< 3s", Status.PASS),
        ("< 30ms", Status.FAIL),
        ("p95 < 3", Status.PASS),
        ("rate > 5 and rate < 200", Status.PASS),
        ("errors < 3s", Status.UNKNOWN),
        ("p95 < 5%", Status.UNKNOWN),
    ],
)
def test_expect_is_judged_with_units(expect: str, status: Status) -> None:
    with scripted({"/": Counted(answer("ok"), wait=0.05)}) as server:
        row = looked({"load": "/", "requests": 8, "concurrency": 4, "expect": expect}, url=server.url)
    assert row.status is status, row
    assert "ms" in row.observed or "p" not in expect or status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (answer("no", status="500 Oops"), "status 500 (10)"),
        (answer("no", status="429 Later"), "status 429 (10)"),
        (answer("", status="302 Found", headers="Location: /x\r\n"), "status 302 (10)"),
        (reset, "(10)"),
        (lambda connection, request: None, "(10)"),
    ],
)
def test_what_is_not_answered_as_meant_is_an_error(broken: Script, said: str) -> None:
    with scripted({"/": some(lambda number: number % 5 == 0, broken, answer("ok"))}) as server:
        row = looked({"load": "/", "requests": 50, "concurrency": 5, "expect": "errors < 1%"}, url=server.url)
        assert len(server.asked) == 50
    assert (row.status, row.observed) == (Status.FAIL, "20 %"), row
    assert said in row.message


def test_the_status_that_is_meant() -> None:
    with scripted({"/": answer("busy", status="503 Busy")}) as server:
        for status, wanted in ((503, Status.PASS), ("5xx", Status.PASS), ((200, 503), Status.PASS), (200, Status.FAIL)):
            plain = {"load": "/", "requests": 3, "status": status, "expect": "errors == 0%"}
            assert looked(plain, url=server.url).status is wanted


def test_a_server_that_dies_in_the_middle() -> None:
    dying = threading.Event()

    def die(connection: Any, request: str) -> None:
        dying.set()
        answer("ok")(connection, request)

    with contextlib.ExitStack() as life:
        server = life.enter_context(scripted({"/": some(lambda number: number == 30, die, answer("ok"))}))

        def end_it() -> None:
            dying.wait(20)
            life.close()

        end = threading.Thread(target=end_it)
        end.start()
        row = looked({"load": "/", "requests": 2000, "concurrency": 4, "expect": "errors < 1%"}, url=server.url)
        end.join()
        assert 30 < len(server.asked) < 2000
    assert row.status is Status.FAIL
    assert "connection refused (" in row.message


def test_nobody_listens() -> None:
    with closed_port() as port:
        plain = {"load": f"http://127.0.0.1:{port}/", "requests": 200}
        row = looked({**plain, "expect": "p95 < 3s and errors < 1%"})
        times_alone = looked({**plain, "expect": "p95 < 3s"})
    assert (row.status, row.observed) == (Status.FAIL, "errors 100 %")
    assert "connection refused (200)" in row.message
    assert (times_alone.status, times_alone.reason) == (Status.UNKNOWN, Reason.NODATA)


@pytest.mark.parametrize(
    ("percent", "count"), [(None, 40), (100.0, 40), (50.0, 20), (25.0, 10), (5.0, 2), (0.1, 1), (0.0, 1)]
)
def test_the_share_of_a_day(percent: float | None, count: int) -> None:
    with scripted({"/": answer("ok")}) as server:
        row = looked({"load": "/", "per_day": 40, "expect": "errors == 0%"}, url=server.url, percent=percent)
        assert len(server.asked) == count
    assert row.status is Status.PASS


def test_a_protected_environment_needs_allow() -> None:
    plain = {"load": "/", "requests": 3, "id": "load_test", "expect": "errors == 0%"}
    with scripted({"/": answer("ok")}) as server:
        row = looked(plain, url=server.url, protected=True)
        assert server.asked == []
        assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
        assert row.message == (
            "staging is protected, and a load may do harm: nothing was sent; try it elsewhere, "
            "runbook preflight -e NAME --only load_test, or write allow: true at the check"
        )
        assert looked({**plain, "allow": True}, url=server.url, protected=True).status is Status.PASS
        assert len(server.asked) == 3


def test_a_dry_run_sends_nothing_without_reads() -> None:
    plain = {"load": "/", "requests": 3, "expect": "errors == 0%"}
    with scripted({"/": answer("ok")}) as server:
        assert looked(plain, url=server.url, dry_run=True).status is Status.SKIPPED
        assert server.asked == []
        assert looked({**plain, "reads": True}, url=server.url, dry_run=True).status is Status.PASS


def test_what_cannot_be_sent_at_all() -> None:
    assert looked({"load": "/", "expect": ANY}).message == "a relative URL, and the environment has no url"
    assert "NOT_SET" in looked({"load": "http://127.0.0.1/${NOT_SET}", "expect": ANY}).message
    row = looked({"load": "ftp://127.0.0.1/", "requests": 1000, "expect": ANY})
    assert (row.status, row.message) == (Status.UNKNOWN, "only http and https URLs with a host are asked")
    assert row.duration < 1


def test_as_a_metric_it_is_the_p95_in_seconds() -> None:
    with scripted({"/": Counted(answer("ok"), wait=0.05)}) as server:
        row = measured({"load": "/", "requests": 6, "concurrency": 3}, url=server.url)
    assert row.status is Status.PASS
    assert 0.05 <= row.value < 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"requests": 0},
        {"requests": 100_001},
        {"concurrency": 0},
        {"concurrency": 1001},
        {"per_day": 0},
        {"per_day": 10, "requests": 10},
        {"rate": 0.0},
        {"rate": -1.0},
        {"rate": float("nan")},
        {"status": 700},
        {"json": {}, "text": "a"},
    ],
)
def test_options_that_are_refused(wrong: dict[str, Any]) -> None:
    assert a_check({"load": "/", **wrong}).options.problems()
    assert a_check({"load": "/", "requests": 100_000, "concurrency": 1000, "rate": 0.5}).options.problems() == []
    assert not a_check({"load": "/"}).options.asserts()
