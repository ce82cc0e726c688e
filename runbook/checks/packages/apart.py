"""Kinds of other packages, kept apart from ours: what they do wrong is their own row.

A kind of a package may wait, raise, print, or give back anything. The other rows, the deadline and what stands on
standard output do not change. One thing a thread cannot be kept from: native code that holds the interpreter (it does
not release the lock of Python while it works) holds the whole look, its deadline too, until it lets go.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from runbook.checks.base import Finding, Kind, Past, Surroundings
from runbook.checks.findings import Unreachable, unknown, unreachable, without_value
from runbook.judge.verdicts import Reason, Status
from runbook.language.durations import show_duration
from runbook.system.secrets import VariableTrouble

SAYS = ("presence", "only_looks", "takes_value", "asserts", "alone", "keeps_history")
_MOST = 1000  # characters of a text that it gives back
_LISTED = 1000  # entries, values, units and phases
_POINTS = 200_000  # of a history
_END_OF_TIME = 253_402_300_800.0  # the year 10000, in seconds since the epoch
_MAY_COME = (Status.PASS, Status.FAIL, Status.UNKNOWN)  # to waive and to pass over is for the playbook and its people


def kept_apart(kind: type[Kind], package: str) -> type[Kind]:
    """The same kind, for use by the tool: `look` and `past` run apart, and `problems` tries what it says of itself."""

    class Apart(kind):  # type: ignore[valid-type,misc]
        __doc__ = kind.__doc__

        async def look(self, around: Surroundings) -> Finding:
            return await _look(kind, self, around, package)

        async def past(self, around: Surroundings, since: float, until: float, step: float) -> Past:
            from runbook.checks.packages.own_thread import Broke, done_apart

            async def points(there: Surroundings) -> Past:
                found = await kind.past(self, there, since, until, step)
                listed = [(_time(at), float(value)) for at, value in islice(found.points, _POINTS)]
                return Past(listed, str(found.trouble)[:_MOST])

            try:
                return await done_apart(points, around)
            except (Broke, TimeoutError) as trouble:
                return Past(trouble=f"{package} broke: {trouble}"[:_MOST])

        def problems(self) -> list[str]:
            return _problems(kind, self, package)

    Apart.__name__ = Apart.__qualname__ = kind.__name__
    return Apart


async def _look(kind: type[Kind], options: Kind, around: Surroundings, package: str) -> Finding:
    from runbook.checks.packages.own_thread import Broke, done_apart

    async def look(there: Surroundings) -> Finding:  # reading what it gave may take for ever too
        return vetted(await kind.look(options, there), package)

    began = time.monotonic()
    try:
        return await done_apart(look, around)
    except TimeoutError:
        return unreachable(f"{package} did not end within {show_duration(time.monotonic() - began)}", "timed out")
    except Broke as broke:
        if isinstance(broke.trouble, VariableTrouble):
            return without_value(broke.trouble)
        return unknown(f"{package} broke: {broke}"[:_MOST])


def _problems(kind: type[Kind], options: Kind, package: str) -> list[str]:
    """What the package finds wrong with its options; and what of itself it cannot say without breaking."""
    own = getattr(kind, "problems", None)
    name = "problems"
    try:
        found = [str(each) for each in own(options)] if own else []
        for name in SAYS:
            if not isinstance(getattr(options, name)(), bool):
                return [*found, f"{package}: its {name}() gives neither True nor False"]
        name = "by_hand"
        if not all(isinstance(options.by_hand(url), str) for url in (None, "http://localhost")):
            return [*found, f"{package}: its by_hand() gives no text"]
    except (Exception, SystemExit) as trouble:
        return [f"{package}: its {name}() broke: {type(trouble).__name__}: {trouble}"[:_MOST]]
    return found


def vetted(found: Any, package: str) -> Finding:
    """The finding, when it is one whose parts are what they should be; else a finding that says so."""
    if not isinstance(found, Finding):
        return unknown(f"{package} gave back {_named(found)}, not a Finding")
    if not isinstance(found.status, Status):
        return unknown(f"{package} gave a status that is none: {str(found.status)[:40]!r}")
    if found.status not in _MAY_COME:
        return unknown(f"{package} gave the status {found.status}: a look ends as pass, fail or unknown")
    if not _is_value(found.value):
        return unknown(f"{package} gave a value that nothing can be compared with: {_named(found.value)}")
    try:
        return _plain(found)
    except Exception as trouble:  # whatever its own objects do when they are read
        return unknown(f"{package} gave a finding that cannot be read: {trouble}"[:_MOST])


def _plain(found: Finding) -> Finding:
    """The same, of our own classes and types, each part bounded. Raises whatever the parts raise."""
    make = Unreachable if isinstance(found, Unreachable) else Finding
    return make(
        found.status,
        observed=str(found.observed)[:_MOST],
        expected=str(found.expected)[:_MOST],
        message=str(found.message)[:_MOST],
        reason=_reason_of(found),
        value=found.value,
        values={name: value for name, value in _named_ones(found.values) if _is_value(value)},
        listed=tuple(str(each)[:_MOST] for each in islice(found.listed, _LISTED)),
        at=None if found.at is None else _time(found.at),
        sampled=None if found.sampled is None else _time(found.sampled),
        units={name: str(unit)[:_MOST] for name, unit in _named_ones(found.units)},
        phases={name: _seconds(took) for name, took in _named_ones(found.phases)},
        phase=str(found.phase)[:_MOST],
    )


def _reason_of(found: Finding) -> Reason | None:
    if isinstance(found.reason, Reason):
        return found.reason
    return Reason.ERROR if found.status is Status.UNKNOWN else None


def _named_ones(parts: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    return ((str(name)[:_MOST], part) for name, part in islice(parts.items(), _LISTED))


def _time(at: Any) -> float:
    """Seconds since the epoch. Raises ValueError for what no calendar holds."""
    seconds = _seconds(at)
    if seconds >= _END_OF_TIME:
        raise ValueError(f"{seconds:g} is no time in seconds since the epoch")
    return seconds


def _seconds(given: Any) -> float:
    seconds = float(given)
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"{seconds:g} is no number of seconds")
    return seconds


def _is_value(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return len(value) <= _LISTED and all(isinstance(each, str | int | float | bool | None) for each in value)
    return isinstance(value, str | int | float | bool | None)


def _named(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
