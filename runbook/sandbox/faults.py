"""The faults of a practice service: what may be typed, what it means, and the file that keeps it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.sandbox.record import write_private
from runbook.sandbox.trouble import SandboxTrouble

if TYPE_CHECKING:
    from runbook.sandbox.definition import Definition

FILE = "faults.json"
_PLAIN = ("down", "garbage", "stale", "none")
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)(%|ms|s|m)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}


@dataclass(frozen=True)
class Faults:
    """What is wrong with the service at the moment.

    `numbers` holds metrics that are forced to a value; `latency` is in seconds; `down` and `garbage` are paths, `*`
    being all of them; `stale` is since when (seconds since the epoch) the numbers stand still, None when they do not;
    `version` is what it tells as its build instead of its own, as after a deploy by somebody else.
    `typed` keeps each fault as it was typed, by its name.
    """

    numbers: Mapping[str, float] = field(default_factory=dict)
    latency: float = 0.0
    down: tuple[str, ...] = ()
    garbage: tuple[str, ...] = ()
    stale: float | None = None
    version: str | None = None
    typed: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join(self.typed.values()) or "none"

    def joined(self, text: str, definition: Definition, now: float) -> Faults:
        """These faults and those in `text` (several with blanks between). Raises SandboxTrouble for an unknown one."""
        words = text.split()
        if not words:
            raise SandboxTrouble("no fault was named", f"one of: {', '.join(known(definition))}")
        faults = self
        for word in words:
            faults = _one_more(faults, word, definition, now)
        return faults

    def hits(self, places: Iterable[str], path: str) -> bool:
        """Whether a fault on `places` is one of `path`."""
        return any(place in ("*", path) for place in places)


def known(definition: Definition) -> list[str]:
    """Every fault that this service can have, with an example of its value."""
    return [f"{name}=VALUE" for name in definition.metrics] + [
        "latency=4s",
        "version=2.5.0",
        "down[=PATH]",
        "garbage[=PATH]",
        "stale",
        "none",
    ]


def kept(folder: Path) -> Faults:
    """The faults kept in a sandbox's folder; none where the file is missing or damaged."""
    try:
        plain = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return Faults(**{**plain, "down": tuple(plain["down"]), "garbage": tuple(plain["garbage"])})
    except (OSError, ValueError, TypeError, KeyError):
        return Faults()


def keep(folder: Path, faults: Faults) -> None:
    write_private(folder / FILE, json.dumps(asdict(faults)))


def _one_more(faults: Faults, word: str, definition: Definition, now: float) -> Faults:
    name, given, value = word.partition("=")
    if name == "none" and not given:
        return Faults()
    faults = replace(faults, typed={**faults.typed, name: word})
    if name == "down":
        return replace(faults, down=(_path(value, definition) if given else "*",))
    if name == "garbage":
        return replace(faults, garbage=(_path(value, definition) if given else "*",))
    if name == "stale" and not given:
        return replace(faults, stale=now if faults.stale is None else faults.stale)
    if name == "latency" and given:
        return replace(faults, latency=_seconds(value, word))
    if name == "version" and given:
        return replace(faults, version=_build(value))
    if name in definition.metrics and given:
        return replace(faults, numbers={**faults.numbers, name: _number(value, definition.metrics[name].unit, word)})
    raise _unknown(word, definition)


def _path(value: str, definition: Definition) -> str:
    paths = sorted({endpoint.path for endpoint in definition.endpoints})
    if value not in paths:
        raise SandboxTrouble(f"the service has no path {value!r}", f"it has {', '.join(paths)}")
    return value


def _build(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9._+-]{1,64}", value) is None:
        raise SandboxTrouble(f"{value!r} is no version", "write version=2.5.0")
    return value


def _seconds(value: str, word: str) -> float:
    amount = _AMOUNT.fullmatch(value)
    if amount is None or amount[2] not in _SECONDS:
        raise SandboxTrouble(f"{word!r} is not a time", "write latency=4s or latency=800ms")
    return float(amount[1]) * _SECONDS[amount[2]]


def _number(value: str, unit: str, word: str) -> float:
    amount = _AMOUNT.fullmatch(value)
    if amount is None:
        raise SandboxTrouble(f"{word!r} gives no number", "write error_rate=8%, p95_latency=4s, score=0.2")
    number, written = float(amount[1]), amount[2]
    if written == "%" and unit in ("ratio", "percent"):
        return number / 100 if unit == "ratio" else number
    if written in _SECONDS and unit in ("ms", "s"):
        return number * _SECONDS[written] * (1000 if unit == "ms" else 1)
    if written is None:
        return number
    raise SandboxTrouble(f"{word!r} does not fit: the metric is in {unit or 'plain numbers'}", "leave the unit out")


def _unknown(word: str, definition: Definition) -> SandboxTrouble:
    name = word.partition("=")[0]
    names = [*definition.metrics, "latency", "version", *_PLAIN]
    if name in names:
        shown = next(fault for fault in known(definition) if re.match(rf"{re.escape(name)}(\W|$)", fault))
        return SandboxTrouble(f"{word!r} is not how this fault is written", f"write {shown}")
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    near = f"did you mean {close[0]}? " if close else ""
    return SandboxTrouble(f"unknown fault {word!r}", f"{near}known: {', '.join(known(definition))}")
