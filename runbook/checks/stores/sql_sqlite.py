"""`sql` on SQLite: a file opened for reading only, by the library that Python brings."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from runbook.checks.findings import NotTaken
from runbook.checks.stores.cells import LARGEST, take_rows
from runbook.checks.stores.sql_question import Question

_URL = re.compile(r"(?:sqlite:///|file:)(?P<path>[^?#]*)", re.IGNORECASE)
_STEPS = 1000  # of SQLite's machine between two looks at the clock
# What a query that only looks may do. ATTACH would open a file that the playbook does not name.
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}


def ask_sqlite(question: Question) -> list[Sequence[Any]]:
    """The rows. Blocks; raises NotTaken."""
    match = _URL.match(question.url)
    if match is None:
        raise NotTaken("a database of SQLite is written sqlite:///PATH")
    path = question.folder / unquote(match["path"])
    if not path.is_file():
        raise NotTaken(f"there is no database {path.name}")
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=question.seconds_left(), isolation_level=None)
    except sqlite3.Error as trouble:
        raise NotTaken(f"the database cannot be opened: {trouble}") from None
    try:
        return _rows(connection, question)
    except sqlite3.Error as trouble:
        late = time.monotonic() > question.until
        raise NotTaken("the query took too long" if late else f"the query failed: {trouble}") from None
    except (sqlite3.Warning, ValueError, OverflowError, UnicodeError) as trouble:
        raise NotTaken(f"the query failed: {trouble}") from None
    finally:
        connection.close()


def _rows(connection: sqlite3.Connection, question: Question) -> list[Sequence[Any]]:
    connection.set_progress_handler(lambda: int(time.monotonic() > question.until), _STEPS)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
    connection.execute("pragma schema_version")  # finds out a file that is no database, as `select 1` does not
    connection.set_authorizer(_only_reads)
    return take_rows(connection.execute(question.query, question.parameters), question.most)


def _only_reads(action: int, *_: object) -> int:
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY
