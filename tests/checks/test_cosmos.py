"""`cosmos` on the emulator that npm installs, and on HTTP servers that answer otherwise."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.base import CheckResult
from runbook.judge.verdicts import Reason, Status
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, looked_all, surroundings
from tests.checks.test_sql_hostile import VALUES
from tests.hostile import BROKEN
from tests.real.certificates import authority
from tests.real.cosmos import KEY, CosmosServer, cosmos
from tests.servers import Script, answer, closed_port, scripted

needs_cosmos = pytest.mark.needs("cosmosdb-server", "node")
PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
NAMES = {"WHO": "bo", "LIMIT": "0.2", "ODD": "x' or '1'='1"}


@pytest.fixture(scope="module")
def server() -> Iterator[CosmosServer]:
    with cosmos() as running:
        running.fill(
            "shop",
            "spend",
            [
                {"who": "ana", "usd": 0.1, "parts": {"a": 1}, "long": "x" * 100_000},
                {"who": "bo", "usd": 0.31, "parts": None},
                {"who": "cy", "usd": 0.25},
            ],
        )
        yield running


def asked(url: str, query: str, expect: str = ">= 0", *, seconds: float = 10.0, **more: Any) -> CheckResult:
    plain = {"cosmos": url, "database": "shop", "container": "spend", "key": KEY, "query": query, "expect": expect}
    names = Variables(process={**NAMES, **more.pop("names", {})})
    given = {name: value for name, value in {**plain, **more}.items() if value is not None}
    return looked(given, surroundings("/", seconds=seconds, variables=names))


@needs_cosmos
@pytest.mark.parametrize(
    ("query", "expect", "status", "reason"),
    [
        ("select value count(1) from c", "== 3", PASS, None),
        ("select value count(1) from c", "== 2", FAIL, None),
        ("select value sum(c.usd) from c", "< 1", PASS, None),
        ("select c.usd, c.who from c where c.who = ${WHO}", "== 0.31", PASS, None),
        ("select c.usd from c where c.who = '${WHO}'", "== 0.31", PASS, None),
        ("select value count(1) from c where c.usd > ${LIMIT}", "== 2", PASS, None),
        ("select value count(1) from c where c.who = ${ODD}", "== 0", PASS, None),
        ("select top 1 c.who from c order by c.usd desc", "== bo", PASS, None),
        ("select value null", "> 0", UNKNOWN, Reason.NODATA),
        ("select value c.nope from c", "> 0", UNKNOWN, Reason.NODATA),
        ("select c.nope from c where c.who = 'bo'", "> 0", UNKNOWN, Reason.NODATA),
        ("select c.parts from c where c.who = 'ana'", "> 0", UNKNOWN, Reason.ERROR),
        ("select c.long from c where c.who = 'ana'", "> 0", UNKNOWN, Reason.ERROR),
        ("select c.usd from c", "> 0", UNKNOWN, Reason.ERROR),
        ("select * from c where c.who = 'bo'", ">= 0", UNKNOWN, Reason.ERROR),
        ("selekt", "> 0", UNKNOWN, Reason.ERROR),
        ("delete from c", "> 0", UNKNOWN, Reason.ERROR),
        ("select value ${GONE}", "> 0", UNKNOWN, Reason.ERROR),
    ],
)
def test_what_it_says(query: str, expect: str, status: Status, reason: Reason | None, server: CosmosServer) -> None:
    row = asked(server.url, query, expect, insecure=True)
    assert (row.status, row.reason) == (status, reason), row


@needs_cosmos
def test_the_worst_row_is_judged_and_the_offenders_listed(server: CosmosServer) -> None:
    row = asked(server.url, "select c.who, c.usd from c", "<= 0.2", worst="max", insecure=True)
    assert (row.status, row.observed, row.listed) == (FAIL, "0.31 (bo)", ("bo: 0.31", "cy: 0.25"))
    for query in ("select c.who, c.parts from c", "select c.usd, c.who from c"):
        assert asked(server.url, query, worst="max", insecure=True).reason is Reason.ERROR


@needs_cosmos
def test_a_value_never_becomes_code(server: CosmosServer) -> None:
    for value in VALUES[::30]:
        row = asked(server.url, "select value '${WHO}'", "== ''", insecure=True, names={"WHO": value})
        assert row.value == value.strip() or row.value == value, row


@needs_cosmos
def test_certificates_are_looked_at_even_on_this_machine(server: CosmosServer, tmp_path: Path) -> None:
    count = "select value count(1) from c"
    refused = asked(server.url, count)
    assert (refused.status, refused.reason) == (UNKNOWN, Reason.ERROR)
    assert "certificate is not accepted" in refused.message
    assert "insecure" in asked(server.url, count, insecure=True).message
    ca = authority(tmp_path)
    with cosmos(ca) as trusted:
        trusted.fill("shop", "spend", [{"who": "ana"}])
        row = asked(trusted.url, count, "== 1", ca=str(ca.file))
        assert (row.status, row.message) == (PASS, "")
        assert asked(trusted.url, count).status is UNKNOWN
        assert asked(trusted.url, count, ca=str(tmp_path / "none.pem")).status is UNKNOWN
        assert asked(trusted.url, count, insecure=True, database="nowhere").message.endswith("database and container")


@needs_cosmos
def test_keys_and_accounts(server: CosmosServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("canary-no-base64!", "canary", "©"):
        row = asked(server.url, "select value 1", key=key, insecure=True)
        assert "the key is none of Cosmos DB" in row.message
        assert "canary" not in repr(row)[repr(row).index("status=") :]
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    row = asked(server.url, "select value 1", key=None, insecure=True)
    assert (row.status, row.reason) == (UNKNOWN, Reason.ERROR)
    assert "name a key" in row.message


@needs_cosmos
def test_a_proxy_counts_only_where_the_playbook_names_one(
    server: CosmosServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closed_port() as port:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        assert asked(server.url, "select value 1", insecure=True).status is PASS


def account(elsewhere: str) -> Script:
    """What a server tells of the account, with hosts that it would have asked."""
    places = [{"name": "x", "databaseAccountEndpoint": elsewhere}]
    told = {"id": "x", "_rid": "x", "writableLocations": places, "readableLocations": places}
    return answer(json.dumps({**told, "userConsistencyPolicy": {"defaultConsistencyLevel": "Session"}}))


@pytest.mark.parametrize("name", BROKEN)
def test_a_server_that_is_none(name: str) -> None:
    script = BROKEN[name]
    place = "/dbs/shop/colls/spend"
    known = {"/": account("http://127.0.0.1:1/"), **dict.fromkeys((place, f"{place}/", f"{place}/docs"), script)}
    plain = {"database": "shop", "container": "spend", "key": KEY, "query": "select value 1", "expect": ">= 0"}
    with scripted({"/": script}) as first, scripted(known) as later:
        began = time.monotonic()
        checks = [{"cosmos": there.url, **plain} for there in (first, later)]
        rows = looked_all(checks, surroundings("/", seconds=0.6))
        assert time.monotonic() - began < 1.3
    for row in rows:
        assert (row.status, row.reason) == (UNKNOWN, Reason.ERROR), row
        assert row.message
        if name.isdigit() and name != "304":
            assert name in row.message


def test_an_answer_names_no_other_host_that_is_asked() -> None:
    reached = threading.Event()

    def asked_at_all(connection: Any, request: str) -> None:
        reached.set()

    with scripted({"/": asked_at_all}) as elsewhere:
        good = {"/": account(elsewhere.url)}
        with scripted(good) as there:
            assert asked(there.url, "select value 1", seconds=1.0).status is UNKNOWN
            assert there.asked[0].startswith("GET / ")
            assert not elsewhere.asked
            assert not reached.is_set()


def test_nobody_there() -> None:
    with closed_port() as port:
        said = {
            f"http://127.0.0.1:{port}": "connection refused",
            "https://nohost.invalid": "name or service not known",
            "redis://127.0.0.1": "is written https://",
            "shop": "is written https://",
        }
        for url, words in said.items():
            row = asked(url, "select value 1")
            assert (row.status, row.reason) == (UNKNOWN, Reason.ERROR)
            assert words in row.message.lower()


def test_options_that_are_wrong_are_told() -> None:
    plain = {"cosmos": "https://h", "database": "d", "container": "c", "query": "select value 1"}
    assert a_check(plain).options.problems() == []
    for wrong in ({"query": " "}, {"database": ""}, {"ca": "x", "insecure": True}):
        assert a_check({**plain, **wrong}).options.problems(), wrong
    assert not a_check(plain).options.asserts()
