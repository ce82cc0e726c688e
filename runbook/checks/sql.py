"""`sql`: one query with bound parameters, on a database opened for reading only. SQLite here."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import unquote

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import NotTaken, Rows, seconds_left, shown, unknown, without_value
from runbook.judge.verdicts import Reason, Status
from runbook.system.secrets import VariableTrouble

_SQLITE = re.compile(r"(?:sqlite:///|file:)(?P<path>[^?#]*)", re.IGNORECASE)
_MOST_ROWS = 10_000
_STEPS = 1000  # of SQLite's machine between two looks at the clock
# What a query that only looks may do. ATTACH would open a file that the playbook does not name.
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}


@dataclass(frozen=True)
class _Question:
    """A query that is ready to be asked."""

    path: Path
    query: str
    parameters: Mapping[str, Any]
    until: float


class Sql(Kind, frozen=True, kw_only=True):
    """The value is the first cell of the one row. With `worst` there may be many: it is the largest or smallest of the
    last column, and the first column names the rows that break `expect`.
    """

    KEY: ClassVar[str] = "sql"
    LOOKS_AT: ClassVar[str] = "a query's first cell, or the worst of its rows"
    EXAMPLE: ClassVar[str] = (
        '{check: Tables exist, sql: "sqlite:///app.db", query: "select count(*) from sqlite_master", expect: "> 1"}'
    )

    sql: str
    query: str
    worst: Literal["max", "min"] | None = None

    def asserts(self) -> bool:
        """A value alone says nothing: `expect` does."""
        return False

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        return [] if self.query.strip() else ["query is empty"]

    async def look(self, around: Surroundings) -> Finding:
        from runbook.system.daemon_threads import in_thread

        try:
            url = around.variables.text(self.sql)
            query, parameters = around.variables.sql(self.query)
        except VariableTrouble as trouble:
            return without_value(trouble)
        around.masker.learn_url(url)
        match = _SQLITE.match(url)
        if match is None:
            scheme = url.partition(":")[0][:20]
            return unknown(f"databases of the kind {scheme} are not supported yet; sqlite:///PATH is")
        path = around.project / unquote(match["path"])
        question = _Question(path, query, parameters, time.monotonic() + seconds_left(around))
        try:
            rows = await in_thread(lambda: _ask(question))
            return _worst(rows, self.worst) if self.worst else _first_cell(rows)
        except NotTaken as trouble:
            return unknown(trouble.message, trouble.reason)


def _ask(question: _Question) -> list[tuple[Any, ...]]:
    """The rows. Raises NotTaken."""
    if not question.path.is_file():
        raise NotTaken(f"there is no database {question.path.name}")
    uri = f"{question.path.absolute().as_uri()}?mode=ro"
    seconds = max(0.001, question.until - time.monotonic())
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=seconds, isolation_level=None)
    except sqlite3.Error as trouble:
        raise NotTaken(f"the database cannot be opened: {trouble}") from None
    try:
        connection.set_progress_handler(lambda: int(time.monotonic() > question.until), _STEPS)
        connection.execute("pragma schema_version")  # finds out a file that is no database, as `select 1` does not
        connection.set_authorizer(_only_reads)
        return connection.execute(question.query, question.parameters).fetchmany(_MOST_ROWS + 1)
    except sqlite3.Error as trouble:
        late = time.monotonic() > question.until
        raise NotTaken("the query took too long" if late else f"the query failed: {trouble}") from None
    except (sqlite3.Warning, ValueError, OverflowError, UnicodeError) as trouble:
        raise NotTaken(f"the query failed: {trouble}") from None
    finally:
        connection.close()


def _only_reads(action: int, *_: object) -> int:
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _first_cell(rows: list[tuple[Any, ...]]) -> Finding:
    if not rows:
        raise NotTaken("the query gives no row", Reason.NODATA)
    if len(rows) > 1:
        raise NotTaken("the query gives more than one row; add limit 1, an aggregate, or worst: max")
    value = _cell(rows[0][0])
    return Finding(Status.PASS, observed=shown(value), value=value)


def _worst(rows: list[tuple[Any, ...]], which: str) -> Finding:
    if not rows:
        raise NotTaken("the query gives no row", Reason.NODATA)
    if len(rows) > _MOST_ROWS:
        raise NotTaken(f"the query gives more than {_MOST_ROWS} rows")
    named = [(shown(_name(row)), _cell(row[-1])) for row in rows]
    if any(isinstance(value, str) for _, value in named):
        raise NotTaken("the last column holds text, so no row is the worst")
    named.sort(key=lambda pair: pair[1], reverse=which == "max")
    name, value = named[0]
    return Rows(Status.PASS, observed=f"{shown(value)} ({name})", value=value, rows=tuple(named))


def _name(row: tuple[Any, ...]) -> Any:
    return row[0] if len(row) > 1 and row[0] is not None else "a row"


def _cell(value: Any) -> Any:
    if value is None:
        raise NotTaken("the query gives null", Reason.NODATA)
    if isinstance(value, bytes):
        raise NotTaken("the query gives bytes where a number or text was meant")
    return value
