"""Turns at a database: the checks of a look open no more connections to one server at a time than it can spare."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from functools import cache
from threading import Semaphore

from runbook.checks.findings import NotTaken
from runbook.checks.stores.sql_question import Question

AT_ONCE = 8  # connections; a small server has a hundred for everybody
_SERVER = re.compile(r"\A[^:]*://(?:[^/?#]*@)?(?P<server>[^/?#]*)")


@contextlib.contextmanager
def turn_at(question: Question) -> Iterator[None]:
    """The block has one of the server's turns. Blocks until there is one; raises NotTaken when that takes too long."""
    match = _SERVER.match(question.url)
    turns = _turns_of(match["server"].lower() if match else "")
    if not turns.acquire(timeout=question.seconds_left()):
        raise NotTaken(f"{AT_ONCE} queries were under way there all the time, and none of them ended")
    try:
        yield
    finally:
        turns.release()


@cache
def _turns_of(server: str) -> Semaphore:
    return Semaphore(AT_ONCE)
