"""What a metrics server kept, read back in stretches: from a scripted server, whose answers are known to the second."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from runbook.checks.base import Past
from tests.checks.looking import a_check, surroundings
from tests.servers import Script, Scripted, answer, scripted

START = 1_700_000_000.0
APART = 'label_replace(max(timestamp(a)), "s", "1", "s", "") or label_replace(max(timestamp(b)), "s", "2", "s", "")'
Values = Callable[[float], Iterable[tuple[str, str]]]


def just_now(at: float) -> list[tuple[str, str]]:
    return [("", str(at))]


def keeping(values: Values, asked: list[dict[str, float | str]], sampled: Values, counted: Values) -> Script:
    """A server that has, at each time, these series: a label and a number each; and their newest sample's time, and
    how many points a window had.
    """

    def script(connection: socket.socket, request: str) -> None:
        query = {name: found[0] for name, found in parse_qs(urlsplit(request.split(" ")[1]).query).items()}
        start, end, step = (float(query[name]) for name in ("start", "end", "step"))
        asked.append({"query": query["query"], "start": start, "end": end, "step": step})
        counts = counted if "sum_over_time((abs(" in query["query"] else values
        told = sampled if "timestamp(" in query["query"] else counts
        lines: dict[str, list[tuple[float, str]]] = {}
        for index in range(int((end - start) / step + 1e-6) + 1):
            at = round(start + index * step, 3)
            for label, number in told(at):
                lines.setdefault(label, []).append((at, number))
        result = [{"metric": {"a": label}, "values": points} for label, points in lines.items()]
        body = {"status": "success", "data": {"resultType": "matrix", "result": result}}
        answer(json.dumps(body))(connection, request)

    return script


def past(server: Scripted, since: float, until: float, step: float, **options: Any) -> Past:
    async def read() -> Past:
        around = surroundings(url=server.url)
        try:
            found: Past = await a_check({"prometheus": "/", "query": "x", **options}).options.past(
                around, since, until, step
            )
            return found
        finally:
            await around.asker.close()

    return asyncio.run(read())


def kept(
    values: Values,
    seconds: float,
    step: float,
    sampled: Values = just_now,
    counted: Values = lambda at: [("", "1000")],
    **options: Any,
) -> tuple[Past, list[dict[str, float | str]]]:
    asked: list[dict[str, float | str]] = []
    with scripted({"/api/v1/query_range": keeping(values, asked, sampled, counted)}) as server:
        return past(server, START, START + seconds, step, **options), asked


def test_a_long_time_is_read_in_stretches() -> None:
    found, asked = kept(lambda at: [("b", f"{at - START:g}")], 25_000, 1)
    assert found.trouble == ""
    assert [at - START for at, _ in found.points] == list(range(25_001))
    assert all(at - START == pytest.approx(value) for at, value in found.points if value < 1e6)
    assert len(asked) == 6
    assert all((float(each["end"]) - float(each["start"])) < 11_000 for each in asked)


def test_what_is_no_number_is_left_out() -> None:
    numbers = ["1", "NaN", "+Inf", "2"]
    found, _ = kept(lambda at: [("b", numbers[int(at - START)])], 3, 1)
    assert [(at - START, value) for at, value in found.points] == [(0, 1), (3, 2)]


def test_a_series_that_takes_the_place_of_another() -> None:
    """A redeploy changes the labels: one series ends, the next begins, and at no time are there two."""
    found, _ = kept(lambda at: [("old", "1")] if at < START + 5 else [("new", "2")], 9, 1)
    assert [value for _, value in found.points] == [1] * 5 + [2] * 5


def test_two_series_at_one_time() -> None:
    def two(at: float) -> list[tuple[str, str]]:
        return [("b", "1"), ("c", "5")]

    found, _ = kept(two, 3, 1)
    assert found.points == ()
    assert "2 series" in found.trouble
    assert [value for _, value in kept(two, 1, 1, worst="max")[0].points] == [5, 5]
    assert [value for _, value in kept(two, 1, 1, worst="min")[0].points] == [1, 1]


@pytest.mark.parametrize("worst", ["max", "min"])
@pytest.mark.parametrize("broken", ["NaN", "+Inf", "-Inf"])
def test_one_series_that_is_no_number_leaves_its_time_without_a_point(worst: str, broken: str) -> None:
    """As a look has no data then: the other series do not speak for it, whichever comes first."""

    def three(at: float) -> list[tuple[str, str]]:
        return [("b", broken if at == START + 1 else "1"), ("c", "5"), ("d", broken if at == START + 3 else "2")]

    found, _ = kept(three, 4, 1, worst=worst)
    assert [at - START for at, _ in found.points] == [0, 2, 4]


def test_a_second_series_that_is_no_number_leaves_no_point() -> None:
    found, _ = kept(lambda at: [("b", "1"), *([("c", "NaN")] if at > START + 1 else [])], 4, 1)
    assert (found.points, found.trouble) == (((START, 1), (START + 1, 1)), "")


def test_fewer_than_half_of_a_window_give_no_point() -> None:
    """Five points make a minute's window at a step of 15 s; where nothing counts them, there are none."""
    counts = {0: "5", 1: "3", 2: "2", 3: "0", 5: "NaN"}

    def counted(at: float) -> list[tuple[str, str]]:
        count = counts.get(int(at - START))
        return [] if count is None else [("", count)]

    found, _ = kept(lambda at: [("b", "1"), ("c", "2")], 5, 1, counted=counted, range="1m", take="avg", worst="max")
    assert [at - START for at, _ in found.points] == [0, 1]


