"""`prometheus` against a real one, which scrapes a real Pushgateway every second."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.base import CheckResult, Past
from runbook.judge.verdicts import Reason, Status
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, looked_all, measured, surroundings
from tests.real.prometheus import Prometheus, prometheus
from tests.real.pushgateway import Pushgateway, pushgateway
from tests.servers import answer, scripted

pytestmark = pytest.mark.needs("prometheus", "prometheus-pushgateway")


@dataclass(frozen=True)
class Monitoring:
    server: Prometheus
    gateway: Pushgateway

    def look(self, query: str, **more: Any) -> CheckResult:
        return looked({"prometheus": self.server.url, "query": query, **more})

    def push(self, text: str, query: str, number: float | None, **labels: str) -> None:
        """Push, and wait until Prometheus knows."""
        self.gateway.push(text, **labels)
        self.server.wait_for(query, number)


@pytest.fixture(scope="module")
def monitoring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitoring]:
    with (
        pushgateway(tmp_path_factory.mktemp("pushgateway")) as gateway,
        prometheus(tmp_path_factory.mktemp("prometheus"), [gateway.target], every="500ms") as server,
    ):
        gateway.push('share 0.017\nrequests_total{code="200"} 100\nrequests_total{code="500"} 3\nbroken NaN')
        gateway.push("endless +Inf\nsteady 7", job="more")
        server.wait_for("count(share) + count(steady)", 2)
        yield Monitoring(server, gateway)


def test_one_series(monitoring: Monitoring) -> None:
    row = monitoring.look("share", expect="< 2%")
    assert (row.status, row.value, row.observed) == (Status.PASS, 0.017, "1.7 %")
    assert row.measured_at is not None
    assert abs(time.time() - row.measured_at) < 10


def test_a_value_that_is_too_high_fails(monitoring: Monitoring) -> None:
    row = monitoring.look('sum(requests_total{code="500"}) / sum(requests_total)', expect="< 1%")
    assert row.status is Status.FAIL
    assert row.value == pytest.approx(3 / 103)


def test_scalars_are_numbers(monitoring: Monitoring) -> None:
    assert monitoring.look("scalar(share) * 2", expect="== 0.034").status is Status.PASS
    assert monitoring.look("1 + 1", expect="== 2").status is Status.PASS


@pytest.mark.parametrize("query", ["nothing_of_this_name", 'share{job="other"}', "share > 1"])
def test_empty_is_no_data(monitoring: Monitoring, query: str) -> None:
    row = monitoring.look(query, expect="< 2%")
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.NODATA)
    assert "no such series" in row.message


@pytest.mark.parametrize("query", ["broken", "endless", "-endless", "share / 0", "sum(broken)", "0 * share / 0"])
def test_what_is_no_finite_number_is_no_data(monitoring: Monitoring, query: str) -> None:
    row = monitoring.look(query, expect="!= 5")
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.NODATA), row.message


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("requests_total", 'code="200"'),
        ("requests_total", 'code="500"'),
        ("requests_total[1m]", "take: avg"),
        ('"text"', "string"),
        ("sum(", "parse error"),
        ("no_such_function(share)", "Prometheus says: bad_data"),
        ("share * on() requests_total", "many-to-many"),
    ],
)
def test_what_is_no_single_number_is_an_error(monitoring: Monitoring, query: str, message: str) -> None:
    row = monitoring.look(query, expect="< 2%")
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert message in row.message


def test_the_worst_of_several_with_the_offenders(monitoring: Monitoring) -> None:
    most = monitoring.look("requests_total", worst="max", expect="< 50")
    assert (most.status, most.value) == (Status.FAIL, 100)
    assert len(most.listed) == 1
    assert 'code="200"' in most.listed[0]
    least = monitoring.look("requests_total", worst="min", expect="> 1")
    assert (least.status, least.value) == (Status.PASS, 3)
    assert monitoring.look("requests_total or broken", worst="max", expect="< 500").reason is Reason.NODATA


def test_a_window(monitoring: Monitoring) -> None:
    """The points of three seconds are asked for and folded here, and the server's own function agrees."""
    monitoring.server.wait_for("count_over_time(steady[1m]) >= bool 10", 1)
    for take in ("avg", "min", "max", "last", "p50", "p95", "p99"):
        row = monitoring.look("steady", range="2s", step="1s", take=take, expect="== 7")
        assert row.status is Status.PASS, row.message
    assert monitoring.look("steady", range="2s", step="1s", take="sum", expect="== 21").status is Status.PASS
    assert monitoring.look("steady", range="2s", step="1s", take="count", expect="== 3").status is Status.PASS


