"""What stands in the place of a monitoring system, and answers it gives that prove nothing: never a pass."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from runbook.checks.base import CheckResult
from runbook.judge.verdicts import Reason, Status
from tests.checks.looking import looked, looked_all, measured, surroundings
from tests.checks.prometheus_answers import good, one, served, typed, vector
from tests.hostile import BODIES, BROKEN
from tests.servers import Script, Scripted, answer, scripted

HOLDS = "< 1000000 and value > -1000000"  # of any number that is one
CHECKS: tuple[Mapping[str, Any], ...] = (
    {"prometheus": "/", "query": "x", "expect": HOLDS},
    {"prometheus": "/", "query": "1", "expect": HOLDS},
    {"prometheus": "/", "query": "x", "worst": "max", "expect": HOLDS},
    {"prometheus": "/", "query": "x", "range": "1m", "take": "avg", "expect": HOLDS},
    {"scrape": "/metrics", "metric": "value", "expect": HOLDS},
    {"scrape": "/metrics", "metric": "value", "sum": True, "expect": HOLDS},
    {"alertmanager": "/"},
    {"alertmanager": "/", "expect": HOLDS},
)
PATHS = ("/api/v1/query", "/api/v1/query_range", "/metrics", "/api/v2/alerts")


@pytest.fixture(scope="module")
def running() -> Iterator[Scripted]:
    with scripted({}) as server:
        yield server


@contextlib.contextmanager
def serving(server: Scripted, scripts: dict[str, Script]) -> Iterator[Scripted]:
    """The one server of this module with other scripts: to start one for each answer takes longer than to ask it."""
    server.scripts = scripts
    yield server


@pytest.mark.parametrize("name", BROKEN)
def test_broken_answers(running: Scripted, name: str) -> None:
    with serving(running, dict.fromkeys(PATHS, BROKEN[name])) as server:
        began = time.monotonic()
        rows = looked_all(CHECKS, surroundings(url=server.url, seconds=0.5))
        assert time.monotonic() - began < 2.0
    assert [(row.status, row.reason) for row in rows] == [(Status.UNKNOWN, Reason.ERROR)] * len(CHECKS)
    assert all(row.message for row in rows)


# Bodies that happen to be sound where something else was meant.
SOUND = {("prometheus", "scrape")}


@pytest.mark.parametrize("name", BODIES)
def test_broken_bodies(running: Scripted, name: str) -> None:
    headers = "Content-Type: application/json\r\n"
    with serving(running, dict.fromkeys(PATHS, answer(BODIES[name], headers=headers))) as server:
        rows = looked_all(CHECKS, url=server.url)
    for check, row in zip(CHECKS, rows, strict=True):
        if (name, next(iter(check))) in SOUND or (name == "empty list" and "alertmanager" in check):
            assert row.status is Status.PASS
        else:
            assert row.status is Status.UNKNOWN, row
            assert row.message


NO_DATA = {
    "empty vector": vector(),
    "NaN": good("NaN"),
    "infinite": good("+Inf"),
    "infinite below": good("-Inf"),
    "beyond floats": good("1e999"),
    "scalar NaN": typed("scalar", '[NOW, "NaN"]'),
}
NO_SENSE = {
    "empty number": good(""),
    "text": good("low"),
    "true": good("true"),
    "null in quotes": good("null"),
    "nan in other letters": good("nan"),
    "hexadecimal": good("0x1"),
    "underscore": good("1_0"),
    "comma": good("1,5"),
    "two numbers": good("1 2"),
    "space": good(" 1"),
    "Arabic digits": good("\\u0661"),
    "a number without quotes": vector('{"metric": {}, "value": [NOW, 1]}'),
    "value null": vector('{"metric": {}, "value": null}'),
    "value a text": vector('{"metric": {}, "value": "1"}'),
    "value of one part": vector('{"metric": {}, "value": [NOW]}'),
    "value of three parts": vector('{"metric": {}, "value": [NOW, "1", "2"]}'),
    "values": vector('{"metric": {}, "values": [[NOW, "1"]]}'),
    "a histogram": vector('{"metric": {}, "histogram": [NOW, {"count": "1", "sum": "1"}]}'),
    "no labels": vector('{"value": [NOW, "1"]}'),
    "labels a list": vector('{"metric": [], "value": [NOW, "1"]}'),
    "a label that is a number": vector('{"metric": {"a": 1}, "value": [NOW, "1"]}'),
    "two series": vector(one("1", labels='{"a": "b"}'), one("1", labels='{"a": "c"}')),
    "one series twice": vector(one("1"), one("1")),
    "one series twice, two numbers": vector(one("1"), one("2")),
    "time null": good("1", "null"),
    "time a text": good("1", '"NOW"'),
    "time NaN": good("1", "NaN"),
    "time infinite": good("1", "Infinity"),
    "time zero": good("1", "0"),
    "time below zero": good("1", "-NOW"),
    "time in milliseconds": good("1", "MILLIS"),
    "an old time": good("1", "OLD"),
    "a future time": good("1", "AHEAD"),
    "a string": typed("string", '[NOW, "1"]'),
    "a matrix": typed("matrix", '[{"metric": {}, "values": [[NOW, "1"]]}]'),
    "another type": typed("stream", "[]"),
    "no type": '{"status": "success", "data": {"result": []}}',
    "type null": '{"status": "success", "data": {"resultType": null, "result": []}}',
    "result null": typed("vector", "null"),
    "result an object": typed("vector", "{}"),
    "result a number": typed("vector", "1"),
    "scalar of one part": typed("scalar", "[NOW]"),
    "scalar without quotes": typed("scalar", "[NOW, 1]"),
    "no data": '{"status": "success"}',
    "data null": '{"status": "success", "data": null}',
    "data a list": '{"status": "success", "data": []}',
    "no status": good("1").replace('"status": "success", ', ""),
    "status null": good("1").replace('"success"', "null"),
    "another status": good("1").replace('"success"', '"partial"'),
    "status error": '{"status": "error", "errorType": "timeout", "error": "query timed out"}',
    "status error beside data": good("1").replace('"success"', '"error"'),
    "status twice": good("1").replace('"status"', '"status": "error", "status"').replace('"success"', '"error"'),
    "a warning": vector(one("1"), more=', "warnings": ["remote read failed"]'),
    "warnings of another type": vector(one("1"), more=', "warnings": "remote read failed"'),
    "truncated": good("1")[:-1],
    "truncated in the number": good("1")[:-8],
    "followed by more": good("1") + good("1"),
    "deep": good("1", labels="[" * 20_000 + "]" * 20_000),
}
ALL = {**NO_DATA, **NO_SENSE}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("worst", [None, "max"])
def test_queries_that_prove_nothing(running: Scripted, name: str, worst: str | None) -> None:
    with serving(running, served(ALL[name])) as server:
        options = {"prometheus": server.url, "query": "x"} | ({"worst": worst} if worst else {})
        row = looked({**options, "expect": HOLDS})
        metric = measured(options)
    if name == "two series" and worst:
        assert row.status is Status.PASS
        return
    assert (row.status, metric.status) == (Status.UNKNOWN, Status.UNKNOWN), row
    assert row.message
    assert row.reason is (Reason.NODATA if name in NO_DATA else Reason.ERROR), row.message


@pytest.mark.parametrize("name", ALL)
def test_samples_whose_time_is_not_known(running: Scripted, name: str) -> None:
    """The value is sound, and what should prove that it is fresh is not."""
    with serving(running, served(good("1"), ALL[name])) as server:
        row = looked({"prometheus": server.url, "query": "x", "expect": HOLDS})
        metric = measured({"prometheus": server.url, "query": "x"})
    assert (row.status, metric.status) == (Status.UNKNOWN, Status.UNKNOWN), row
    assert row.message


LABELLED = '{"a": "b"}'
NUMBERS = '"1", "1", "1", "1", "1"'


def line(values: str, labels: str = "{}") -> str:
    return f'{{"metric": {labels}, "values": [{values}]}}'


def points(*away: float, number: str = "1") -> str:
    """Points so many seconds from now."""
    return ", ".join(f'[{time.time() + each:.3f}, "{number}"]' for each in away)


def windows() -> Iterator[tuple[str, str]]:
    minute = range(-60, 1, 15)
    yield "none", typed("matrix", "[]")
    yield "no points", typed("matrix", f"[{line('')}]")
    yield "too few", typed("matrix", f"[{line(points(-15, 0))}]")
    yield "all NaN", typed("matrix", f"[{line(points(*minute, number='NaN'))}]")
    yield "infinite", typed("matrix", f"[{line(points(*minute, number='+Inf'))}]")
    yield "no numbers", typed("matrix", f"[{line(points(*minute, number='low'))}]")
    yield "one time twice", typed("matrix", f"[{line(points(-60, -45, -30, -30, 0))}]")
    yield "backwards", typed("matrix", f"[{line(points(0, -15, -30, -45, -60))}]")
    yield "of yesterday", typed("matrix", f"[{line(points(*(each - 86400 for each in minute)))}]")
    yield "of tomorrow", typed("matrix", f"[{line(points(*(each + 86400 for each in minute)))}]")
    yield "two series", typed("matrix", f"[{line(points(*minute))}, {line(points(*minute), LABELLED)}]")
    yield "one series twice", typed("matrix", f"[{line(points(*minute))}, {line(points(*minute))}]")
    yield "a vector", good("1")
    yield "a value", typed("matrix", '[{"metric": {}, "value": [NOW, "1"]}]')
    yield "points without times", typed("matrix", f"[{line(NUMBERS)}]")


@pytest.mark.parametrize("name", [name for name, _ in windows()])
def test_windows_that_prove_nothing(running: Scripted, name: str) -> None:
    with serving(running, served(dict(windows())[name])) as server:
        for take in ("avg", "max", "last", "count", "p95"):
            options = {"query": "x", "range": "1m", "step": "15s", "take": take}
            row = looked({"prometheus": server.url, **options, "expect": HOLDS})
            assert row.status is Status.UNKNOWN, row
            assert row.message


def test_a_window_with_a_few_points_missing_says_so(running: Scripted) -> None:
    whole = typed("matrix", f"[{line(points(-60, -45, -30, 0))}]")
    with serving(running, served(whole)) as server:
        options = {"query": "x", "range": "1m", "step": "15s", "take": "avg", "expect": "== 1"}
        row = looked({"prometheus": server.url, **options})
    assert row.status is Status.PASS
    assert row.message == "20% of the points are missing"


def of_age(running: Scripted, age: float, **options: Any) -> CheckResult:
    with serving(running, served(good("0.001"), good(f"{time.time() - age:.3f}"))) as server:
        return looked({"prometheus": server.url, "query": "error_share", "expect": "< 1%", **options})


@pytest.mark.parametrize("age", [91 + 10 * step for step in range(50)])
def test_old_values_that_look_good(running: Scripted, age: float) -> None:
    row = of_age(running, age)
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.NODATA)
    assert "newer_than" in row.message


def test_how_old_a_value_may_be(running: Scripted) -> None:
    assert of_age(running, 80).status is Status.PASS
    assert of_age(running, 280, newer_than="5m").status is Status.PASS
    assert of_age(running, 20, newer_than="10s").reason is Reason.NODATA
    assert of_age(running, -20).status is Status.PASS
    assert of_age(running, -40).reason is Reason.ERROR


def test_a_warning_is_taken_where_the_playbook_says_so(running: Scripted) -> None:
    body = vector(one("1"), more=', "warnings": ["remote read failed"]')
    with serving(running, served(body)) as server:
        row = looked({"prometheus": server.url, "query": "x", "expect": "== 1"})
        assert "remote read failed" in row.message
        assert looked({"prometheus": server.url, "query": "x", "partial": True, "expect": "== 1"}).status is Status.PASS


@pytest.mark.parametrize("status", ["400 Bad Request", "422 Unprocessable", "503 Service Unavailable"])
def test_what_prometheus_says_itself(running: Scripted, status: str) -> None:
    body = '{"status": "error", "errorType": "execution", "error": "query processing would load too many samples"}'
    with serving(running, served(body, status=status)) as server:
        row = looked({"prometheus": server.url, "query": "x", "expect": "== 1"})
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert row.message == "Prometheus says: execution: query processing would load too many samples"


def test_a_clock_that_is_off(running: Scripted) -> None:
    with serving(running, {"/metrics": answer("a 1\n", headers="Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")}) as server:
        row = looked({"scrape": "/metrics", "metric": "a", "expect": "== 1"}, url=server.url)
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert "clock" in row.message
