"""`http`: presence, values, times, headers, logins, lists."""

from __future__ import annotations

import time
from typing import Any

import pytest

from runbook.judge.verdicts import Reason, Status
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, looked_all, measured, surroundings
from tests.servers import answer, scripted

NUMBERS = """{"error_rate": 0.017, "latency": {"p95 ms": 812, "all": [1, 2]},
              "state": "ok", "on": true, "off": false, "zero": 0}"""
UNMET = '{"unmet": ["budget", {"name": "cache"}], "met": [], "none": null}'
SCRIPTS = {
    "/health": answer("ok"),
    "/down": answer("busy", status="503 Service Unavailable"),
    "/n": answer(NUMBERS),
    "/u": answer(UNMET),
    "/count": answer("42\n", headers="X-Count: 7\r\nX-Empty:\r\n"),
    "/moved": answer("", status="302 Found", headers="Location: /health\r\n"),
}


@pytest.mark.parametrize(
    ("check", "status", "observed"),
    [
        ({"http": "/health"}, Status.PASS, "200"),
        ({"http": "health"}, Status.PASS, "200"),
        ({"http": "/health", "method": "HEAD"}, Status.PASS, "200"),
        ({"http": "/health", "status": 200}, Status.PASS, "200"),
        ({"http": "/health", "status": 204}, Status.FAIL, "200"),
        ({"http": "/health", "status": [204, "2xx"]}, Status.PASS, "200"),
        ({"http": "/down"}, Status.FAIL, "503"),
        ({"http": "/down", "status": 503}, Status.PASS, "503"),
        ({"http": "/down", "status": "5xx"}, Status.PASS, "503"),
        ({"http": "/moved"}, Status.FAIL, "302"),
        ({"http": "/moved", "max_redirects": 1}, Status.PASS, "200"),
        ({"http": "/health", "matches": "^ok$"}, Status.PASS, "ok"),
        ({"http": "/health", "matches": "^OK$"}, Status.FAIL, "ok"),
        ({"http": "/health", "within": "5s"}, Status.PASS, "200"),
        ({"http": "/health", "expect": "time < 5s"}, Status.PASS, None),
        ({"http": "/health", "expect": "status == 200"}, Status.PASS, "200"),
        ({"http": "/n", "jq": ".error_rate", "expect": "< 2%"}, Status.PASS, None),
        ({"http": "/n", "jq": ".error_rate", "expect": "> 2%"}, Status.FAIL, None),
        ({"http": "/n", "jq": '.latency["p95 ms"]', "expect": "<= 812"}, Status.PASS, "812"),
        ({"http": "/n", "jq": ".latency.all | add", "expect": "== 3"}, Status.PASS, "3"),
        ({"http": "/n", "jq": ".latency.all[]", "expect": "== 1"}, Status.UNKNOWN, None),
        ({"http": "/n", "jq": ".state", "expect": "== ok"}, Status.PASS, "ok"),
        ({"http": "/n", "jq": ".on", "expect": "== true"}, Status.PASS, "true"),
        ({"http": "/n", "jq": ".on"}, Status.PASS, "true"),
        ({"http": "/n", "jq": ".off"}, Status.FAIL, "false"),
        ({"http": "/n", "jq": ".zero"}, Status.PASS, "0"),
        ({"http": "/n", "jq": ".zero", "expect": "== 0"}, Status.PASS, "0"),
        ({"http": "/n", "jq": ".gone"}, Status.UNKNOWN, None),
        ({"http": "/n", "jq": ".state.deeper"}, Status.UNKNOWN, None),
        ({"http": "/n", "jq": "{e: .error_rate, z: .zero}", "expect": "e < 2% and z == 0"}, Status.PASS, None),
        ({"http": "/n", "jq": "{e: .error_rate}", "expect": "f < 2%"}, Status.UNKNOWN, None),
        ({"http": "/count", "expect": "> 40"}, Status.PASS, "42"),
        ({"http": "/count", "header": "X-Count", "expect": "== 7"}, Status.PASS, "7"),
        ({"http": "/count", "header": "X-Gone"}, Status.UNKNOWN, None),
        ({"http": "/u", "list": ".unmet[]"}, Status.FAIL, "2 listed"),
        ({"http": "/u", "list": ".unmet"}, Status.FAIL, "2 listed"),
        ({"http": "/u", "list": ".met[]"}, Status.PASS, "empty list"),
        ({"http": "/u", "list": ".none"}, Status.UNKNOWN, None),
        ({"http": "/u", "list": ".gone[]"}, Status.UNKNOWN, None),
        ({"http": "/u", "list": ".unmet[]", "expect": "< 3"}, Status.PASS, "2"),
    ],
)
def test_what_it_says(check: dict[str, Any], status: Status, observed: str | None) -> None:
    with scripted(SCRIPTS) as server:
        row = looked(check, url=server.url + "/")
    assert row.status is status, row
    if observed is not None:
        assert row.observed == observed