def test_half_a_window_is_no_data(monitoring: Monitoring) -> None:
    row = monitoring.look("steady", range="1d", step="1h", take="avg", expect="== 7")
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.NODATA)
    assert "of 25 points" in row.message


def past(plain: dict[str, Any], until: float) -> Past:
    """The last minute before `until`, read back second by second."""

    async def read() -> Past:
        around = surroundings()
        try:
            found: Past = await a_check(plain).options.past(around, until - 60, until, 1.0)
            return found
        finally:
            await around.asker.close()

    return asyncio.run(read())


def test_the_past_is_read_back(monitoring: Monitoring) -> None:
    monitoring.server.wait_for("count_over_time(steady[1m]) >= bool 10", 1)
    now = time.time()

    url = monitoring.server.url
    whole = past({"prometheus": url, "query": "steady"}, now)
    assert whole.trouble == ""
    assert len(whole.points) >= 3
    assert {value for _, value in whole.points} == {7}
    assert all(now - 60 <= at <= now for at, _ in whole.points)
    assert [at for at, _ in whole.points] == sorted(at for at, _ in whole.points)
    assert past({"prometheus": url, "query": "sum(steady) * 2"}, now).points[-1][1] == 14
    window = {"prometheus": url, "query": "steady", "range": "2s", "step": "1s", "take": "max"}
    assert past(window, now).points[-1][1] == 7
    assert past({"prometheus": url, "query": "broken"}, now).points == ()
    assert "2 series" in past({"prometheus": url, "query": "requests_total"}, now).trouble
    worst = past({"prometheus": url, "query": "requests_total", "worst": "min"}, now)
    assert {value for _, value in worst.points} == {3}


def test_a_counter_that_starts_again(monitoring: Monitoring) -> None:
    """What `increase` says over a reset is the server's; the value goes on being one number, never below zero."""
    for number in (10, 20, 5):
        monitoring.push(f"restarted_total {number}", "restarted_total", number, job="restarting")
    row = monitoring.look("increase(restarted_total[10s])", expect=">= 0")
    assert row.status is Status.PASS
    assert monitoring.look("resets(restarted_total[30s])", expect="== 1").status is Status.PASS


def test_labels_that_a_redeploy_changes(monitoring: Monitoring) -> None:
    monitoring.push("build 1", "sum(build)", 1, job="deploy", version="1")
    assert monitoring.look("build", expect="== 1").status is Status.PASS
    monitoring.push("build 2", "count(build)", 2, job="deploy", version="2")
    assert monitoring.look("build", expect=">= 1").reason is Reason.ERROR
    monitoring.gateway.forget(job="deploy", version="1")
    monitoring.server.wait_for("count(build)", 1)
    assert monitoring.look("build", expect="== 2").status is Status.PASS


def test_values_stay_values(monitoring: Monitoring) -> None:
    variables = Variables(process={"CODE": '200"} or vector(9) or x{a="', "PLAIN": "500", "LIMIT": "1) or vector(9"})
    url = monitoring.server.url
    rows = looked_all(
        [
            {"prometheus": url, "query": 'requests_total{code="${CODE}"}', "expect": "> 0"},
            {"prometheus": url, "query": 'requests_total{code="${PLAIN}"}', "expect": "== 3"},
            {"prometheus": url, "query": "share > (${LIMIT})", "expect": "> 0"},
            {"prometheus": url, "query": 'requests_total{code=~"${ANY:-.*}"}', "worst": "max", "expect": "> 0"},
        ],
        surroundings(variables=variables),
    )
    assert [row.status for row in rows] == [Status.UNKNOWN, Status.PASS, Status.UNKNOWN, Status.UNKNOWN]
    assert [row.reason for row in rows] == [Reason.NODATA, None, Reason.ERROR, Reason.NODATA]
    assert "would be code" in rows[2].message


def test_a_long_query_is_sent_as_a_form(monitoring: Monitoring) -> None:
    query = " + ".join(["share"] * 1000)
    assert monitoring.look(query, expect="> 16").status is Status.PASS


def test_a_metric_has_the_time_of_its_sample(monitoring: Monitoring) -> None:
    before = monitoring.server.number("timestamp(share)")
    row = measured({"prometheus": monitoring.server.url, "query": "sum(share) / 2"})
    after = monitoring.server.number("timestamp(share)")
    assert (row.status, row.value) == (Status.PASS, 0.0085)
    assert before is not None
    assert row.measured_at is not None
    assert after is not None
    assert before <= row.measured_at <= after


