"""Asking a database for rows, whichever it is, within the time of the question."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from runbook.checks.findings import NotTaken
from runbook.checks.libraries import not_here
from runbook.checks.stores.sql_question import POSTGRES, SQLITE, Question, scheme_of
from runbook.checks.stores.sql_turns import turn_at
from runbook.system.daemon_threads import in_thread

if TYPE_CHECKING:
    from runbook.checks.stores.sql_postgres import PostgresSession

_CANCELLING = 1.0  # seconds that a query is given to be cancelled on its server
_TELLING = 0.08  # seconds that the thread is given to tell itself that it was late


async def rows_of(question: Question) -> Sequence[Sequence[Any]]:
    """What the database answers, within the time of the question. Raises NotTaken."""
    scheme = scheme_of(question.url)
    if not scheme:
        raise NotTaken("there is no URL of a database; write sqlite:///PATH or postgresql://USER@HOST/NAME")
    try:
        if scheme in POSTGRES:
            return await _from_postgres(question)
        ask = _from_sqlite if scheme in SQLITE else _from_another
        return await asyncio.wait_for(in_thread(lambda: ask(question)), question.seconds_left() + _TELLING)
    except TimeoutError:
        raise NotTaken("the database did not answer in time") from None


def _from_sqlite(question: Question) -> Sequence[Sequence[Any]]:
    from runbook.checks.stores.sql_sqlite import ask_sqlite

    return ask_sqlite(question)


def _from_another(question: Question) -> Sequence[Sequence[Any]]:
    try:
        from runbook.checks.stores.sql_others import ask_other
    except ImportError:
        kind = scheme_of(question.url)[:20]
        raise NotTaken(not_here(f"SQLAlchemy, by which {kind} is asked,", "sqlalchemy")) from None
    with turn_at(question):
        return ask_other(question)


async def _from_postgres(question: Question) -> Sequence[Sequence[Any]]:
    session = await in_thread(lambda: _session(question))  # the library takes a while to be loaded
    seconds = question.seconds_left()

    def asked() -> Sequence[Sequence[Any]]:
        with turn_at(question):
            return session.rows()

    try:
        return await asyncio.wait_for(in_thread(asked), seconds + _TELLING)
    except TimeoutError:
        session.stop()
        raise NotTaken(session.late(seconds)) from None
    except asyncio.CancelledError:
        session.stop()
        if session.connected:  # nothing is left running on the server
            await in_thread(lambda: session.ended.wait(_CANCELLING))
        raise


def _session(question: Question) -> PostgresSession:
    """Raises NotTaken where psycopg is missing."""
    try:
        module = import_module("runbook.checks.stores.sql_postgres")
    except ImportError:
        raise NotTaken(not_here("psycopg, by which PostgreSQL is asked,", "psycopg[binary]")) from None
    session: PostgresSession = module.PostgresSession(question)
    return session
