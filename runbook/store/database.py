"""A SQLite file: opened safely, read and written in transactions, its refusals told in the operator's words."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from runbook.store.base import StoreAway
from runbook.store.file_system import is_on_network
from runbook.store.schema import APPLICATION, MIGRATIONS, SCHEMA
from runbook.system.files import PRIVATE, FileTrouble, ensure_folder, ensure_regular

Shape = TypeVar("Shape")
_LARGEST = 64 * 1024 * 1024  # bytes of one value; a damaged length must not ask for all memory


class Database:
    """An open SQLite file. Threads may share it; each transaction has it for itself.

    `journal` is SQLite's way to commit: `wal`, or `delete` where several machines may use the file.
    """

    def __init__(self, path: Path, wait: float, journal: str) -> None:
        self.path = path
        self.wait = wait
        self.journal = journal
        self._alone = threading.RLock()
        with self._told():
            self._connection = sqlite3.connect(path, timeout=wait, isolation_level=None, check_same_thread=False)
        try:
            with self._told():
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Closes the file."""
        with self._alone, self._told():
            self._connection.close()

    def read(self, shape: type[Shape], sql: str, *values: Any) -> list[Shape]:
        """All rows of a query, each checked against `shape` (a named tuple). Raises `StoreAway`."""
        with self._alone, self._told():
            rows = self._connection.execute(sql, values).fetchall()
        try:
            return msgspec.convert(rows, type=list[shape])  # type: ignore[valid-type]
        except msgspec.ValidationError as trouble:
            raise self.damaged(str(trouble)) from trouble

    def write(self, sql: str, *values: Any) -> int:
        """Runs a statement inside `writing` and returns how many rows it touched."""
        with self._told():
            return self._connection.execute(sql, values).rowcount

    def write_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Runs a statement once for each row, inside `writing`."""
        with self._told():
            self._connection.executemany(sql, rows)

    def added(self) -> int:
        """The number that the last inserted row was given."""
        return self._connection.execute("SELECT last_insert_rowid()").fetchone()[0]  # type: ignore[no-any-return]

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction: all of it is durably there at the end, or nothing.

        The write lock is taken at once. A transaction that reads first and then wants to write is refused as locked
        without any waiting when another one wrote in between.
        """
        with self._alone:
            with self._told():
                self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                with self._told():
                    self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                raise

    def empty_log(self) -> None:
        """Brings the write-ahead log into the file and empties it, so that no erased bytes stay in it."""
        with self._alone, self._told():
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def examine(self) -> str | None:
        """What SQLite's own examination finds wrong, or None."""
        with self._alone, self._told():
            found = [str(row[0]) for row in self._connection.execute("PRAGMA integrity_check(3)").fetchall()]
        return None if found == ["ok"] else "; ".join(found)

    def damaged(self, detail: str) -> StoreAway:
        """The refusal for a file whose content makes no sense."""
        return StoreAway(
            f"the store {self.path} is damaged: {detail}",
            f"keep a copy of it, then restore a backup or move it away: mv {self.path} {self.path}.damaged",
        )

    def _prepare(self) -> None:
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST)
        for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "secure_delete=ON", "fullfsync=ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        version = self._version()
        self._choose_journal()
        self._connection.execute("PRAGMA synchronous=FULL")
        if version < SCHEMA:
            self._migrate()

    def _version(self) -> int:
        """The version of the file's tables; 0 for an empty file. Refuses a newer one and another program's."""
        pragma = self._connection.execute
        version = int(pragma("PRAGMA user_version").fetchone()[0])
        application = int(pragma("PRAGMA application_id").fetchone()[0])
        if application != APPLICATION and pragma("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise StoreAway(
                f"{self.path} is a database of another program", "name another file in RUNBOOK_STATE, or move it away"
            )
        if version > SCHEMA:
            raise StoreAway(
                f"the store {self.path} was made by a newer runbook (schema {version}, this one knows {SCHEMA})",
                "upgrade this runbook to the version that the others use",
            )
        return version

    def _choose_journal(self) -> None:
        deadline = time.monotonic() + self.wait
        while self._connection.execute("PRAGMA journal_mode").fetchone()[0] != self.journal:
            try:
                self._connection.execute(f"PRAGMA journal_mode={self.journal}").fetchone()
            except sqlite3.OperationalError as trouble:
                # SQLite does not wait here when another process opens the same new file at this moment.
                if _primary(trouble) == sqlite3.SQLITE_READONLY:
                    return
                if _primary(trouble) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def _migrate(self) -> None:
        with self.writing():
            for number, statements in enumerate(MIGRATIONS[self._version() :], self._version() + 1):
                for statement in statements:
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version={number}")
            self._connection.execute(f"PRAGMA application_id={APPLICATION}")

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, MemoryError, UnicodeDecodeError) as trouble:
            raise self._refusal(trouble) from trouble

    def _refusal(self, trouble: Exception) -> StoreAway:
        code = _primary(trouble)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return StoreAway(
                f"the store {self.path} was locked by another process for more than {self.wait:g} s",
                f"see which one with: fuser -v {self.path}",
            )
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
            return StoreAway(
                f"the store {self.path} cannot be written: {trouble}",
                f"look at the owner and mode of the file and its folder with: ls -la {self.path.parent}",
            )
        if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            return StoreAway(f"the store {self.path} cannot be used: {trouble}", f"look at: df -h {self.path.parent}")
        if code == sqlite3.SQLITE_TOOBIG or isinstance(trouble, MemoryError):
            return StoreAway(
                f"an entry is too large for the store {self.path}: at most {_LARGEST} bytes", "record less at once"
            )
        if isinstance(trouble, sqlite3.ProgrammingError):
            return StoreAway(f"the store {self.path} is not open: {trouble}", "run the command again")
        return self.damaged(str(trouble) or type(trouble).__name__)


def _primary(trouble: Exception) -> int:
    """SQLite's result code without its extension; 0 where there is none."""
    return int(getattr(trouble, "sqlite_errorcode", 0) or 0) & 0xFF


def open_database(path: Path, wait: float) -> Database:
    """Opens the file, makes it (for its owner alone) where it is not there. Raises `StoreAway`."""
    try:
        ensure_folder(path.parent)
        _make_private(path)
        ensure_regular(path, path.stat())
    except FileTrouble as trouble:
        raise StoreAway(f"the store cannot be opened: {trouble.path} {trouble.reason}", trouble.hint) from trouble
    except (OSError, ValueError) as trouble:
        raise StoreAway(f"the store {path} cannot be opened: {trouble}", "correct RUNBOOK_STATE") from trouble
    # The shared memory of a write-ahead log does not work between machines.
    return Database(path, wait, "delete" if is_on_network(path) else "wal")


def _make_private(path: Path) -> None:
    """SQLite gives its other files (log, shared memory, journal) the mode of this one."""
    import os

    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE.file)
        os.fchmod(descriptor, PRIVATE.file)
        os.close(descriptor)
