"""What a query gave, judged apart from the asking: its first cell, or the worst of its rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from runbook.checks.base import Finding
from runbook.checks.findings import NotTaken, Rows, shown
from runbook.checks.stores.sql_question import MOST_ROWS, Worst
from runbook.judge.verdicts import Reason, Status

LARGEST = 16 << 20  # bytes of all rows together
LONGEST_TEXT = 64 << 10  # characters of one value
_ROW = 64  # bytes that a row takes at least, whatever stands in it
_DIGITS = 400  # of a number; a longer one is as good as infinite
_NOT_ONE = {list: "a list", tuple: "a row", dict: "JSON", set: "a set"}


def judge_rows(rows: Sequence[Sequence[Any]], worst: Worst | None) -> Finding:
    """The first cell of the one row; with `worst`, the largest or smallest last cell, under the name in the first.

    A time span is its seconds. Raises NotTaken: no row, null, NaN and infinity are no data; more than one row, bytes,
    lists and JSON where one value was meant are an error.
    """
    if not rows:
        raise NotTaken("the query gives no row", Reason.NODATA)
    if not all(len(row) for row in rows):
        raise NotTaken("the query gives rows without columns")
    if worst is not None:
        return _worst(rows, worst)
    if len(rows) > 1:
        raise NotTaken("the query gives more than one row; add limit 1, an aggregate, or worst: max")
    value = _cell(rows[0][0])
    units = {"value": "s"} if isinstance(rows[0][0], timedelta) else {}
    return Finding(Status.PASS, observed=shown(value), value=value, units=units)


def take_rows(rows: Iterable[Sequence[Any]], most: int) -> list[Sequence[Any]]:
    """At most `most` rows and one more. Raises NotTaken when they are larger than 16 MiB together."""
    taken: list[Sequence[Any]] = []
    size = 0
    for row in rows:
        size += _ROW + sum(len(cell) for cell in row if isinstance(cell, str | bytes | memoryview))
        if size > LARGEST:
            raise NotTaken(too_large())
        taken.append(row)
        if len(taken) > most:
            break
    return taken


def too_large() -> str:
    """What is said of an answer beyond the bound."""
    return f"the query gives more than {LARGEST >> 20} MiB; ask for a count, or for less of each row"


def _worst(rows: Sequence[Sequence[Any]], worst: Worst) -> Finding:
    if len(rows) > MOST_ROWS:
        raise NotTaken(f"the query gives more than {MOST_ROWS} rows")
    named = [(shown(_name(row)), _cell(row[-1])) for row in rows]
    if any(isinstance(value, str) for _, value in named):
        raise NotTaken("the last column holds text, so no row is the worst")
    named.sort(key=lambda pair: pair[1], reverse=worst == "max")
    name, value = named[0]
    units = {"value": "s"} if isinstance(rows[0][-1], timedelta) else {}
    return Rows(Status.PASS, observed=f"{shown(value)} ({name})", value=value, rows=tuple(named), units=units)


def _name(row: Sequence[Any]) -> Any:
    if len(row) < 2 or row[0] is None:
        return "a row"
    return row[0] if isinstance(row[0], str | int | float) else str(row[0])


def _cell(value: Any) -> Any:
    """One value as the judge takes it: a number, text or truth. Raises NotTaken."""
    if value is None:
        raise NotTaken("the query gives null", Reason.NODATA)
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise NotTaken(f"the query gives a text of {len(value)} characters where one value was meant; take part of it")
    if isinstance(value, bool | str | int):
        return value
    if isinstance(value, float | Decimal):
        return _number(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        raise NotTaken("the query gives bytes where a number or text was meant")
    kind = next((name for known, name in _NOT_ONE.items() if isinstance(value, known)), None)
    if kind is not None:
        raise NotTaken(f"the query gives {kind} where one value was meant; take one part of it, or count it")
    return str(value)


def _number(value: float | Decimal) -> int | float:
    """A number of Python's own. Raises NotTaken for one that is not finite."""
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < _DIGITS:
        if value == value.to_integral_value():
            return int(value)
        value = float(value)
    elif isinstance(value, Decimal):
        value = float("inf") if value.is_finite() else float("nan")
    if not math.isfinite(value):
        raise NotTaken("the query gives something that is no finite number", Reason.NODATA)
    return value
