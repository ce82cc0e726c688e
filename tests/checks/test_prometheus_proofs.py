"""How fresh the samples behind a query are, by a real Prometheus: no selector vouches for another."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest

from runbook.checks.base import Past
from runbook.judge.verdicts import Reason, Status
from tests.checks.looking import a_check, looked, measured, surroundings
from tests.real.prometheus import Prometheus, prometheus
from tests.servers import answer, scripted

pytestmark = pytest.mark.needs("prometheus")

AGE = 207  # seconds: Prometheus still shows the sample


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """It knows `moving`, told at each scrape, and `frozen`, whose source tells the same old sample again and again."""
    began = time.time()

    def lines(connection: socket.socket, request: str) -> None:
        answer(f'frozen{{a="b"}} 1 {int((began - AGE) * 1000)}\nmoving 4\n')(connection, request)

    with (
        scripted({"/metrics": lines}) as target,
        prometheus(tmp_path_factory.mktemp("server"), [f"127.0.0.1:{target.port}"], every="500ms") as running,
    ):
        running.wait_for("count_over_time(moving[1m]) >= bool 4 and on() frozen", 1)
        yield running


@pytest.mark.parametrize(
    "query",
    [
        "sum(moving) * 0 + sum(frozen)",
        "sum(frozen) / sum(moving)",
        "sum(moving) / sum(frozen)",
        "frozen + on() moving",
        "frozen or moving",
        "max(moving or frozen)",
        "sum(never) or sum(moving) + sum(frozen)",
        "(sum(frozen) or vector(0)) + sum(moving)",
    ],
)
def test_a_fresh_selector_does_not_vouch_for_a_frozen_one(server: Prometheus, query: str) -> None:
    row = looked({"prometheus": server.url, "query": query, "worst": "max", "expect": "< 100"})
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.NODATA)
    assert "the newest sample is 3 m" in row.message
    allowed = {"prometheus": server.url, "query": query, "worst": "max", "newer_than": "10m", "expect": "< 100"}
    assert looked(allowed).status is Status.PASS
    metric = measured({"prometheus": server.url, "query": query, "worst": "max"})
    assert metric.measured_at is not None
    assert time.time() - metric.measured_at > AGE - 1


@pytest.mark.parametrize(
    "query",
    [
        "sum(moving) / sum(moving offset 500ms)",
        "(sum(never) or vector(0)) / sum(moving)",
        "sum(moving) + (sum(never) or vector(0))",
        'sum(moving) + sum(moving{job="pushed"})',
    ],
)
def test_a_selector_that_has_no_sample_is_no_old_one(server: Prometheus, query: str) -> None:
    row = looked({"prometheus": server.url, "query": query, "expect": "< 100"})
    assert row.status is Status.PASS, row.message


def test_nor_does_it_when_the_past_is_read(server: Prometheus) -> None:
    """`frozen` has no other sample than its old one: the time at which that counts is over."""

    async def read(query: str) -> Past:
        around, now = surroundings(), time.time()
        try:
            options = {"prometheus": server.url, "query": query, "newer_than": "90s"}
            found: Past = await a_check(options).options.past(around, now - AGE - 60, now, 1.0)
            return found
        finally:
            await around.asker.close()

    server.wait_for("count_over_time(moving[1m]) >= bool 6", 1)
    assert asyncio.run(read("sum(moving)")).points
    for query in ("sum(moving) * 0 + sum(frozen)", "sum(frozen) / sum(moving)"):
        found = asyncio.run(read(query))
        assert (found.points, found.trouble) == ((), "")


def test_no_proof_is_taken_from_what_is_computed(server: Prometheus) -> None:
    """The time of `sum(frozen)` would be that of the question: the selectors in it are asked for instead."""
    row = looked({"prometheus": server.url, "query": "sum(moving)", "fresh": "sum(frozen)", "expect": "< 100"})
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.NODATA)


def test_nothing_over_a_time_is_no_data(server: Prometheus) -> None:
    """Prometheus answers `success` with an empty matrix."""
    for query in ("never", "sum(never)", "moving > 100"):
        row = looked({"prometheus": server.url, "query": query, "range": "2s", "take": "avg", "expect": "< 100"})
        assert (row.status, row.reason) == (Status.UNKNOWN, Reason.NODATA)
        assert "no such series" in row.message
