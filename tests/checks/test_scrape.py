"""`scrape` on what real programs show of themselves, and on texts that tell too little, too much, or lies."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.base import CheckResult
from runbook.judge.verdicts import Reason, Status
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, looked_all, measured, surroundings
from tests.real.prometheus import prometheus
from tests.real.pushgateway import pushgateway
from tests.servers import Scripted, answer, scripted

OPEN = "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"
TEXT = """\
# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{code="200",path="/"} 90
requests_total{code="200",path="/a b"} 5
requests_total{code="500",path="/"} 4
requests_total{code="503",path="/"} 1
# TYPE queue_length gauge
queue_length 12
broken NaN
endless{way="up"} +Inf
endless{way="down"} -Inf
twice{a="b"} 1
twice{a="b"} 1
# TYPE seconds histogram
seconds_bucket{path="/",le="0.1"} 50
seconds_bucket{path="/",le="0.5"} 90
seconds_bucket{path="/",le="1"} 98
seconds_bucket{path="/",le="+Inf"} 100
seconds_bucket{path="/a",le="0.1"} 0
seconds_bucket{path="/a",le="0.5"} 0
seconds_bucket{path="/a",le="1"} 0
seconds_bucket{path="/a",le="+Inf"} 0
shrinking_bucket{le="1"} 5
shrinking_bucket{le="+Inf"} 4
escaped{a="b\\"c\\\\d\\ne"} 6
escaped{a="b"} 7
"""


def scraped(text: str, headers: str = "", **options: Any) -> CheckResult:
    with scripted({"/metrics": answer(text, headers=headers)}) as server:
        return looked({"scrape": "/metrics", **options}, url=server.url)


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ({"metric": "queue_length"}, 12),
        ({"metric": "requests_total", "labels": {"code": "500"}}, 4),
        ({"metric": "requests_total", "labels": {"code": "200", "path": "/a b"}}, 5),
        ({"metric": "requests_total", "sum": True}, 100),
        ({"metric": "queue_length", "labels": {"none": ""}}, 12),
        ({"metric": "escaped", "labels": {"a": 'b"c\\d\ne'}}, 6),
        ({"metric": "requests_total", "labels": {"code": ("500", "503")}, "sum": True}, 5),
        ({"metric": "requests_total", "worst": "max"}, 90),
        ({"metric": "requests_total", "worst": "min"}, 1),
        ({"metric": "seconds", "quantile": "p50", "labels": {"path": "/"}}, 0.1),
        ({"metric": "seconds", "quantile": "p90", "labels": {"path": "/"}}, 0.5),
        ({"metric": "seconds", "quantile": "p95", "labels": {"path": "/"}}, 0.8125),
        ({"metric": "seconds", "quantile": "p99", "labels": {"path": "/"}}, 1),
        ({"metric": "seconds", "quantile": "p90", "sum": True}, 0.5),
    ],
)
def test_a_value_is_taken(options: dict[str, Any], value: float) -> None:
    row = scraped(TEXT, expect=">= 0", **options)
    assert row.status is Status.PASS, row.message
    assert row.value == pytest.approx(value)


@pytest.mark.parametrize(
    ("options", "reason", "message"),
    [
        ({"metric": "missing"}, Reason.NODATA, "no metric missing"),
        ({"metric": "queue_lenght"}, Reason.NODATA, "no metric queue_lenght in the text; did you mean queue_length?"),
        ({"metric": "second", "quantile": "p95"}, Reason.NODATA, "no metric second in the text; did you mean seconds?"),
        ({"metric": "requests_total", "labels": {"code": "404"}}, Reason.NODATA, "there are 4"),
        ({"metric": "requests_total", "labels": {"no": "label"}}, Reason.NODATA, "no=label"),
        ({"metric": "broken"}, Reason.NODATA, "NaN"),
        ({"metric": "endless", "labels": {"way": "down"}}, Reason.NODATA, "infinite"),
        ({"metric": "endless", "sum": True}, Reason.NODATA, "NaN"),
        ({"metric": "endless", "worst": "max"}, Reason.NODATA, "infinite"),
        ({"metric": "requests_total"}, Reason.ERROR, "4 series"),
        ({"metric": "requests_total", "labels": {"code": "200"}}, Reason.ERROR, 'path="/a b"'),
        ({"metric": "twice"}, Reason.ERROR, "twice in the text"),
        ({"metric": "twice", "sum": True}, Reason.ERROR, "twice in the text"),
        ({"metric": "seconds", "quantile": "p95"}, Reason.NODATA, "nothing yet"),
        ({"metric": "queue_length", "quantile": "p95"}, Reason.NODATA, "no metric"),
        ({"metric": "shrinking", "quantile": "p95"}, Reason.ERROR, "do not grow"),
    ],
)
def test_what_is_no_single_number(options: dict[str, Any], reason: Reason, message: str) -> None:
    row = scraped(TEXT, expect=">= 0", **options)
    assert (row.status, row.reason) == (Status.UNKNOWN, reason)
    assert message in row.message


def test_offenders_are_listed() -> None:
    row = scraped(TEXT, metric="requests_total", worst="max", expect="< 5")
    assert row.status is Status.FAIL
    assert [entry.rpartition(": ")[2] for entry in row.listed] == ["90", "5"]


def test_one_wrong_line_spoils_the_text() -> None:
    row = scraped(TEXT + "queue_length twelve\n", metric="queue_length", expect="> 0")
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert "line 27 is no sample" in row.message


def test_times_beside_the_values() -> None:
    now = time.time()
    fresh, old, future = (f"a 1 {int((now + away) * 1000)}\n" for away in (-5, -100, 100))
    assert scraped(fresh, metric="a", expect="== 1").status is Status.PASS
    row = scraped(old, metric="a", expect="== 1")
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.NODATA)
    assert scraped(old, metric="a", newer_than="2m", expect="== 1").status is Status.PASS
    assert scraped(future, metric="a", expect="== 1").reason is Reason.ERROR
    seconds = f"a 1 {now - 5:.3f}\n# EOF\n"
    assert scraped(seconds, OPEN, metric="a", expect="== 1").status is Status.PASS
    with scripted({"/metrics": answer(old)}) as server:
        row = measured({"scrape": f"{server.url}/metrics", "metric": "a"})
    assert row.measured_at == pytest.approx(now - 100, abs=0.01)


def test_open_metrics_has_an_end() -> None:
    assert scraped("a 1\n# EOF\n", OPEN, metric="a", expect="== 1").status is Status.PASS
    row = scraped("a 1\n", OPEN, metric="a", expect="== 1")
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert "cut off" in row.message


def test_a_text_that_may_be_cut_off() -> None:
    def without_length(text: str) -> CheckResult:
        script = {
            "/metrics": lambda connection, request: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + text.encode())
        }
        with scripted(script) as server:
            return looked({"scrape": "/metrics", "metric": "a", "expect": "== 1"}, url=server.url)

    assert without_length("a 1\n").status is Status.PASS
    row = without_length("a 1")
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert scraped("a 1", metric="a", expect="== 1").status is Status.PASS  # its length was told


def test_values_stay_values() -> None:
    variables = Variables(process={"CODE": '200",path="/'})
    with scripted({"/metrics": answer(TEXT)}) as server:
        around = surroundings(url=server.url, variables=variables)
        labels = {"code": "${CODE}"}
        row = looked({"scrape": "/metrics", "metric": "requests_total", "labels": labels, "expect": "> 0"}, around)
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.NODATA)


def test_many_metrics_of_one_text_ask_and_read_once() -> None:
    text = "".join(f'requests_total{{code="{i}",path="/a/b/c"}} {i}\n' for i in range(20_000))
    with scripted({"/metrics": answer(text)}) as server:
        began = time.process_time()
        checks = [
            {"scrape": "/metrics", "metric": "requests_total", "labels": {"code": str(i)}, "expect": f"== {i}"}
            for i in range(50)
        ]
        rows = looked_all(checks, url=server.url)
        assert time.process_time() - began < 5
        assert len(server.asked) == 1
    assert {row.status for row in rows} == {Status.PASS}


def requests_of(server: Scripted) -> str:
    return "".join(server.asked).lower()


def test_who_asks() -> None:
    with scripted({"/metrics": answer("a 1\n")}) as server:
        variables = Variables(process={"SCRAPE_TOKEN": "not-to-be-seen"})
        plain = {"scrape": "/metrics", "metric": "a", "auth": {"bearer": "${SCRAPE_TOKEN}"}, "expect": "== 2"}
        row = looked(plain, surroundings(url=server.url, variables=variables))
        assert "authorization: bearer not-to-be-seen" in requests_of(server)
    assert "not-to-be-seen" not in repr(row.observed + row.message)


@pytest.mark.needs("prometheus", "prometheus-pushgateway")
def test_real_programs(tmp_path: Path) -> None:
    """What a real exporter shows, and what a real Prometheus takes out of the same histogram."""
    folders = [tmp_path / "pushgateway", tmp_path / "prometheus"]
    for folder in folders:
        folder.mkdir()
    with pushgateway(folders[0]) as gateway, prometheus(folders[1], [gateway.target], every="500ms") as server:
        buckets = "".join(f'took_bucket{{le="{edge}"}} {n}\n' for edge, n in (("0.1", 3), ("1", 11), ("+Inf", 12)))
        gateway.push(f'# TYPE took histogram\n{buckets}took_sum 7\ntook_count 12\nqueue{{kind="a b"}} 41\n')
        server.wait_for("took_count", 12)
        url = f"{gateway.url}/metrics"
        row = looked({"scrape": url, "metric": "queue", "labels": {"kind": "a b"}, "expect": "== 41"})
        assert row.status is Status.PASS, row.message
        for name in ("p50", "p90", "p95", "p99"):
            query = f"histogram_quantile(0.{name[1:]}, took_bucket)"
            row = looked({"scrape": url, "metric": "took", "quantile": name, "expect": "> 0"})
            assert row.value == pytest.approx(server.number(query))
        for source in (url, f"{server.url}/metrics"):
            row = looked({"scrape": source, "metric": "process_resident_memory_bytes", "expect": "> 1MiB"})
            assert row.status is Status.PASS, row.message
        row = looked({"scrape": url, "metric": "process_start_time_seconds", "expect": f"> {time.time() - 600:.0f}"})
        assert row.status is Status.PASS


def test_by_hand() -> None:
    kind = a_check({"scrape": "/metrics", "metric": "queue_length"}).options
    assert kind.by_hand("http://x.test") == "curl -fsS http://x.test/metrics | grep '^queue_length'"


@pytest.mark.parametrize(
    "options",
    [
        {"metric": ""},
        {"metric": 'a{b="c"}'},
        {"metric": "a b"},
        {"metric": "a", "sum": True, "worst": "max"},
        {"metric": "a_bucket", "quantile": "p95"},
        {"metric": "a", "newer_than": "soon"},
    ],
)
def test_options_that_are_wrong(options: dict[str, Any]) -> None:
    assert a_check({"scrape": "/metrics", **options}).options.problems()
