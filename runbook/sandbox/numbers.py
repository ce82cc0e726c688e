"""The numbers of a practice service: they follow from its flags, its percentage, its faults, and a seed."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from runbook.sandbox.definition import Definition, Effect, Flag, Metric, Value
from runbook.sandbox.faults import Faults
from runbook.sandbox.trouble import SandboxTrouble

_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off", "")


@dataclass(frozen=True)
class Moment:
    """What the numbers follow from: `uptime` in seconds, `turn` counts the requests that moved the jitter on."""

    flags: Mapping[str, Value]
    percent: float
    uptime: float
    turn: int
    faults: Faults


def read_flags(definition: Definition, variables: Mapping[str, str]) -> dict[str, Value]:
    """The service's flags out of its env file. Raises SandboxTrouble where it would not start with such a value."""
    return {
        name: _typed(flag, variables[name]) if name in variables else flag.default
        for name, flag in definition.flags.items()
    }


def percentage(definition: Definition, flags: Mapping[str, Value]) -> float:
    """The percentage that the flags say, 0 to 100; 100 where the service has none."""
    if definition.percent is None:
        return 100.0
    written = float(flags[definition.percent]) * (100 if definition.fraction else 1)
    return min(100.0, max(0.0, written))


def numbers(definition: Definition, moment: Moment) -> dict[str, float]:
    """Every metric at this moment. The same moment gives the same numbers."""
    found: dict[str, float] = {}
    for metric in definition.metrics.values():
        forced = moment.faults.numbers.get(metric.name)
        found[metric.name] = _number(metric, definition.seed, moment, found) if forced is None else forced
    return found


def falls_on(turn: int, share: float) -> bool:
    """Whether this turn is one of the `share` (0..1) that something happens to: evenly spread, the same each time."""
    return math.floor((turn + 1) * share) > math.floor(turn * share)


def _number(metric: Metric, seed: int, moment: Moment, earlier: Mapping[str, float]) -> float:
    value = metric.base + sum(_term(effect, moment, earlier) for effect in metric.effects)
    # CRC-32 as a cheap hash: the same on every machine and Python, which `hash` is not.
    spread = zlib.crc32(f"{seed}:{metric.name}:{moment.turn}".encode()) / 0xFFFFFFFF * 2 - 1
    value *= 1 + metric.jitter * spread
    if metric.lowest is not None:
        value = max(metric.lowest, value)
    if metric.highest is not None:
        value = min(metric.highest, value)
    return value if metric.digits is None else round(value, metric.digits or None)


def _term(effect: Effect, moment: Moment, earlier: Mapping[str, float]) -> float:
    term = effect.add
    if effect.flag is not None:
        term *= _factor(moment.flags[effect.flag], effect.is_)
    if effect.metric is not None:
        term *= earlier[effect.metric]
    if effect.fault is not None:
        term *= moment.faults.latency
    term *= moment.percent if effect.percent else 1
    term *= moment.uptime if effect.second else 1
    return term * (moment.percent / 100 if effect.treated else 1)


def _factor(value: Value, wanted: Value | None) -> float:
    if wanted is not None:
        return 1.0 if value == wanted else 0.0
    return float(value) if not isinstance(value, str) else 1.0


def _typed(flag: Flag, written: str) -> Value:
    if flag.type == "text":
        return written
    if flag.type == "truth":
        word = written.strip().lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        raise SandboxTrouble(f"{flag.name} is {written!r}, which is neither true nor false", "set it in the env file")
    try:
        number = int(written) if flag.type == "integer" or written.strip().isdecimal() else float(written)
    except ValueError:
        raise SandboxTrouble(f"{flag.name} is {written!r}, which is no number", "set it in the env file") from None
    if not math.isfinite(number):
        raise SandboxTrouble(f"{flag.name} is {written!r}, which is no number", "set it in the env file")
    return number
