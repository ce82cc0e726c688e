"""`sql` on SQLite: a file opened for reading only, by the library that Python brings.

A database with a write-ahead log that nobody has open is read as a file that does not change: a reader of the usual way
would leave `-wal` and `-shm` beside it, owned by whoever looks, and a service of another account could not write then.
"""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from runbook.checks.findings import NotTaken
from runbook.checks.stores.cells import LARGEST, take_rows
from runbook.checks.stores.sql_question import Question

_URL = re.compile(r"(?:sqlite:///|file:)(?P<path>[^?#]*)", re.IGNORECASE)
_HEADER, _WRITE_AHEAD = 20, b"\2\2"  # of its bytes the last two: how it is written, and how it is read
_ONE_READS = threading.Lock()
_State = tuple[int, int, int, int]  # device, inode, size and time of the last change
_STEPS = 1000  # of SQLite's machine between two looks at the clock
# What a query that only looks may do. ATTACH would open a file that the playbook does not name.
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}


def ask_sqlite(question: Question) -> list[Sequence[Any]]:
    """The rows. Blocks; raises NotTaken."""
    path = _path(question)
    for _ in range(2):
        at_rest = _at_rest(path)
        trouble = None
        try:
            rows = _asked(path, question, changes=at_rest is None)
        except NotTaken as raised:
            trouble = raised
        if at_rest is not None and _at_rest(path) != at_rest:
            continue  # somebody wrote meanwhile, so what was read may be of two states
        if trouble is not None:
            raise trouble
        return rows
    raise NotTaken("the database was changed while it was read, twice: look again")


def _path(question: Question) -> Path:
    """The database; where its path is a link, what it leads to, for its log lies there. Raises NotTaken."""
    match = _URL.match(question.url)
    if match is None:
        raise NotTaken("a database of SQLite is written sqlite:///PATH")
    path = question.folder / unquote(match["path"])
    if not path.is_file():
        raise NotTaken(f"there is no database {path.name}")
    return path.resolve()


def _at_rest(path: Path) -> _State | None:
    """The state of a database with a write-ahead log that nobody has open; None of any other."""
    try:
        about = path.stat()
        if any(Path(f"{path}{ending}").exists() for ending in ("-wal", "-journal")):
            return None
        state = (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns)
        with _ONE_READS:
            return state if _keeps_log(path, state) else None
    except OSError:
        return None


@lru_cache(maxsize=64)
def _keeps_log(path: Path, state: _State) -> bool:
    """Whether it is written with a write-ahead log. Raises OSError.

    It is read once for each state: closing a file gives up the locks that this process holds on it.
    """
    with path.open("rb") as file:
        return file.read(_HEADER)[-2:] == _WRITE_AHEAD


def _asked(path: Path, question: Question, *, changes: bool) -> list[Sequence[Any]]:
    """Raises NotTaken."""
    uri = f"{path.as_uri()}?mode=ro{'' if changes else '&immutable=1'}"
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