@pytest.mark.parametrize(
    ("options", "queries"),
    [
        ({}, {"x", "min(timestamp(x))"}),
        ({"query": "sum(x)"}, {"sum(x)", "max(timestamp(x))"}),
        ({"query": "a / b"}, {"a / b", f"min({APART})"}),
        ({"query": "sum(x)", "fresh": "a + sum(b)"}, {"sum(x)", f"min({APART})"}),
        ({"query": "sum(x)", "fresh": "up"}, {"sum(x)", "max(timestamp(up))"}),
        ({"query": "vector(1)"}, {"vector(1)"}),
        (
            {"range": "1m", "take": "avg"},
            {
                "avg_over_time((((x) > -Inf) < Inf)[74999ms:15000ms])",
                "min(sum_over_time((abs(x) < bool Inf)[74999ms:15000ms]))",
                "min(timestamp(x))",
            },
        ),
        (
            {"query": "sum(x) # all", "range": "1m", "take": "p95"},
            {
                "quantile_over_time(0.95, (((sum(x) # all\n) > -Inf) < Inf)[74999ms:15000ms])",
                "min(sum_over_time((abs(sum(x) # all\n) < bool Inf)[74999ms:15000ms]))",
                "max(timestamp(x))",
            },
        ),
    ],
)
def test_what_is_asked(options: dict[str, Any], queries: set[str]) -> None:
    found, asked = kept(lambda at: [("b", "1")], 1, 1, **options)
    assert {each["query"] for each in asked} == queries
    assert len(found.points) == 2


@pytest.mark.parametrize(
    ("every", "step", "options", "points"),
    [
        (1, 1, {}, 101 + 2),
        (15, 1, {}, 91 + 30),
        (15, 30, {}, 4 + 2),
        (60, 30, {}, 3 + 4),
        (15, 1, {"newer_than": "10s"}, 7 * 11),
        (15, 1, {"newer_than": "4m"}, 91 + 240),
    ],
)
def test_a_source_that_ended(every: int, step: int, options: dict[str, Any], points: int) -> None:
    """Its last sample is shown for five minutes; it counts until the one after the next would be due."""

    def sampled(at: float) -> list[tuple[str, str]]:
        last = min(at - START, 100) // every * every
        return [("", str(START + last))] if at - START - last < 300 else []

    found, _ = kept(lambda at: [("b", "1")] if sampled(at) else [], 900, step, sampled, **options)
    assert found.trouble == ""
    assert len(found.points) == points


def test_a_source_of_which_nothing_is_known() -> None:
    found, _ = kept(lambda at: [("b", "1")], 10, 1, lambda at: [])
    assert (found.points, found.trouble) == ((), "")


def test_points_of_another_time_are_not_taken() -> None:
    values = [[START - 60, "1"], [START, "2"], [START + 99, "3"]]
    body = {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}
    with scripted({"/api/v1/query_range": answer(json.dumps({"status": "success", "data": body}))}) as server:
        assert past(server, START, START + 10, 1, query="vector(1)").points == ((START, 2.0),)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"status": "error", "errorType": "execution", "error": "too many points"}',
        b'{"status": "success", "warnings": ["partial"], "data": {"resultType": "matrix", "result": []}}',
        b'{"status": "success", "data": {"resultType": "vector", "result": []}}',
    ],
)
def test_what_cannot_be_read_back_is_told(body: bytes) -> None:
    with scripted({"/api/v1/query_range": answer(body)}) as server:
        found = past(server, START, START + 60, 15)
    assert found.points == ()
    assert found.trouble


def test_what_is_not_asked_at_all() -> None:
    with scripted({}) as server:
        assert "too long" in past(server, START, START + 1e9, 1).trouble
        assert "too long" in past(server, START, START - 1, 1).trouble
        assert "is not set" in past(server, START, START + 1, 1, query='x{a="${NOBODY_SET_THIS}"}').trouble
        assert server.asked == []
    assert past(server, START, START + 1, 1).trouble
