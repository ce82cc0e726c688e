"""`sql` on a real PostgreSQL: values, limits, refusals; nothing written, nothing left running, nothing told."""

from __future__ import annotations

import asyncio
import resource
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from runbook.checks.base import CheckResult
from runbook.checks.runner import look
from runbook.judge.verdicts import Reason, Status
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, looked_all, surroundings
from tests.real.postgres import PASSWORD, QUOTED, Postgres, postgres

pytestmark = pytest.mark.needs("initdb")
RUNNING = (
    "select count(*) from pg_stat_activity where application_name = 'runbook' and state = 'active' "
    "and query ~ 'pg_sleep'"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        running.run(
            "create table spend (who text, usd numeric, day date)",
            "insert into spend values ('ana', 0.1, '2026-11-01'), ('bo', 0.31, '2026-11-02'), ('cy', 0.25, null)",
            "create table other (n int)",
            "create function writes() returns int language sql as 'insert into other values (1) returning n'",
            "create function opens() returns text language plpgsql as "
            "$$ begin set transaction read write; insert into other values (1); return 'x'; end $$",
            "create sequence numbers",
        )
        yield running


def asked(server: Postgres, query: str, expect: str = "> 0", *, seconds: float = 5.0, **more: Any) -> CheckResult:
    plain = {"sql": server.url, "query": query, "expect": expect, **more}
    names = Variables(process={"NAME": "x' or '1'='1", "LIMIT": "0.2", "WHO": "bo"})
    return looked(plain, surroundings("/", seconds=seconds, variables=names))


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN


@pytest.mark.parametrize(
    ("query", "expect", "status", "reason"),
    [
        ("select count(*) from spend", "== 3", PASS, None),
        ("select count(*) from spend", "== 2", FAIL, None),
        ("select 1.50", "== 1.5", PASS, None),
        ("select 12345678901234567890", "> 12345678901234567000", PASS, None),
        ("select 100 * count(*) filter (where usd > 0.2) / count(*) || '%' from spend", "== '66%'", PASS, None),
        ("select interval '2h'", "< 3h", PASS, None),
        ("select interval '2h'", "< 1h", FAIL, None),
        ("select '2026-01-02'::date", "== '2026-01-02'", PASS, None),
        ("select '2026-01-02 03:04:05+00'::timestamptz at time zone 'UTC'", "== '2026-01-02T03:04:05'", PASS, None),
        ("select true", "== true", PASS, None),
        ("select null::bool", "== true", UNKNOWN, Reason.NODATA),
        ("select '0e37a1d0-95f2-4a0e-b5a6-4ad30e9b0a3b'::uuid", "!= x", PASS, None),
        ("select 'NaN'::float8", "< 1", UNKNOWN, Reason.NODATA),
        ("select 'NaN'::numeric", "< 1", UNKNOWN, Reason.NODATA),
        ("select '-Infinity'::float8", "< 1", UNKNOWN, Reason.NODATA),
        ("select 1e400::numeric", "> 1", UNKNOWN, Reason.NODATA),
        ("select usd from spend where who = 'nobody'", "< 1", UNKNOWN, Reason.NODATA),
        ("select '{\"a\": 1}'::jsonb", "> 0", UNKNOWN, Reason.ERROR),
        ("select ('[' || repeat('[', 100000))::text::json", "> 0", UNKNOWN, Reason.ERROR),
        ("select array[1, 2]", "> 0", UNKNOWN, Reason.ERROR),
        ("select '\\x00'::bytea", "> 0", UNKNOWN, Reason.ERROR),
        ("select '0044-03-15 BC'::date", "> 0", UNKNOWN, Reason.ERROR),
        ("select usd from spend", "< 1", UNKNOWN, Reason.ERROR),
        ("select count(*) from spend where usd > ${LIMIT}", "== 2", PASS, None),
        ("select count(*) from spend where who = ${NAME}", "== 0", PASS, None),
        ("select count(*) from spend where who like '%' and who = '${WHO}'", "== 1", PASS, None),
        ("select count(*) from spend where who = ${LIMIT}", "== 0", UNKNOWN, Reason.ERROR),
        ("select 'a%sb' = 'a%' || 's' || 'b'", "== true", PASS, None),
        ("select count(*) from spend where who = ${GONE}", "== 0", UNKNOWN, Reason.ERROR),
        ("show server_version_num", ">= 130000", PASS, None),
        ("show application_name", "== runbook", PASS, None),
        ("values (3)", "== 3", PASS, None),
        ("table other", "> 0", UNKNOWN, Reason.NODATA),
        ("select", "> 0", UNKNOWN, Reason.ERROR),
    ],
)
def test_what_it_says(query: str, expect: str, status: Status, reason: Reason | None, server: Postgres) -> None:
    row = asked(server, query, expect)
    assert (row.status, row.reason) == (status, reason), row


def test_the_worst_row_is_judged_and_the_offenders_listed(server: Postgres) -> None:
    row = asked(server, "select who, usd from spend", "<= 0.2", worst="max")
    assert (row.status, row.observed, row.listed) == (FAIL, "0.31 (bo)", ("bo: 0.31", "cy: 0.25"))
    assert asked(server, "select who, usd from spend", "> 0.05", worst="min").observed == "0.1 (ana)"
    assert asked(server, "select day, usd from spend", "< 1", worst="max").observed == "0.31 (2026-11-02)"
    late = asked(server, "select who, usd::float8 * interval '1h' from spend", "< 1h", worst="max")
    assert (late.status, late.value) == (PASS, 1116.0)


@pytest.mark.parametrize(
    "query",
    [
        "insert into other values (1) returning n",
        "with x as (insert into other values (1) returning n) select n from x",
        "select writes()",
        "select opens()",
        "select set_config('transaction_read_only', 'off', true)",
        "select nextval('numbers')",
        "select lo_create(0)",
        "explain analyze insert into other values (1)",
        "select 1; insert into other values (1)",
        "select 1; commit; insert into other values (1)",
        "commit",
        "do $$ begin insert into other values (1); end $$",
        "copy spend to program 'touch /tmp/never'",
        "copy (select 1) to stdout",
        "create temp table t as select 1",
        "lock table spend in access exclusive mode",
        "select * from spend for update",
        "select pg_terminate_backend(pid) from pg_stat_activity",
        'select "pg_advisory_lock"(1)',
        "select /* ; */ pg_catalog . pg_reload_conf ()",
        "notify somebody",
        "vacuum spend",
        "select E'\\'', pg_notify('a', 'b') --'",
        "select array['a]'], pg_notify('a', 'b') as \"'\"",
        "select $t1$ ' $t1$, pg_notify('a', 'b') as \"'\"",
        "select U&\"pg\\005fnotify\"('a', 'b')",
        "select query_to_xml('select pg_notify(''a'', ''b'')', true, true, '')",
        "select pg_export_snapshot()",
    ],
)
def test_nothing_is_written_and_nobody_is_harmed(query: str, server: Postgres) -> None:
    state = "select (select count(*) from other), (select last_value from numbers), pg_postmaster_start_time()"
    before = server.run(state)
    row = asked(server, query)
    assert (row.status, row.reason) == (UNKNOWN, Reason.ERROR), row
    assert row.message
    assert before == server.run(state)


def test_what_is_without_end_ends_in_time_and_memory(server: Postgres) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for query in (
        "select generate_series(1, 1000000000)",
        "select repeat('x', 900000) from generate_series(1, 100000)",
        "select repeat('x', 200000000)",
        "select i, repeat('x', 1000) from generate_series(1, 1000000) i",
        "select string_agg(repeat('x', 1000), '') from generate_series(1, 200000)",
    ):
        for more in ({}, {"worst": "max"}):
            began = time.monotonic()
            row = asked(server, query, seconds=1.5, **more)
            assert (row.status, row.reason) == (UNKNOWN, Reason.ERROR), row
            assert time.monotonic() - began < 2.5, query
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10


def test_a_query_that_takes_too_long_is_ended_on_the_server_too(server: Postgres) -> None:
    began = time.monotonic()
    row = asked(server, "select pg_sleep(60)", seconds=0.5)
    assert (row.status, row.message) == (
        UNKNOWN,
        "the query took longer than 500 ms; timeout: says how long it may take",
    )
    assert time.monotonic() - began < 1.5
    _nothing_runs(server)


def test_a_lock_is_waited_for_no_longer_than_the_deadline(server: Postgres) -> None:
    import psycopg

    with psycopg.connect(server.url) as holder:
        holder.execute("lock table other in access exclusive mode")
        row = asked(server, "select count(*) from other", seconds=0.6)
    assert row.status is UNKNOWN
    assert "holds a lock" in row.message


def test_a_look_that_is_given_up_leaves_nothing_running(server: Postgres) -> None:
    check = a_check({"sql": server.url, "query": "select count(*) from pg_sleep(60)", "expect": "> 0"})

    async def given_up() -> None:
        task = asyncio.create_task(look([check], surroundings("/", seconds=50)))
        while server.run(RUNNING) == [(0,)]:
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    began = time.monotonic()
    asyncio.run(given_up())
    assert time.monotonic() - began < 10
    _nothing_runs(server)


def test_many_checks_share_a_few_connections(server: Postgres) -> None:
    check = {"sql": server.url, "query": "select 1 from pg_sleep(0.2)", "expect": "== 1"}
    most, ended = 0, threading.Event()

    def count() -> None:
        nonlocal most
        while not ended.is_set():
            found = server.run("select count(*) from pg_stat_activity where application_name = 'runbook'")[0][0]
            most = max(most, int(str(found)))

    counting = threading.Thread(target=count)
    counting.start()
    rows = looked_all([check] * 24, surroundings("/", seconds=20))
    ended.set()
    counting.join()
    assert {row.status for row in rows} == {PASS}
    assert 1 < most <= 12  # those that are just going are counted too


@pytest.mark.parametrize(
    ("who", "database", "said"),
    [
        ("keeper", "postgres", "no password supplied"),
        ("keeper:canary-one", "postgres", "check the user and the password"),
        ("stranger", "postgres", "pg_hba.conf"),
        ("nobody", "postgres", "does not exist"),
        ("reader", "nowhere", "check the name of the database"),
        ("keeper:canary/one", "postgres", "percent-encode"),
        ("keeper:canary@one", "postgres", ""),
        ("keeper:canary%zzone", "postgres", "percent-encode"),
        ("keeper:c4n", "postgres", "check the user and the password"),
    ],
)
def test_accounts_that_are_not_let_in(who: str, database: str, said: str, server: Postgres) -> None:
    row = looked({"sql": server.url_of(who, database), "query": "select 1", "expect": "== 1"})
    assert (row.status, row.reason) == (UNKNOWN, Reason.ERROR)
    assert said in row.message
    assert not any(part in repr((row.message, row.observed)) for part in ("canary", "c4n", "zzone"))


def test_a_password_with_everything_in_it(server: Postgres) -> None:
    check = {"query": "select 1", "expect": "== 1"}
    assert looked({**check, "sql": server.url_of(f"keeper:{QUOTED}")}).status is PASS
    parts = Variables(process={"DB_PASSWORD": PASSWORD, "DATABASE_URL": server.url_of(f"keeper:{QUOTED}")})
    assert looked({**check, "sql": server.url_of("keeper:${DB_PASSWORD}")}, variables=parts).status is PASS
    assert looked({**check, "sql": "${DATABASE_URL}"}, variables=parts).status is PASS
    assert parts.masker.mask(f"<{PASSWORD}|{QUOTED}>") == "<***|***>"


def test_urls_of_other_drivers_are_understood(server: Postgres) -> None:
    for scheme in ("postgres", "postgresql+psycopg", "postgresql+asyncpg", "POSTGRESQL"):
        url = server.url.replace("postgresql", scheme)
        assert looked({"sql": url, "query": "select 1", "expect": "== 1"}).status is PASS


def test_a_database_with_no_connection_left_says_so(server: Postgres) -> None:
    server.run("alter role reader connection limit 0")
    row = looked({"sql": server.url_of("reader"), "query": "select 1", "expect": "== 1"})
    assert row.status is UNKNOWN
    assert "close some" in row.message


def _nothing_runs(server: Postgres) -> None:
    until = time.monotonic() + 5
    while server.run(RUNNING) != [(0,)]:
        assert time.monotonic() < until, "a query is still running"
