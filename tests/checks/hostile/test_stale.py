"""A value that looks good and is of another time: unknown, whatever kind tells it (50 of 50)."""

from __future__ import annotations

import json
import socket
import time
from email.utils import formatdate

import pytest

from runbook.checks.base import CheckResult
from runbook.judge.evaluate import evaluate
from runbook.judge.facts import Facts, Series
from runbook.judge.verdicts import Truth
from runbook.language.conditions import parse_condition
from runbook.playbook.model import Metric
from runbook.rollout.looking import reading
from tests.checks.hostile.peers import peer
from tests.checks.looking import measured
from tests.servers import Script, answer

INTERVAL = 30.0
AGES = (95, 120, 180, 299, 301, 600, 3600, 7200, 86_400, 604_800, 2_592_000, 31_536_000)
JSON = "Content-Type: application/json\r\n"


def vector(value: object) -> str:
    series = [{"metric": {}, "value": [time.time(), str(value)]}]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": series}})


def queried(age: float) -> Script:
    """A Prometheus that goes on answering with its last sample: only `timestamp(...)` tells of when that is."""

    def tell(connection: socket.socket, request: str) -> None:
        told = time.time() - age if "timestamp" in request.split(" ")[1] else 0.001
        answer(vector(told), headers=JSON)(connection, request)

    return tell


STALE = {
    "prometheus": ({"prometheus": "URL", "query": "share_of_errors"}, queried),
    "scrape": (
        {"scrape": "URL/metrics", "metric": "share"},
        lambda age: answer(f"share 0.001 {int((time.time() - age) * 1000)}\n"),
    ),
    "scrape of OpenMetrics": (
        {"scrape": "URL/metrics", "metric": "share"},
        lambda age: answer(
            f"# TYPE share gauge\nshare 0.001 {time.time() - age:.3f}\n# EOF\n",
            headers="Content-Type: application/openmetrics-text; version=1.0.0\r\n",
        ),
    ),
    "http behind a cache": (
        {"http": "URL/", "jq": ".value"},
        lambda age: answer('{"value": 0.001}', headers=f"Date: {formatdate(time.time() - age, usegmt=True)}\r\n"),
    ),
}


def judged(row: CheckResult) -> Truth:
    """What a gate makes of it, with the ages that hold where a playbook names none."""
    metric = Metric(name="errors", unit="ratio")
    now = time.time()
    series = Series(unit="ratio", samples=(reading(metric, row, now),), interval=INTERVAL)
    return evaluate(parse_condition("errors < 2%"), Facts(now=now, series={"errors": series})).truth


@pytest.mark.parametrize("name", STALE)
@pytest.mark.parametrize("age", [*AGES, -40, -3600])
def test_a_stale_value_decides_nothing(name: str, age: int) -> None:
    check, script = STALE[name]
    with peer(script(age)) as source:
        row = measured({key: text.replace("URL", source.url) for key, text in check.items()})
    assert judged(row) is Truth.UNKNOWN, row


@pytest.mark.parametrize("name", STALE)
def test_a_fresh_value_decides(name: str) -> None:
    """Else the test before could not fail."""
    check, script = STALE[name]
    with peer(script(1)) as source:
        row = measured({key: text.replace("URL", source.url) for key, text in check.items()})
    assert judged(row) is Truth.TRUE, row