def test_entries_are_shown_by_name() -> None:
    with scripted(SCRIPTS) as server:
        assert looked({"http": "/u", "list": ".unmet[]"}, url=server.url).listed == ("budget", "cache")


def test_too_slow_is_a_fail() -> None:
    def late(connection: Any, request: str) -> None:
        time.sleep(0.2)
        answer("ok")(connection, request)

    with scripted({"/": late}) as server:
        row = looked({"http": "/", "within": "50ms"}, url=server.url)
    assert row.status is Status.FAIL
    assert row.expected == "within 50ms"


def test_a_path_of_the_environment_stays_in_front() -> None:
    with scripted({"/base/health": answer("ok")}) as server:
        assert looked({"http": "/health"}, url=f"{server.url}/base").status is Status.PASS


def test_without_a_url_a_relative_one_is_unknown() -> None:
    row = looked({"http": "/health"})
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)


def test_a_missing_variable_is_unknown_even_for_presence() -> None:
    row = looked({"http": "/x/${GONE}"}, url="http://127.0.0.1:1")
    assert row.status is Status.UNKNOWN
    assert "${GONE} is not set" in row.message


def test_logins_are_sent_and_masked() -> None:
    def echo(connection: Any, request: str) -> None:
        answer(f'"{request.split("Authorization: ")[1].splitlines()[0]} {request.count("k3y-canary")}"')(
            connection, request
        )

    variables = Variables(process={"T": "t0k-canary", "LOGIN": "ana:pa55-canary", "K": "k3y-canary"})
    bearer = {"http": "/", "auth": {"bearer": "${T}"}, "headers": {"X-Api-Key": "${K}"}, "jq": "."}
    with scripted({"/": echo}) as server:
        rows = looked_all(
            [bearer, {"http": "/", "auth": {"basic": "${LOGIN}"}, "jq": "."}],
            surroundings(url=server.url, variables=variables),
        )
    assert rows[0].observed == "Bearer *** 1"
    assert rows[1].observed.startswith("Basic ")
    assert "canary" not in repr([(row.observed, row.message, row.value) for row in rows])
    assert "YW5hOnBhNTUtY2FuYXJ5" not in repr(rows)


def test_bodies_are_filled() -> None:
    def echo(connection: Any, request: str) -> None:
        answer(request.partition("\r\n\r\n")[2])(connection, request)

    variables = Variables(process={"X": '", "admin": "true'}, context={"percent": "10"})
    check = {"http": "/", "method": "POST", "json": {"x": ["${X}"], "p": "${percent}"}, "jq": ".x[0]", "reads": True}
    with scripted({"/": echo}) as server:
        row = looked(check, url=server.url, variables=variables)
    assert row.value == '", "admin": "true'


def test_presence_only_looks_and_problems() -> None:
    assert a_check({"http": "/"}).options.presence()
    judging: list[dict[str, Any]] = [{}, {"status": 200}, {"within": "1s"}, {"list": "."}, {"jq": ".a", "matches": "x"}]
    taking: list[dict[str, Any]] = [{"jq": "."}, {"header": "x"}, {"jq": ".", "status": 200, "within": "1s"}]
    for options in judging:
        assert a_check({"http": "/", **options}).options.asserts(), options
    for options in taking:
        assert not a_check({"http": "/", **options}).options.asserts(), options
    for options in ({"jq": "."}, {"header": "x"}, {"list": "."}):
        assert not a_check({"http": "/", **options}).options.presence()
    assert a_check({"http": "/", "method": "head"}).options.only_looks()
    assert not a_check({"http": "/", "method": "POST"}).options.only_looks()
    wrong = a_check({"http": "/", "matches": "(", "within": "5", "text": "a", "form": {}, "status": [99, "6xx"]})
    assert len(wrong.options.problems()) == 5
    assert a_check({"http": "/", "status": ["2xx", 404]}).options.problems() == []


def test_a_measurement_carries_value_and_time() -> None:
    with scripted({"/": answer('{"off": false, "n": 5}')}) as server:
        assert measured({"http": "/", "jq": ".off"}, url=server.url).value is False
        row = measured({"http": "/", "jq": ".n"}, url=server.url)
    assert (row.status, row.value, row.measured_at) == (Status.PASS, 5, None)
    assert abs(row.checked_at - time.time()) < 2
