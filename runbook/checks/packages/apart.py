"""Kinds of other packages, kept apart from ours: what they do wrong is their own row.

A kind of a package may block, raise, print, or give back anything. The other rows, the deadline and what stands on
standard output do not change.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runbook.checks.base import Finding, Kind, Past, Surroundings
from runbook.checks.findings import unknown, unreachable, without_value
from runbook.judge.verdicts import Reason, Status
from runbook.language.durations import show_duration
from runbook.system.secrets import VariableTrouble

SAYS = ("presence", "only_looks", "takes_value", "asserts", "alone", "keeps_history")
_MOST = 1000  # characters of a text that it gives back
_LISTED = 1000


def kept_apart(kind: type[Kind], package: str) -> type[Kind]:
    """The same kind, for use by the tool: `look` and `past` run apart, and `problems` tries what it says of itself."""

    class Apart(kind):  # type: ignore[valid-type,misc]
        __doc__ = kind.__doc__

        async def look(self, around: Surroundings) -> Finding:
            return await _look(kind, self, around, package)

        async def past(self, around: Surroundings, since: float, until: float, step: float) -> Past:
            from runbook.checks.packages.own_thread import Broke, done_apart

            try:
                found = await done_apart(lambda there: kind.past(self, there, since, until, step), around)
                return Past([(float(at), float(value)) for at, value in found.points], str(found.trouble)[:_MOST])
            except (Broke, TimeoutError, TypeError, ValueError, AttributeError) as trouble:
                return Past(trouble=f"{package} broke: {trouble}"[:_MOST])

        def problems(self) -> list[str]:
            return _problems(kind, self, package)

    Apart.__name__ = Apart.__qualname__ = kind.__name__
    return Apart


async def _look(kind: type[Kind], options: Kind, around: Surroundings, package: str) -> Finding:
    from runbook.checks.packages.own_thread import Broke, done_apart

    began = time.monotonic()
    try:
        found = await done_apart(lambda there: kind.look(options, there), around)
    except TimeoutError:
        return unreachable(f"{package} did not end within {show_duration(time.monotonic() - began)}", "timed out")
    except Broke as broke:
        if isinstance(broke.trouble, VariableTrouble):
            return without_value(broke.trouble)
        return unknown(f"{package} broke: {type(broke.trouble).__name__}: {broke.trouble}"[:_MOST])
    return vetted(found, package)


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
    if not _is_value(found.value):
        return unknown(f"{package} gave a value that nothing can be compared with: {_named(found.value)}")
    try:
        return replace(
            found,
            observed=str(found.observed)[:_MOST],
            expected=str(found.expected)[:_MOST],
            message=str(found.message)[:_MOST],
            reason=_reason_of(found),
            values=_only_values(found.values),
            listed=tuple(str(each)[:_MOST] for each in tuple(found.listed)[:_LISTED]),
            at=_seconds(found.at),
            sampled=_seconds(found.sampled),
            units={str(name): str(unit) for name, unit in found.units.items()},
            phases={str(name): float(took) for name, took in found.phases.items()},
            phase=str(found.phase)[:_MOST],
        )
    except (TypeError, ValueError, AttributeError) as trouble:
        return unknown(f"{package} gave a finding that cannot be read: {trouble}"[:_MOST])


def _reason_of(found: Finding) -> Reason | None:
    if isinstance(found.reason, Reason):
        return found.reason
    return Reason.ERROR if found.status is Status.UNKNOWN else None


def _seconds(at: float | None) -> float | None:
    return None if at is None else float(at)


def _only_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in values.items() if _is_value(value)}


def _is_value(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return len(value) <= _LISTED and all(isinstance(each, str | int | float | bool | None) for each in value)
    return isinstance(value, str | int | float | bool | None)


def _named(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
