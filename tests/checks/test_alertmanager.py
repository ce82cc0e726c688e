"""`alertmanager` against a real one: alerts that fire, are silenced, are inhibited, and end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from runbook.judge.verdicts import Reason, Status
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, measured, surroundings
from tests.real.alertmanager import Alertmanager, alertmanager
from tests.real.program import wait_until
from tests.servers import answer, scripted

JSON = "Content-Type: application/json\r\n"
real = pytest.mark.needs("prometheus-alertmanager")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    with alertmanager(tmp_path_factory.mktemp("alertmanager")) as running:
        running.fire(alertname="HighErrorRate", severity="critical", service="api", zone='a"b\\c')
        running.fire(alertname="Slow", severity="warning", service="api")  # inhibited by the first
        running.fire(alertname="DiskFull", severity="warning", service="store")
        running.fire(alertname="Noise", severity="info", service="batch")
        running.fire(alertname="Watchdog", severity="none")
        running.silence(alertname="Noise")
        wait_until(lambda: running.states(alertname="Slow") == ["suppressed"], "Slow was not inhibited")
        wait_until(lambda: running.states(alertname="Noise") == ["suppressed"], "Noise was not silenced")
        wait_until(lambda: running.states(alertname="DiskFull") == ["active"], "DiskFull was not active")
        yield running


@real
@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({}, 3),
        ({"matching": {"severity": "critical"}}, 1),
        ({"matching": {"severity": "critical", "service": "store"}}, 0),
        ({"matching": {"zone": 'a"b\\c'}}, 1),
        ({"matching": {"zone": "a"}}, 0),
        ({"matching": ['severity=~"critical|warning"']}, 2),
        ({"matching": ['severity=~"critical|warning"', 'service!="api"']}, 1),
        ({"matching": ["alertname=Slow"]}, 0),
        ({"matching": ["alertname=Slow"], "inhibited": True}, 1),
        ({"matching": ["alertname=Noise"]}, 0),
        ({"matching": ["alertname=Noise"], "silenced": True}, 1),
        ({"silenced": True, "inhibited": True}, 5),
        ({"matching": {"service": "nobody"}, "heartbeat": "Watchdog"}, 0),
    ],
)
def test_alerts_are_counted(server: Alertmanager, options: dict[str, Any], count: int) -> None:
    row = looked({"alertmanager": server.url, **options})
    assert (row.status, row.value) == (Status.FAIL if count else Status.PASS, count)
    assert len(row.listed) == count
    metric = measured({"alertmanager": server.url, **options})
    assert (metric.status, metric.value) == (Status.PASS, count)


@real
def test_what_fires_is_named(server: Alertmanager) -> None:
    row = looked({"alertmanager": server.url, "matching": {"severity": "critical"}})
    assert row.observed == "1 alert active"
    assert row.expected == "none"
    assert row.listed[0].startswith("HighErrorRate for 1 m")
    assert "service=api, severity=critical" in row.listed[0]


@real
def test_expect_may_allow_some(server: Alertmanager) -> None:
    assert looked({"alertmanager": server.url, "expect": "<= 3"}).status is Status.PASS
    assert looked({"alertmanager": server.url, "expect": "< 3"}).status is Status.FAIL


@real
def test_a_heartbeat_that_does_not_fire(server: Alertmanager) -> None:
    row = looked({"alertmanager": server.url, "matching": {"service": "nobody"}, "heartbeat": "DeadMansSwitch"})
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.NODATA)
    assert "DeadMansSwitch" in row.message


@real
def test_alerts_end(server: Alertmanager) -> None:
    check = {"alertmanager": server.url, "matching": {"alertname": "Short"}}
    server.fire(alertname="Short", service="short", lasts=600)
    assert looked(check).status is Status.FAIL
    server.fire(alertname="Short", service="short", lasts=-1)
    wait_until(lambda: looked(check).status is Status.PASS, "the alert did not end")


@real
def test_values_stay_values(server: Alertmanager) -> None:
    variables = Variables(process={"SEVERITY": "critical", "ALL": '.*"', "REGEX": ".*"})

    def value(matching: Any) -> Any:
        return looked({"alertmanager": server.url, "matching": matching}, surroundings(variables=variables)).value

    assert value({"severity": "${SEVERITY}"}) == 1
    assert value({"severity": "${ALL}"}) == 0
    assert value(['severity="${SEVERITY}"']) == 1
    assert value(['severity=~"${REGEX}"']) == 0


@real
def test_what_alertmanager_refuses_is_told(server: Alertmanager) -> None:
    row = looked({"alertmanager": server.url, "matching": ['severity=~"("']})
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert "Alertmanager says" in row.message
    assert "missing closing )" in row.message


def test_nothing_listens() -> None:
    row = looked({"alertmanager": "http://127.0.0.1:1"})
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert row.message


ALERT = '{"labels": {"alertname": "A"}, "status": {"state": "active"}, "startsAt": "%s", "endsAt": "%s"}'
NOW = "2026-01-01T00:00:00.000Z"
RUBBISH = {
    "an object": "{}",
    "null": "null",
    "a list of texts": '["A"]',
    "an alert without labels": '[{"status": {"state": "active"}}]',
    "an alert without times": '[{"labels": {}, "status": {"state": "active"}}]',
    "times that are none": f"[{ALERT % ('now', 'later')}]",
    "a state that is none": f"[{ALERT % (NOW, NOW)}]".replace('"active"', '"fine"'),
    "labels that are numbers": '[{"labels": {"a": 1}, "status": {"state": "active"}}]',
    "cut off": f"[{ALERT % (NOW, NOW)}",
    "an error": '{"code": 500, "message": "broken"}',
    "HTML": "<html></html>",
    "nothing": "",
    "the first API": '{"status": "success", "data": []}',
}


@pytest.mark.parametrize("name", RUBBISH)
def test_rubbish_is_no_silence(name: str) -> None:
    with scripted({"/api/v2/alerts": answer(RUBBISH[name], headers=JSON)}) as server:
        for more in ({}, {"expect": "== 0"}, {"expect": "< 100"}, {"heartbeat": "A"}):
            row = looked({"alertmanager": server.url, **more})
            assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
            assert "Alertmanager" in row.message


def test_an_empty_list_of_something_else_is_no_silence() -> None:
    with scripted({"/api/v2/alerts": answer("[]")}) as server:
        assert looked({"alertmanager": server.url}).reason is Reason.ERROR
    with scripted({"/api/v2/alerts": answer("[]", headers=JSON)}) as server:
        assert looked({"alertmanager": server.url}).status is Status.PASS
        assert looked({"alertmanager": server.url, "heartbeat": "A"}).reason is Reason.NODATA


def test_by_hand() -> None:
    given = {"alertmanager": "http://am:9093/", "auth": {"bearer": "${AM_TOKEN}"}}
    states = "--data-urlencode active=true --data-urlencode silenced=false --data-urlencode inhibited=false"
    assert a_check({**given, "matching": {"severity": "critical"}}).options.by_hand(None) == (
        f"curl -fsS -G {states} --data-urlencode 'filter=severity=\"critical\"' "
        '-H "Authorization: Bearer ${AM_TOKEN}" http://am:9093/api/v2/alerts'
    )


@pytest.mark.parametrize("matching", [["severity"], ["=x"], ['a="b'], ['a="b" c="d"'], {"a-b": "c"}, {"": "c"}])
def test_matchers_that_are_wrong(matching: Any) -> None:
    assert a_check({"alertmanager": "http://am:9093", "matching": matching}).options.problems()
