"""`sql` and what others send it: values that would be code, and servers of PostgreSQL that are none."""

from __future__ import annotations

import random
import resource
import socket
import sqlite3
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.checks.base import CheckResult
from runbook.judge.verdicts import Reason, Status
from runbook.system.variables import Variables
from tests.checks.byte_server import (
    POSTGRES_WELCOME,
    Saying,
    drip,
    heard,
    postgres_message,
    pour,
    silent,
    speaking,
    welcome,
)
from tests.checks.looking import looked, surroundings
from tests.real.postgres import Postgres, postgres

PIECES = (
    *("'", "''", '"', "`", "\\", "\\'", ";", "--", "-- ", "#", "/*", "*/", "/*!", "%", "%s", "%(value_1)s", "%%", "_"),
    *(
        "$1",
        "$$",
        "$tag$",
        ":value_1",
        "::text",
        "@value_1",
        "?",
        "{}",
        "${WHO}",
        "\n",
        "\r\n",
        "\t",
        "\x1b[2J",
        "\u2028",
    ),
    *(
        " or 1=1",
        " union select 1",
        "drop table kept",
        "delete from kept",
        "pg_sleep(9)",
        "' || (select 1) || '",
        "E'\\''",
    ),
    *("U&'\\0027'", "ﬀ", "ʼ", "＇", "😀", "1e999", "-1", "0x27", "null", "true", "--\n", "x" * 5000, "'" * 999),
)
CHOSEN = random.Random(21)
VALUES = [*PIECES, *("".join(CHOSEN.choices(PIECES[:40], k=CHOSEN.randint(2, 9))) for _ in range(200 - len(PIECES)))]
QUERIES = (
    "select count(*) from kept where who = ${WHO}",
    "select count(*) from kept where who = '${WHO}'",
    "select count(*) from kept where who = 'a ${WHO} b' or who = 'a' || ' ' || '${WHO}' || ' b'",
)


def count_of(url: str, folder: Path, query: str, value: str) -> CheckResult:
    around = surroundings(folder, seconds=5, variables=Variables(process={"WHO": value}))
    return looked({"sql": url, "query": query, "expect": "== 1"}, around)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        running.run("create table kept (who text, n int)", "insert into kept values ('plain', 1)")
        yield running


def test_a_value_never_becomes_code_on_sqlite(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    connection.execute("pragma synchronous = off")
    connection.execute("create table kept (who text, n int)")
    for number, value in enumerate([*VALUES, "x" * 1_000_000]):
        connection.execute("delete from kept")
        connection.executemany("insert into kept values (?, 1)", [(value,), ("another",)])
        query = QUERIES[number % 2]
        row = count_of("sqlite:///a.db", tmp_path, query, value)
        assert row.status is Status.PASS, (value[:80], query, row.message)
    assert connection.execute("select count(*) from kept").fetchone() == (2,)
    connection.close()


@pytest.mark.needs("initdb")
def test_a_value_never_becomes_code_on_postgres(server: Postgres, tmp_path: Path) -> None:
    import psycopg

    with psycopg.connect(server.url, autocommit=True) as connection:
        for number, value in enumerate(VALUES):
            connection.execute("delete from kept")
            connection.execute("insert into kept values (%s, 1), (%s, 1), ('another', 1)", [value, f"a {value} b"])
            query = QUERIES[1 + number % 2]
            row = count_of(server.url, tmp_path, query, value)
            assert row.status is Status.PASS, (value[:80], query, row.message)
        assert connection.execute("select count(*) from kept").fetchone() == (3,)


@pytest.mark.needs("initdb")
def test_values_that_no_database_takes_are_told(server: Postgres, tmp_path: Path) -> None:
    row = count_of(server.url, tmp_path, QUERIES[1], "a\0b")
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert "NUL" in row.message
    assert count_of(server.url, tmp_path, QUERIES[1], "\udcff").reason is Reason.ERROR
    assert count_of(server.url, tmp_path, QUERIES[1], "x" * 1_000_000).status is Status.FAIL


@pytest.mark.parametrize(
    "query",
    [
        'select "${WHO}" from kept',
        "select 1 -- ${WHO}",
        "select 1 /* ${WHO} */",
        "select $$ ${WHO} $$",
        "select 'a ${WHO}",
    ],
)
def test_where_no_value_can_be_bound_there_is_none(query: str, tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "a.db").close()
    row = count_of("sqlite:///a.db", tmp_path, query, "x")
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)


