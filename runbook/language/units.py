"""Units: which there are, which can be compared, and how a value is shown to an operator."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

Amount = Decimal | float | int


@dataclass(frozen=True)
class Unit:
    """A unit. Units of one `dimension` can be compared; `factor` times a value gives it in the dimension's base."""

    name: str
    dimension: str
    factor: Decimal = Decimal(1)
    example: str = "a number: 5"


UNITS: dict[str, Unit] = {
    unit.name: unit
    for unit in (
        Unit("ratio", "share", Decimal(1), "a share: 2%"),
        Unit("percent", "share", Decimal("0.01"), "a share: 2%"),
        Unit("ms", "time", Decimal("0.001"), "a time: 3s, 800ms"),
        Unit("s", "time", Decimal(1), "a time: 3s, 800ms"),
        Unit("usd", "money", Decimal(1), "an amount: $40"),
        Unit("bytes", "bytes", Decimal(1), "a size: 20GiB"),
        Unit("count", "number"),
        Unit("score", "number"),
        Unit("version", "version", Decimal(1), "a version: 13.0"),
        Unit("shares", "breakdown", Decimal(1), ""),
    )
}


def dimension_of(unit: str | None) -> str | None:
    """What a unit measures: share, time, money, bytes, number, version or breakdown; None for no unit."""
    return UNITS[unit].dimension if unit in UNITS else None


def show_value(value: Amount | str | bool | None, unit: str | None, digits: int = 3) -> str:
    """A value as an operator reads it: `2.6 %`, `901 ms`, `5.4 s`, `$40.00`, `20 GiB`, `4,812`, `true`.

    Rounded to `digits` significant digits, but never in front of the decimal point. A list or anything else that is
    no number is shown as it is.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "no value"
    if isinstance(value, str):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return "not a number" if math.isnan(value) else f"{'-' if value < 0 else ''}infinite"
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    dimension = dimension_of(unit)
    if unit is None or dimension is None or dimension in ("number", "version", "breakdown"):
        return plain_number(number, max(digits, 4))
    base = number * UNITS[unit].factor
    if dimension == "share":
        return f"{plain_number(base * 100, digits)} %"
    if dimension == "money":
        return _money(base, digits)
    return _time(base, digits) if dimension == "time" else _size(base, digits)


def show_apart(value: Amount, limit: Amount, unit: str | None) -> tuple[str, str]:
    """Both values shown, with as many digits as it takes to tell them apart where they differ."""
    for digits in (3, 4, 6, 9, 15):
        shown = show_value(value, unit, digits), show_value(limit, unit, digits)
        if shown[0] != shown[1] or value == limit:
            break
    return shown


def plain_number(number: Decimal, digits: int = 3) -> str:
    """A number with thousands separated, rounded to `digits` significant digits behind the decimal point at most."""
    if number == 0:
        return "0"
    if abs(number) >= Decimal("1e18") or abs(number) < Decimal("1e-9"):
        return f"{number:.{digits}g}"
    decimals = max(0, digits - 1 - number.adjusted())
    text = f"{number:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _money(dollars: Decimal, digits: int) -> str:
    sign = "-" if dollars < 0 else ""
    return f"{sign}${abs(dollars):,.{2 if digits <= 3 else digits}f}"


def _time(seconds: Decimal, digits: int) -> str:
    if abs(seconds) < 1:
        return f"{plain_number(seconds * 1000, digits)} ms"
    if abs(seconds) < 600:
        return f"{plain_number(seconds, digits)} s"
    if abs(seconds) < 36_000:
        return f"{plain_number(seconds / 60, digits)} m"
    return f"{plain_number(seconds / 3600, digits)} h"


def _size(size: Decimal, digits: int) -> str:
    for suffix in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(size) < 1024:
            return f"{plain_number(size, digits)} {suffix}"
        size /= 1024
    return f"{plain_number(size, digits)} PiB"
