"""`sql` by SQLAlchemy: a real MariaDB; SQLite in the place of a database of another kind."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.base import CheckResult
from runbook.checks.findings import NotTaken
from runbook.checks.stores.sql_others import ask_other
from runbook.checks.stores.sql_question import Question
from runbook.judge.verdicts import Reason, Status
from runbook.system.variables import Variables
from tests.checks.byte_server import drip, pour, silent, speaking
from tests.checks.looking import looked, surroundings
from tests.checks.test_sql_hostile import VALUES
from tests.real.mariadb import QUOTED, MariaDb, mariadb

needs_mariadb = pytest.mark.needs("mariadbd", "mariadb-install-db")
PASS, UNKNOWN = Status.PASS, Status.UNKNOWN


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDb]:
    with mariadb() as running:
        running.run(
            "create table spend (who varchar(2000) collate utf8mb4_bin, usd decimal(10, 2), b blob)",
            "insert into spend values ('ana', 0.1, x'00'), ('bo', 0.31, null), ('cy', 0.25, null)",
            "create table other (n int)",
            "create function writes() returns int modifies sql data begin insert into other values (1); return 1; end",
            "create sequence numbers",
        )
        yield running


def asked(server: MariaDb, query: str, expect: str = "> 0", *, seconds: float = 5.0, **more: Any) -> CheckResult:
    names = Variables(process={"WHO": "bo", "LIMIT": "0.2", "NAME": "x' or '1'='1"})
    plain = {"sql": server.url, "query": query, "expect": expect, **more}
    return looked(plain, surroundings("/", seconds=seconds, variables=names))


@needs_mariadb
@pytest.mark.parametrize(
    ("query", "expect", "status", "reason"),
    [
        ("select count(*) from spend", "== 3", PASS, None),
        ("select 1.50", "== 1.5", PASS, None),
        ("select timediff('10:00', '08:00')", "< 3h", PASS, None),
        ("select date('2026-01-02')", "== '2026-01-02'", PASS, None),
        ("select count(*) from spend where who like '%' and who = ${WHO}", "== 1", PASS, None),
        ("select count(*) from spend where usd > ${LIMIT}", "== 2", PASS, None),
        ("select count(*) from spend where who = '${NAME}'", "== 0", PASS, None),
        ("show tables like 'spend'", "== spend", PASS, None),
        ("with x as (select 1 as n) select n from x", "== 1", PASS, None),
        ("select ''", "== ''", PASS, None),
        ("select null", "> 0", UNKNOWN, Reason.NODATA),
        ("select usd from spend where who = 'nobody'", "> 0", UNKNOWN, Reason.NODATA),
        ("select usd from spend", "> 0", UNKNOWN, Reason.ERROR),
        ("select b from spend where who = 'ana'", "> 0", UNKNOWN, Reason.ERROR),
        ("select nope", "> 0", UNKNOWN, Reason.ERROR),
    ],
)
def test_what_it_says(query: str, expect: str, status: Status, reason: Reason | None, server: MariaDb) -> None:
    row = asked(server, query, expect)
    assert (row.status, row.reason) == (status, reason), row


@needs_mariadb
@pytest.mark.parametrize(
    "query",
    [
        "insert into other values (1)",
        "select writes()",
        "select next value for numbers",
        "select * from spend for update",
        "select 1 into outfile '/tmp/never'",
        "select get_lock('x', 1)",
        "select `get_lock`('x', 1)",
        "select 1--1, get_lock('x', 1)",
        "select 'a\\'', get_lock('x', 1) -- '",
        "select 1 /*!50000 + get_lock('x', 1) */",
        "select 1 /*M!100000 + get_lock('x', 1) */",
        "select 1; insert into other values (1)",
        "with x as (select 1) delete from spend",
        "lock tables spend write",
    ],
)
def test_nothing_is_written(query: str, server: MariaDb) -> None:
    row = asked(server, query)
    assert (row.status, row.reason) == (UNKNOWN, Reason.ERROR), row
    assert server.run("select (select count(*) from other), (select count(*) from spend)") == [(0, 3)]


@needs_mariadb
def test_the_worst_row_and_what_is_without_end(server: MariaDb) -> None:
    row = asked(server, "select who, usd from spend", "<= 0.2", worst="max")
    assert (row.observed, row.listed) == ("0.31 (bo)", ("bo: 0.31", "cy: 0.25"))
    for query in (
        "select seq from seq_1_to_1000000000",
        "select repeat('x', 900000) from seq_1_to_100000",
        "select repeat('x', 12000000)",
        "select sleep(60)",
    ):
        began = time.monotonic()
        row = asked(server, query, worst="max", seconds=1.0)
        assert (row.status, row.reason) == (UNKNOWN, Reason.ERROR), row
        assert time.monotonic() - began < 2.0, query


@needs_mariadb
def test_a_value_never_becomes_code(server: MariaDb) -> None:
    query = "select (select count(*) from other) + if(${WHO} = '${WHO}', 1, 0) -- it's\n"
    for value in VALUES[::6]:
        variables = Variables(process={"WHO": value})
        row = looked({"sql": server.url, "query": query, "expect": "== 1"}, variables=variables)
        is_number = value.lstrip("-").isdigit()
        assert row.status is PASS or is_number, (value, row.message)
    # A text that MySQL reads otherwise than standard SQL does: with a backslash, and behind a `#`.
    for query in ("select 'a\\', ${WHO}, '' -- '", "select 1 # it's\n, '${WHO}' , 'x' -- '"):
        variables = Variables(process={"WHO": "); insert into other values (1); -- '"})
        looked({"sql": server.url, "query": query, "expect": "== 1"}, variables=variables)
    assert server.run("select count(*) from other") == [(0,)]


@needs_mariadb
@pytest.mark.parametrize(
    ("who", "database", "said"),
    [
        ("keeper", "shop", "Access denied"),
        ("keeper:canary-one", "shop", "check the user"),
        (f"keeper:{QUOTED}", "nowhere", "check the name of the database"),
        ("keeper:canary/one", "shop", ""),
    ],
)
def test_accounts_that_are_not_let_in(who: str, database: str, said: str, server: MariaDb) -> None:
    row = looked({"sql": server.url_of(who, database), "query": "select 1", "expect": "== 1"})
    assert (row.status, row.reason) == (UNKNOWN, Reason.ERROR)
    assert said in row.message
    assert "canary" not in repr(row.message)


@needs_mariadb
def test_drivers_that_are_named_otherwise(server: MariaDb) -> None:
    for scheme in ("mysql", "mariadb+pymysql", "mysql+asyncmy"):
        url = server.url.replace("mysql+pymysql", scheme)
        assert looked({"sql": url, "query": "select 1", "expect": "== 1"}).status is PASS, scheme


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql+mysqlconnector://u:canary@h/d", "pip install mysql-connector-python"),
        ("oracle://u:canary@h/d", "pip install oracledb"),
        ("mssql+pyodbc://u:canary@h/d", "pip install pyodbc"),
        ("nosuch://u:canary@h/d", "no dialect nosuch"),
        ("mysql+nosuch://u:canary@h/d", "no dialect mysql+nosuch"),
        ("mysql+pymysql://u:canary@127.0.0.1:1/d", "refused"),
        ("mysql+pymysql://u:canary@127.0.0.1:port/d", "cannot be read"),
        ("mysql+pymysql://u:canary@nohost.invalid/d", "check the name of the host"),
    ],
)
def test_databases_that_cannot_be_asked(url: str, said: str) -> None:
    row = looked({"sql": url, "query": "select 1", "expect": "== 1"})
    assert (row.status, row.reason) == (UNKNOWN, Reason.ERROR)
    assert said in row.message
    assert "canary" not in repr(row.message)


def test_a_server_that_is_none() -> None:
    for say in (
        silent,
        lambda connection: None,
        lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        lambda connection: connection.sendall(b"\x05\x00\x00\x00\xff\x15\x04no"),
        lambda connection: drip(connection, b"\x4a\x00\x00\x00\x0a5.5.5\x00" + b"x" * 99),
        lambda connection: pour(connection, b"\x01\x00\x00\x00\x0a", 3),
    ):
        with speaking(say) as port:
            began = time.monotonic()
            url = f"mysql+pymysql://u:p@127.0.0.1:{port}/d"
            row = looked({"sql": url, "query": "select 1", "expect": "== 1"}, surroundings("/", seconds=0.7))
            assert (row.status, row.reason) == (UNKNOWN, Reason.ERROR), row
            assert time.monotonic() - began < 1.5


def test_a_database_of_another_kind_is_given_parameters_and_keeps_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = sqlite3.connect(path)
    connection.executescript("create table kept (who text, n int); insert into kept values ('it''s 12:30:00 %', 2)")
    connection.close()

    def rows(query: str, **values: str | int) -> Any:
        return ask_other(Question(f"sqlite+pysqlite:///{path}", query, values, time.monotonic() + 5, tmp_path))

    for value in VALUES[::4]:
        assert rows("select count(*) from kept where who = :value_1", value_1=value) == [(0,)]
    assert rows("select n, ' :x', '12:30:00' from kept where who = :value_1", value_1="it's 12:30:00 %") == [
        (2, " :x", "12:30:00")
    ]
    rows("insert into kept values ('x', :value_1) returning n", value_1=5)
    assert rows("select count(*) from kept") == [(1,)]
    with pytest.raises(NotTaken):
        rows("insert into kept values ('x', 1)")
    with pytest.raises(NotTaken, match="no such column"):
        rows("select nope from kept")
