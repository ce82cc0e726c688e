"""Which units go together: one table for the checker, which has only names, and for the judge, which has values.

A unit is a name of `language.units.UNITS`, BARE for a written number without one, TEXT or TRUTH for what is no number,
or None where nothing is known.
"""

from __future__ import annotations

from decimal import Decimal

from runbook.language.units import UNITS, dimension_of

BARE = "bare"
TEXT = "text"
TRUTH = "truth"


class UnitError(ValueError):
    """Two units that have nothing to say to each other."""


def shared_unit(left: str | None, right: str | None) -> str | None:
    """The unit in which both can be added or compared. A bare number takes the other's unit. Raises UnitError.

    A value without a unit is taken at its word beside shares, money and sizes (their base is 1, a dollar, a byte).
    Beside a time it is not: whether 3 means seconds or milliseconds cannot be known.
    """
    if BARE in (left, right):
        unit = right if left == BARE else left
        if dimension_of(unit) == "breakdown":
            raise UnitError
        return unit
    first, second = dimension_of(left), dimension_of(right)
    if first is None or second is None:
        if "time" in (first, second) or "breakdown" in (first, second):
            raise UnitError
        return _base(left if second is None else right)
    if first != second or first == "breakdown":
        raise UnitError
    return left


def product_unit(operator: str, left: str | None, right: str | None) -> str | None:
    """The unit of a product or a quotient. Raises UnitError for what has no meaning, such as ms * usd."""
    first, second = _factor(left), _factor(right)
    if "version" in (first, second) or "breakdown" in (first, second):
        raise UnitError
    if operator == "/" and first == second and first not in ("plain", "unknown"):
        return "ratio"
    if second in ("plain", "unknown"):
        return _counted(operator, left, right) if first in ("plain", "unknown") else left
    if second == "share":
        return "ratio" if first == "share" else left
    if operator == "*" and first in ("plain", "unknown", "share"):
        return right
    raise UnitError


def brought(value: Decimal, unit: str | None, to: str | None) -> Decimal:
    """A value in another unit of the same dimension; a bare one, or one without a unit, is in it already."""
    if unit == to or unit not in UNITS or to not in UNITS:
        return value
    return value * UNITS[unit].factor / UNITS[to].factor


def base_of(value: Decimal, unit: str | None) -> Decimal:
    """A value in the base of its dimension: shares of 1, seconds, dollars, bytes."""
    return value * UNITS[unit].factor if unit in UNITS else value


def _base(unit: str | None) -> str | None:
    return "ratio" if unit == "percent" else unit


def _factor(unit: str | None) -> str:
    dimension = dimension_of(unit)
    if unit == BARE or dimension == "number":
        return "plain"
    return dimension or "unknown"


def _counted(operator: str, left: str | None, right: str | None) -> str | None:
    """Of two plain numbers: counted things divided by counted things are a share."""
    if left == BARE and right == BARE:
        return BARE
    if None in (left, right):
        return None
    if operator == "/" and BARE not in (left, right):
        return "ratio"
    return right if left == BARE else left