def test_sqlite_keeps_its_bounds(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "a.db").close()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for query in (
        "select zeroblob(900000000)",
        "select hex(zeroblob(16000000))",
        "with recursive n(i) as (select 1 union all select i + 1 from n) select printf('%.*c', 99999, 'x') from n",
    ):
        row = looked({"sql": "sqlite:///a.db", "query": query, "expect": "> 0", "worst": "max"}, project=tmp_path)
        assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR), row
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10


def column(name: bytes) -> bytes:
    """RowDescription of one column of text."""
    return postgres_message(b"T", struct.pack(">h", 1) + name + b"\0" + struct.pack(">ihihih", 0, 0, 25, -1, -1, 0))


PARAMETERS = b"".join(postgres_message(b"S", b"name_%d\0" % number + b"x" * 900 + b"\0") for number in range(2000))
BEGUN = postgres_message(b"1") + postgres_message(b"2") + column(b"n")


def row_of(cell: bytes) -> bytes:
    return postgres_message(b"D", struct.pack(">hi", 1, len(cell)) + cell)


def after(*sayings: Saying) -> Saying:
    """One after the other."""

    def say(connection: socket.socket) -> None:
        for each in sayings:
            each(connection)

    return say


def says(data: bytes) -> Saying:
    return lambda connection: connection.sendall(data)


def pours(data: bytes) -> Saying:
    return lambda connection: pour(connection, data)


def drips(data: bytes) -> Saying:
    return lambda connection: drip(connection, data)


def hears(connection: socket.socket) -> None:
    heard(connection)


def goes(connection: socket.socket) -> None:
    """Closes the connection, as whoever says no more does."""


GIGABYTE = postgres_message(b"D", struct.pack(">hi", 1, 1 << 30), length=(1 << 30) + 10)
ERROR = postgres_message(b"E", b"SFATAL\0M" + b"x" * (1 << 20) + b"\0\0")
THREE_COLUMNS = postgres_message(b"D", struct.pack(">hiii", 3, 0, 0, 0))
ENDINGS: dict[str, Saying] = {
    "silence": silent,
    "closed at once": goes,
    "no PostgreSQL": after(hears, says(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    "garbage": after(hears, says(bytes(range(256)) * 50), silent),
    "garbage without TLS": after(hears, says(b"N"), pours(b"\xff" * 9999)),
    "an error of a megabyte": after(hears, says(b"N" + ERROR), silent),
    "endless notices": after(welcome, pours(postgres_message(b"N", b"SNOTICE\0Mx\0\0") * 999)),
    "endless parameters": after(welcome, pours(postgres_message(b"S", b"a\0b\0") * 999)),
    "endless parameters in the welcome": after(hears, says(b"N"), hears, says(POSTGRES_WELCOME[:9]), pours(PARAMETERS)),
    "a row of a gigabyte": after(welcome, says(BEGUN + GIGABYTE), pours(b"x" * 65536)),
    "endless rows": after(welcome, says(BEGUN), pours(row_of(b"1") * 5000)),
    "a row with a column too many": after(welcome, says(BEGUN + THREE_COLUMNS), silent),
    "a length below nothing": after(welcome, says(BEGUN + postgres_message(b"D", b"", length=-5)), silent),
    "a message that nobody knows": after(welcome, says(postgres_message(b"?", b"x" * 99)), silent),
    "cut off in a row": after(welcome, says(BEGUN + row_of(b"1")[:-1])),
    "a row, and then nothing": after(welcome, says(BEGUN + row_of(b"1")), silent),
    "one byte after the other": after(welcome, drips(BEGUN + row_of(b"1") * 99)),
    "the welcome by the byte": after(hears, says(b"N"), drips(POSTGRES_WELCOME * 9)),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_a_server_that_is_none(name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with speaking(ENDINGS[name]) as port:
        began = time.monotonic()
        url = f"postgresql://me:canary-secret@127.0.0.1:{port}/db"
        row = looked({"sql": url, "query": "select n from t", "expect": ">= 0"}, surroundings("/", seconds=0.5))
        assert time.monotonic() - began < 1.1
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR), row
    assert row.message
    assert "canary" not in repr(row.message)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 120 << 10
