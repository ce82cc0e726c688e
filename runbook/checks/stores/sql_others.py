"""`sql` on whatever SQLAlchemy has a dialect and a driver for: MySQL and MariaDB, Oracle, SQL Server and others.

On MySQL and MariaDB the transaction is read-only. Elsewhere nothing is ever committed; an account that may only read is
the sure way. What a driver keeps in memory of one row is the driver's matter.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy
from sqlalchemy.engine import URL, Connection, CursorResult
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from runbook.checks.findings import NotTaken
from runbook.checks.libraries import not_here
from runbook.checks.stores.cells import take_rows
from runbook.checks.stores.sql_question import PATIENCE, Question
from runbook.system.sql_places import Bound

_MYSQL = ("mysql", "mariadb")
_VALUE = re.compile(r"(?<!:):(value_\d+)\b")
_COLON = re.compile(r"(?<![:\\]):(?=\w)(?!value_\d+\b)")
# Drivers that are asked by another name than their module's, and those that work in threads in place of others.
_PACKAGES = {
    "MySQLdb": "mysqlclient",
    "mysql": "mysql-connector-python",
    "cx_Oracle": "oracledb",
    "psycopg2": "psycopg",
}
_IN_THREADS = {"asyncmy": "pymysql", "aiomysql": "pymysql", "aioodbc": "pyodbc"}
# How each driver is told its time-outs: to connect, and (where it can) for each read.
_TIMEOUTS: Mapping[str, tuple[str, ...]] = {
    "pymysql": ("connect_timeout", "read_timeout", "write_timeout"),
    "mysqldb": ("connect_timeout", "read_timeout", "write_timeout"),
    "mysqlconnector": ("connection_timeout",),
    "mariadbconnector": ("connect_timeout", "read_timeout", "write_timeout"),
    "oracledb": ("tcp_connect_timeout",),
    "pymssql": ("login_timeout", "timeout"),
    "pyodbc": ("timeout",),
}
_REMEDIES = (
    ("Access denied", "check the user, the password, and what the account may see"),
    ("Unknown database", "check the name of the database"),
    ("Too many connections", "all its connections are taken: close some, or use a pooler"),
    ("refused", "check host and port, and that the server runs"),
    ("Name or service not known|not known", "check the name of the host"),
    ("timed out", "the host is off, or a firewall drops what is sent to it"),
    ("READ ONLY", "a check only looks"),
)


def ask_other(question: Question) -> list[Sequence[Any]]:
    """The rows. Blocks as long as the driver does; raises NotTaken."""
    try:
        with _connected(_url_of(question.url), question) as connection:
            return _rows(connection, question)
    except NotTaken:
        raise
    except DBAPIError as trouble:
        raise NotTaken(_told("the query failed", trouble)) from None
    except SQLAlchemyError as trouble:
        raise NotTaken(f"the query failed: {_first_line(str(trouble))}") from None
    except Exception as trouble:  # a driver that meets rubbish raises whatever it stumbled over
        kind = type(trouble).__name__
        raise NotTaken(f"what answers there does not speak as this kind of database does ({kind})") from None


def _rows(connection: Connection, question: Question) -> list[Sequence[Any]]:
    if connection.dialect.name in _MYSQL:
        _only_read(connection, question)
        result = _asked_with_literals(connection, question)
    else:
        result = _asked_with_parameters(connection, question)
    with contextlib.closing(result):
        if not result.returns_rows:
            raise NotTaken("the query gives no rows at all")
        return take_rows((tuple(row) for row in result), question.most)


def _url_of(text: str) -> URL:
    """Raises NotTaken, and says nothing of the URL but its scheme: a password may stand anywhere in it."""
    try:
        url = sqlalchemy.make_url(text)
    except (ArgumentError, ValueError):
        raise NotTaken("the URL of the database cannot be read; percent-encode what is special in it") from None
    dialect, _, driver = url.drivername.partition("+")
    if dialect in _MYSQL and not driver and not _is_here("MySQLdb"):
        driver = "pymysql"
    driver = _IN_THREADS.get(driver, driver)
    return url.set(drivername=f"{dialect}+{driver}" if driver else dialect)


def _is_here(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None


@contextlib.contextmanager
def _connected(url: URL, question: Question) -> Iterator[Connection]:
    """Raises NotTaken."""
    seconds = question.seconds_left()
    try:
        names = _TIMEOUTS.get(url.get_dialect().driver, ())
        times = {name: int(min(PATIENCE, seconds) if "conn" in name else seconds) + 1 for name in names}
        engine = sqlalchemy.create_engine(url, poolclass=NullPool, connect_args=times, hide_parameters=True)
    except NoSuchModuleError:
        kind = url.drivername[:40]
        raise NotTaken(f"SQLAlchemy has no dialect {kind} here; install the package that brings it") from None
    except ModuleNotFoundError as trouble:
        name = (trouble.name or "").partition(".")[0]
        package = _PACKAGES.get(name, name)
        raise NotTaken(not_here(f"the driver {name} for {url.drivername}", package)) from None
    try:
        connection = engine.connect()
    except DBAPIError as trouble:
        raise NotTaken(_told("no connection", trouble)) from None
    with connection:
        yield connection


def _only_read(connection: Connection, question: Question) -> None:
    """A read-only transaction, with the deadline in it. MariaDB and MySQL have different names for that."""
    seconds = question.seconds_left()
    if connection.dialect.is_mariadb:  # type: ignore[attr-defined]  # of MySQL's dialect alone
        limit = f"max_statement_time = {seconds:.3f}"
    else:
        limit = f"max_execution_time = {max(1, int(seconds * 1000))}"
    waits = max(1, int(seconds))
    rows = question.most + 1  # a driver reads all that was sent before it lets go
    for statement in (
        f"set session {limit}, sql_select_limit = {rows}",
        f"set session lock_wait_timeout = {waits}, innodb_lock_wait_timeout = {waits}",
        "set session transaction read only",
        "start transaction read only",
    ):
        connection.exec_driver_sql(statement)


def _asked_with_literals(connection: Connection, question: Question) -> CursorResult[Any]:
    """MySQL's drivers put the values into the text themselves, between quotes; a query that is read otherwise here
    than there (a backslash, `#`) could then let one out. So they are written in digits alone.
    """
    query = _VALUE.sub(lambda match: _in_digits(question.parameters[match[1]]), question.query)
    options = {"no_parameters": True, "stream_results": True}
    return connection.exec_driver_sql(query, execution_options=options)


def _in_digits(value: Bound) -> str:
    if isinstance(value, str):
        return f"_utf8mb4 0x{value.encode().hex()}" if value else "''"
    return f"({value!r})"


def _asked_with_parameters(connection: Connection, question: Question) -> CursorResult[Any]:
    query = sqlalchemy.text(_COLON.sub(r"\\:", question.query))
    return connection.execution_options(stream_results=True).execute(query, dict(question.parameters))


def _told(what: str, trouble: DBAPIError) -> str:
    """What the driver says, without the query and its values."""
    arguments = trouble.orig.args if trouble.orig is not None else ()
    if len(arguments) > 1 and isinstance(arguments[0], int):
        said = f"{_first_line(str(arguments[1]))} ({arguments[0]})"
    else:
        said = _first_line(" ".join(str(argument) for argument in arguments))
    if re.search("max_statement_time|maximum statement execution time", said):
        return "the query took too long"
    remedy = next((remedy for pattern, remedy in _REMEDIES if re.search(pattern, said)), "")
    return f"{what}: {said}; {remedy}" if remedy else f"{what}: {said}"


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:500] if text.strip() else "it does not say why"
