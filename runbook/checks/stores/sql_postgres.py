"""`sql` on PostgreSQL, by psycopg: a read-only transaction, bounded in time and memory, that is always rolled back.

What a read-only transaction can still do: call functions that act on sessions (`pg_terminate_backend`), on the server
(`pg_reload_conf`), on other servers (dblink) or in languages that the server trusts blindly; take locks; read files
where the account may. `sql_question.statement_problems` refuses those that are known by name, and every statement but
those that look (so no COPY TO PROGRAM, LOCK, CALL or DO). An account that may only read is the sure way.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from threading import Event
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.json import set_json_loads

from runbook.checks.findings import NotTaken
from runbook.checks.stores.cells import take_rows
from runbook.checks.stores.sql_question import PATIENCE, Question
from runbook.checks.stores.sql_watch import Watch
from runbook.language.durations import show_duration

Connection = psycopg.Connection[tuple[Any, ...]]

_VALUE = re.compile(r"(?<!:):(value_\d+)\b")
_DRIVER = re.compile(r"\A(?:postgresql|postgres)(?:\+\w+)?://", re.IGNORECASE)
_CANCELLING = 1.0  # seconds that the server is given to take back a query

# What the server says, and what to do about it. It says it in its own language; then there is no remedy.
_REMEDIES = (
    ("password authentication failed", "check the user and the password"),
    ("no password supplied", "name a password, in the URL or in PGPASSWORD"),
    ("no pg_hba.conf entry", "its pg_hba.conf has to let this machine in"),
    ('database ".*" does not exist', "check the name of the database: psql -l"),
    ("too many (clients|connections)|connection slots", "all its connections are taken: close some, or use a pooler"),
    ("starting up|shutting down|in recovery mode", "look again when it is up"),
    ("refused|No such file", "check host and port, and that the server runs"),
    ("translate host name|resolve host|not known", "check the name of the host"),
    ("timeout expired|timed out", "the host is off, or a firewall drops what is sent to it"),
    ("certificate|SSL", "sslmode and sslrootcert in the URL say what is trusted"),
)
_REMEDIES_BY_STATE = {
    "25006": "a check only looks",
    "42501": "grant it to the account that the URL names",
    "42883": "a value that is text although it looks like a number is written in quotes: '${NAME}'",
    "42P01": "check the search path, or name the schema",
    "55P03": "somebody holds a lock on it: select * from pg_stat_activity",
}

logging.getLogger("psycopg").addHandler(logging.NullHandler())  # what goes wrong is told in the row


class PostgresSession:
    """One query on a connection of its own. `rows` blocks in a thread; `stop` ends it from outside."""

    def __init__(self, question: Question) -> None:
        self.ended = Event()
        self.connected = False
        self._question = question
        self._stop = Event()

    def stop(self) -> None:
        """Nobody waits any more: the query is cancelled on the server, soon."""
        self._stop.set()

    def late(self, seconds: float) -> str:
        """What is said when the time is over and the thread still waits."""
        if self.connected:
            return self._question.late
        return with_remedy(f"no connection within {show_duration(seconds)}: timed out")

    def rows(self) -> list[Sequence[Any]]:
        """The rows. Raises NotTaken."""
        try:
            return self._asked()
        except psycopg.Error as trouble:
            raise NotTaken(self._told(trouble)) from None
        except (ValueError, OverflowError, RecursionError) as trouble:
            raise NotTaken(f"the query failed: {_first_line(str(trouble))}") from None
        finally:
            self.ended.set()

    def _asked(self) -> list[Sequence[Any]]:
        connection = _connected(self._question)
        self.connected = True
        watch = Watch(connection.pgconn.socket, self._question, self._stop, lambda: _cancel(connection))
        try:
            with watch:
                set_json_loads(lambda _: {}, connection)  # it is refused anyway, however deep it is nested
                connection.execute(_beginning(self._question.seconds_left()))
                return _streamed(connection, self._question)
        except psycopg.Error:
            if (cut := watch.trouble()) is not None:
                raise cut from None
            raise
        finally:
            connection.close()  # what was begun is rolled back by that

    def _told(self, trouble: psycopg.Error) -> str:
        state = trouble.sqlstate or ""
        said = _first_line(trouble.diag.message_primary or str(trouble))
        if not self.connected:
            return with_remedy(f"no connection: {said.removeprefix('connection failed: ')}")
        if state == "57014":
            return self._question.late
        remedy = _REMEDIES_BY_STATE.get(state)
        told = f"the query failed: {said}{f' ({state})' if state else ''}"
        return f"{told}; {remedy}" if remedy else told


def connection_parameters(url: str) -> dict[str, Any]:
    """What libpq makes of a URL. Raises NotTaken, and says nothing of the URL: a password may stand anywhere in it."""
    hint = "percent-encode what is special in user and password: @ is %40, / is %2F, # is %23, ? is %3F"
    try:
        parameters = dict(conninfo_to_dict(_DRIVER.sub("postgresql://", url)))
    except psycopg.Error:
        raise NotTaken(f"the URL of the database cannot be read; {hint}") from None
    ports = str(parameters.get("port") or "").split(",")
    if any(port and not port.isdigit() for port in ports) or "@" in str(parameters.get("dbname") or ""):
        raise NotTaken(f"the URL of the database has a port or name that is none; {hint}")
    parameters.pop("replication", None)
    return parameters


def with_remedy(said: str) -> str:
    """What was said, and what to do about it where that is known."""
    for pattern, remedy in _REMEDIES:
        if re.search(pattern, said):
            return f"{said}; {remedy}"
    return said


def _connected(question: Question) -> Connection:
    """Raises NotTaken, psycopg.Error."""
    given = {
        "application_name": "runbook",
        "client_encoding": "utf8",
        "tcp_user_timeout": 4000,
        "keepalives": 1,
        "keepalives_idle": 3,
        "keepalives_interval": 1,
        "keepalives_count": 3,
        "connect_timeout": max(1, int(min(PATIENCE, question.seconds_left()))),
    }
    return psycopg.connect(autocommit=True, **{**connection_parameters(question.url), **given})


def _cancel(connection: Connection) -> None:
    connection.cancel_safe(timeout=_CANCELLING)


def _beginning(seconds: float) -> bytes:
    """A read-only transaction with the deadline in it. After its `select` nothing can make it one that writes.

    Settings are those of the transaction alone, so that a pooler does not hand them to the next one.
    """
    whole = max(1, int(seconds * 1000))
    settings = {
        "statement_timeout": whole,
        "lock_timeout": max(1, whole * 4 // 5),
        "idle_in_transaction_session_timeout": whole + 1000,
    }
    lines = [f"set local {name} = {value}" for name, value in settings.items()]
    return "; ".join(["begin transaction read only", *lines, "select 1"]).encode()


def _streamed(connection: Connection, question: Question) -> list[Sequence[Any]]:
    """The rows, one after the other: only as many are read as are wanted. By the extended protocol, which takes one
    statement and its values apart from it.
    """
    query = question.query
    if question.parameters:
        query = _VALUE.sub(r"%(\1)s", query.replace("%", "%%"))
    with connection.cursor() as cursor:
        rows = cursor.stream(query.encode(), dict(question.parameters) or None)
        try:
            return take_rows(rows, question.most)
        finally:
            rows.close()  # type: ignore[attr-defined]  # it is a generator: what is left is cancelled


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "it does not say why"
