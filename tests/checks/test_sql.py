"""`sql`: one value, or the worst of many; read only, bound, in time."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from runbook.checks.findings import NotTaken
from runbook.checks.libraries import installing
from runbook.checks.stores.cells import judge_rows
from runbook.judge.verdicts import Reason, Status
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, surroundings
from tests.places import PROJECT

ACTING = (
    *("gin_clean_pending_list", "brin_summarize_new_values", "brin_summarize_range", "brin_desummarize_range"),
    *("query_to_xml", "query_to_xml_and_xmlschema", "query_to_xmlschema", "cursor_to_xml", "table_to_xml"),
    *("schema_to_xml", "database_to_xml", "pg_export_snapshot", "pg_truncate_visibility_map", "heap_force_kill"),
    *("heap_force_freeze", "get_lock", "release_lock", "release_all_locks", "xpath_table", "ts_stat", "crosstab2"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    connection = sqlite3.connect(tmp_path / "a b.db")
    connection.executescript(
        "create table spend (who text, usd real); create table empty (n); create table raw (b blob);"
        "insert into spend values ('ana', 0.1), ('bo', 0.31), ('cy', 0.25); insert into raw values (x'00');"
        "insert into empty values (null);"
    )
    connection.close()
    (tmp_path / "text.db").write_text("this is no database, and long enough to be looked at as one")
    return tmp_path


@pytest.mark.parametrize(
    ("query", "expect", "status", "reason"),
    [
        ("select count(*) from spend", "== 3", Status.PASS, None),
        ("select count(*) from spend", "== 2", Status.FAIL, None),
        ("select who from spend order by usd desc limit 1", "== bo", Status.PASS, None),
        ("select count(*) from spend where who = ${NAME}", "== 0", Status.PASS, None),
        ("select count(*) from spend where usd > ${LIMIT}", "== 2", Status.PASS, None),
        ("select usd from spend where who = 'nobody'", "< 1", Status.UNKNOWN, Reason.NODATA),
        ("select n from empty", "< 1", Status.UNKNOWN, Reason.NODATA),
        ("select sum(n) from empty", "== 0", Status.UNKNOWN, Reason.NODATA),
        ("select usd from spend", "< 1", Status.UNKNOWN, Reason.ERROR),
        ("select b from raw", "== 0", Status.UNKNOWN, Reason.ERROR),
        ("select nope from spend", "== 0", Status.UNKNOWN, Reason.ERROR),
        ("selekt", "== 0", Status.UNKNOWN, Reason.ERROR),
        ("select 1; select 2", "== 1", Status.UNKNOWN, Reason.ERROR),
        ("delete from spend", "== 0", Status.UNKNOWN, Reason.ERROR),
        ("insert into empty values (1) returning n", "== 1", Status.UNKNOWN, Reason.ERROR),
        ("attach 'other.db' as other", "== 0", Status.UNKNOWN, Reason.ERROR),
        ("pragma journal_mode = wal", "== wal", Status.UNKNOWN, Reason.ERROR),
        ("select count(*) from spend where who = ${GONE}", "== 0", Status.UNKNOWN, Reason.ERROR),
        ("select 9e999", "> 1", Status.UNKNOWN, Reason.NODATA),
    ],
)
def test_what_it_says(query: str, expect: str, status: Status, reason: Reason | None, folder: Path) -> None:
    variables = Variables(process={"NAME": "x' or '1'='1", "LIMIT": "0.2"})
    for url in ("sqlite:///a b.db", "sqlite:///a%20b.db", f"sqlite:///{folder}/a b.db", "file:a b.db?mode=rwc"):
        row = looked({"sql": url, "query": query, "expect": expect}, project=folder, variables=variables)
        assert (row.status, row.reason) == (status, reason), (url, row)
    assert not (folder / "other.db").exists()


def test_the_worst_row_is_judged_and_the_offenders_listed(folder: Path) -> None:
    check = {"sql": "sqlite:///a b.db", "query": "select who, usd from spend", "worst": "max", "expect": "<= 0.2"}
    row = looked(check, project=folder)
    assert (row.status, row.observed, row.listed) == (Status.FAIL, "0.31 (bo)", ("bo: 0.31", "cy: 0.25"))
    assert looked({**check, "expect": "< 1"}, project=folder).listed == ()
    assert looked({**check, "worst": "min", "expect": "> 0.05"}, project=folder).observed == "0.1 (ana)"
    for query in ("select who, usd from spend where 0", "select usd, who from spend", "select who, null from spend"):
        assert looked({**check, "query": query}, project=folder).status is Status.UNKNOWN


@pytest.mark.parametrize(
    "url", ["sqlite:///gone.db", "sqlite:///text.db", "sqlite:///.", "postgresql://u:canary@h/d", "", "x"]
)
def test_databases_that_cannot_be_asked(url: str, folder: Path) -> None:
    row = looked({"sql": url, "query": "select 1", "expect": "== 1"}, project=folder)
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert "canary" not in repr(row.message)
    assert not (folder / "gone.db").exists()


def test_a_query_without_end_is_ended(folder: Path) -> None:
    query = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    began = time.monotonic()
    row = looked({"sql": "sqlite:///a b.db", "query": query, "expect": "> 0"}, surroundings(folder, seconds=0.4))
    assert row.status is Status.UNKNOWN
    assert time.monotonic() - began < 2


def test_a_locked_database_is_waited_for_no_longer_than_the_deadline(folder: Path) -> None:
    holder = sqlite3.connect(folder / "a b.db", isolation_level=None)
    holder.execute("begin exclusive")
    check: dict[str, Any] = {"sql": "sqlite:///a b.db", "query": "select 1 from spend limit 1", "expect": "== 1"}
    began = time.monotonic()
    assert looked(check, surroundings(folder, seconds=0.4)).status is Status.UNKNOWN
    assert time.monotonic() - began < 2
    holder.execute("rollback")
    holder.close()
    assert looked(check, project=folder).status is Status.PASS


def test_it_says_nothing_without_expect() -> None:
    assert not a_check({"sql": "sqlite:///x", "query": "select 1"}).options.asserts()
    assert a_check({"sql": "sqlite:///x", "query": " "}).options.problems()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select 1", ""),
        ("  -- a comment\n/* another */ ( select 1 ) ;\n ", ""),
        ("with x as (select ';' as a) select count(*) from x", ""),
        ("select 'drop table x; pg_terminate_backend(1)'", ""),
        ("select updated_at from set_configs", ""),
        ("show tables", ""),
        ("drop table x", "begins with DROP"),
        ("/* select */ delete from x", "begins with DELETE"),
        ("'x'", "begins with"),
        ("select 1; select 2", "several statements"),
        ("select 1;-- and\n;drop table x", "several statements"),
        ("select pg_terminate_backend(1)", "pg_terminate_backend"),
        ('select "lo_unlink" (1)', "lo_unlink"),
        ("select * from dblink_exec('x', 'drop table x')", "dblink_exec"),
        ("select a into outfile '/x' from b", "INTO OUTFILE"),
        ("select pg_stat_reset()", "pg_stat_reset"),
        (" -- nothing", "empty"),
        ("select count(*) from t where a = 'it''s; a[b]' and b[1] = $x1$ ' ; $x1$", ""),
        ("select data #> '{a}' from t --don't\n where a$b = 1", ""),
        ("select 1 /* a /* b */ c */", ""),
        ("select E'\\'', pg_notify('a', 'b') --'", "pg_notify"),
        ("select array['a]'], pg_notify('a', 'b') as \"'\"", "pg_notify"),
        ("select x$$, pg_notify('a', 'b') as y$$ from t", "pg_notify"),
        ("select $t1$ ' $t1$, pg_notify('a', 'b') as \"'\"", "pg_notify"),
        ("select /* /* */ ' */ pg_notify('a', 'b') --'", "pg_notify"),
        ("select 1 -- x\r, pg_notify('a', 'b')", "pg_notify"),
        ("select 1--1, get_lock('a', 1)", "get_lock"),
        ("select 1 # '\n, release_lock('a') -- '", "release_lock"),
        ("select 'a\\'', `get_lock`('a', 1) -- '", "get_lock"),
        ("/* /* */ delete from t -- */ select 1", "begins with DELETE"),
        ("select 1 /*!50000 , sleep(9) */", "holds /*!"),
        ("select 1 /*M!100000 , sleep(9) */", "holds /*M!"),
        ("select 1 # '\n /*! , sleep(9) */ -- '", "holds /*!"),
        ('select U&"pg\\005fnotify"(1, 2)', 'U&"...", which hides what is called'),
        ("select u&'d\\0061t'", ""),
        *((f"select {name}('x')", name) for name in ACTING),
    ],
)
def test_statements_that_do_more_than_look_are_refused(query: str, said: str, folder: Path) -> None:
    check = {"sql": "sqlite:///a b.db", "query": query, "expect": "== 1"}
    problems = a_check(check).options.problems()
    assert (said in problems[0]) if said else problems == []
    if said:
        assert looked(check, project=folder).message == problems[0]


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("${DATABASE_URL}", """psql "${DATABASE_URL}" -c 'select 1'"""),
        ("postgresql://me:${PW}@h/d", """psql "postgresql://me:${PW}@h/d" -c 'select 1'"""),
        ("postgres://me@h/d?a=1&b=2", """psql 'postgres://me@h/d?a=1&b=2' -c 'select 1'"""),
        ("sqlite:///a b.db?x=1", "sqlite3 -readonly 'a b.db' 'select 1'"),
        ("sqlite:///${FILE}", """sqlite3 -readonly "${FILE}" 'select 1'"""),
        ("postgresql://`id`${PW}@h/d", "psql 'postgresql://`id`${PW}@h/d' -c 'select 1'"),
        ("mysql+pymysql://h/d", ""),
    ],
)
def test_the_line_that_looks_by_hand(url: str, line: str) -> None:
    assert a_check({"sql": url, "query": "select 1"}).options.by_hand(None) == line


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (Decimal("1.50"), 1.5),
        (Decimal("2.00"), 2),
        (Decimal(10) ** 300, 10**300),
        (True, True),
        ("text", "text"),
        (timedelta(minutes=2), 120.0),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02T03:00:00+00:00"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_a_cell_is_one_value(cell: Any, value: Any) -> None:
    found = judge_rows([(cell,)], None)
    assert (found.value, type(found.value)) == (value, type(value))


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (None, Reason.NODATA),
        (Decimal("NaN"), Reason.NODATA),
        (Decimal("sNaN"), Reason.NODATA),
        (Decimal("-Infinity"), Reason.NODATA),
        (Decimal("1e999999"), Reason.NODATA),
        (float("nan"), Reason.NODATA),
        (b"", Reason.ERROR),
        (memoryview(b"x"), Reason.ERROR),
        ([1], Reason.ERROR),
        ({"a": 1}, Reason.ERROR),
        ("x" * 100_000, Reason.ERROR),
    ],
)
def test_a_cell_that_is_no_value(cell: Any, reason: Reason) -> None:
    for rows, worst in (([(cell,)], None), ([("a", 1), ("b", cell)], "max")):
        with pytest.raises(NotTaken) as told:
            judge_rows(rows, worst)  # type: ignore[arg-type]
        assert told.value.reason is reason


def test_rows_that_say_nothing() -> None:
    for rows in ([], [()], [(1,), (2,)]):
        with pytest.raises(NotTaken):
            judge_rows(rows, None)
    with pytest.raises(NotTaken, match="10000 rows"):
        judge_rows([(1,)] * 10_001, "max")
    assert judge_rows([(date(2026, 1, 2), 1), (None, 2)], "max").observed == "2 (a row)"


def test_a_kind_that_is_asked_by_a_library_that_is_missing_says_what_to_install(tmp_path: Path) -> None:
    """In a process of its own, in which the libraries cannot be found."""
    code = """
import sys
for name in ("psycopg", "sqlalchemy", "azure", "azure.cosmos", "requests"):
    sys.modules[name] = None
from tests.checks.looking import looked
for check in (
    {"sql": "postgresql://h/d", "query": "select 1"},
    {"sql": "mysql+pymysql://h/d", "query": "select 1"},
    {"cosmos": "https://h", "database": "d", "container": "c", "query": "select value 1", "key": "a2V5"},
):
    row = looked({**check, "expect": "== 1"})
    print(row.status.value, row.message)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT)
    lines = done.stdout.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["unknown"] * 3
    assert [line.rpartition("; next: ")[2] for line in lines] == [
        installing("psycopg[binary]"),
        installing("sqlalchemy"),
        installing("azure-cosmos"),
    ]
