"""`sql`: one query with bound parameters, on a database that is only read: SQLite, PostgreSQL, and others."""

from __future__ import annotations

import re
import shlex
import time
from typing import ClassVar

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import NotTaken, seconds_left, unknown, without_value
from runbook.checks.stores.places import filled_url, shell_word
from runbook.checks.stores.sql_question import (
    MOST_ROWS,
    POSTGRES,
    SQLITE,
    Question,
    Worst,
    scheme_of,
    statement_problems,
)
from runbook.system.secrets import VariableTrouble


class Sql(Kind, frozen=True, kw_only=True):
    """The value is the first cell of the one row; a time span is its seconds. With `worst` there may be many rows: it
    is the largest or smallest of the last column, and the first column names the rows that break `expect`.
    """

    KEY: ClassVar[str] = "sql"
    GIVES: ClassVar[tuple[str, ...] | None] = ()
    LOOKS_AT: ClassVar[str] = "a query's first cell, or the worst of its rows"
    EXAMPLE: ClassVar[str] = (
        '{check: Tables exist, sql: "sqlite:///app.db", query: "select count(*) from sqlite_master", expect: "> 1"}'
    )

    sql: str
    query: str
    worst: Worst | None = None

    def asserts(self) -> bool:
        """A value alone says nothing: `expect` does."""
        return False

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        return statement_problems(self.query)

    def by_hand(self, url: str | None) -> str:
        """`psql`, or `sqlite3` for a file; nothing for a database of another kind."""
        scheme = scheme_of(self.sql)
        if scheme in SQLITE:
            path = re.sub(r"\A(?:sqlite[^:]*:///|file:)|[?#].*\Z", "", self.sql)
            return f"sqlite3 -readonly {shell_word(path)} {shlex.quote(self.query)}"
        if scheme in POSTGRES or self.sql.startswith("${"):
            return f"psql {shell_word(self.sql)} -c {shlex.quote(self.query)}"
        return ""

    async def look(self, around: Surroundings) -> Finding:
        try:
            question = self._question(around)
        except VariableTrouble as trouble:
            return without_value(trouble)
        problems = statement_problems(self.query)
        if problems:
            return unknown(problems[0])
        from runbook.checks.stores.cells import judge_rows
        from runbook.checks.stores.sql_asking import rows_of

        try:
            return judge_rows(await rows_of(question), self.worst)
        except NotTaken as trouble:
            return unknown(trouble.message, trouble.reason)

    def _question(self, around: Surroundings) -> Question:
        """Raises VariableTrouble."""
        url = filled_url(self.sql, around)
        query, parameters = around.variables.sql(self.query)
        until = time.monotonic() + seconds_left(around)
        return Question(url, query, parameters, until, around.project, most=MOST_ROWS if self.worst else 1)