def test_a_source_that_has_gone(tmp_path: Path) -> None:
    """The value of a rate goes on when its target has gone; nothing that feeds it does."""
    folders = [tmp_path / "pushgateway", tmp_path / "prometheus"]
    for folder in folders:
        folder.mkdir()
    with contextlib.ExitStack() as ending:
        gone = ending.enter_context(contextlib.ExitStack())
        gateway = gone.enter_context(pushgateway(folders[0]))
        server = ending.enter_context(prometheus(folders[1], [gateway.target], every="500ms"))
        monitoring = Monitoring(server, gateway)
        for number in (1, 2, 3):
            monitoring.push(f"done_total {number}", "done_total", number)
        assert monitoring.look("rate(done_total[5m])", expect="> 0").status is Status.PASS
        gone.close()
        ended = time.time()
        server.wait_for("done_total", None)
        assert (server.number("rate(done_total[5m])") or 0) > 0
        row = monitoring.look("rate(done_total[5m])", expect="> 0")
        assert (row.status, row.reason) == (Status.UNKNOWN, Reason.NODATA)
        assert "fed" in row.message
        assert measured({"prometheus": server.url, "query": "rate(done_total[5m])"}).reason is Reason.NODATA
        assert monitoring.look("rate(done_total[5m])", fresh="up", expect="> 0").status is Status.PASS
        zero = monitoring.look("sum(rate(never_total[5m])) or vector(0)", expect="== 0")
        assert zero.reason is Reason.NODATA
        kept = past({"prometheus": server.url, "query": "rate(done_total[5m])"}, time.time())
        assert kept.points
        assert kept.points[-1][0] < ended + 3


def test_a_sample_that_is_old(tmp_path: Path) -> None:
    """A source that tells the times of its samples and stopped two minutes ago: Prometheus still shows the last."""

    def frozen(connection: socket.socket, request: str) -> None:
        at = int((began - 120) * 1000)
        answer(f"frozen 1 {at}\nfrozen_total 5 {at}\n")(connection, request)

    began = time.time()
    with (
        scripted({"/metrics": frozen}) as target,
        prometheus(tmp_path, [f"127.0.0.1:{target.port}"], every="500ms") as server,
    ):
        server.wait_for("frozen", 1)
        for query in ("frozen", "frozen * 2 - 1", "sum(frozen)"):
            row = looked({"prometheus": server.url, "query": query, "expect": "== 1"})
            assert (row.status, row.reason) == (Status.UNKNOWN, Reason.NODATA)
            assert "2 m" in row.message
        allowed = {"prometheus": server.url, "query": "frozen", "newer_than": "4m", "expect": "== 1"}
        assert looked(allowed).status is Status.PASS
        row = measured({"prometheus": server.url, "query": "frozen"})
        assert row.status is Status.PASS  # of a metric, its max_age judges the time
        assert row.measured_at == pytest.approx(began - 120, abs=0.01)


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({"query": 'up{job="a"}'}, """'query=up{job="a"}'"""),
        ({"query": 'up{job="${JOB}"}'}, r'''"query=up{job=\"${JOB}\"}"'''),
        ({"query": "up", "range": "5m", "take": "p95"}, "'query=quantile_over_time(0.95, (up)[300000ms:15000ms])'"),
    ],
)
def test_by_hand(options: dict[str, Any], asked: str) -> None:
    kind = a_check({"prometheus": "http://prom:9090/", **options}).options
    assert kind.by_hand(None) == f"curl -fsS -G --data-urlencode {asked} http://prom:9090/api/v1/query"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"query": "sum("}, "query: a ) is missing at the end"),
        ({"query": " "}, "empty"),
        ({"query": "up", "range": "5m"}, "belong together"),
        ({"query": "up", "take": "avg"}, "belong together"),
        ({"query": "up", "step": "5s"}, "range is missing"),
        ({"query": "up", "range": "7d", "take": "avg", "step": "1s"}, "11,000"),
        ({"query": "up", "newer_than": "5"}, "no unit"),
        ({"query": "up", "fresh": "x{"}, "fresh: a } is missing at the end"),
    ],
)
def test_options_that_are_wrong(options: dict[str, Any], problem: str) -> None:
    found = a_check({"prometheus": "http://prom:9090", **options}).options.problems()
    assert any(problem in each for each in found), found
