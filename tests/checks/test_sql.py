"""`sql`: one value, or the worst of many; read only, bound, in time."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from runbook.judge.verdicts import Reason, Status
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, surroundings


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
