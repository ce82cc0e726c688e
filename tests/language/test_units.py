"""Units: how values are shown, and which go together."""

from __future__ import annotations

from decimal import Decimal

import pytest

from runbook.language.algebra import BARE, UnitError, brought, product_unit, shared_unit
from runbook.language.units import show_apart, show_value


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.026, "ratio", "2.6 %"),
        (1, "ratio", "100 %"),
        (0, "ratio", "0 %"),
        (15, "percent", "15 %"),
        (901, "ms", "901 ms"),
        (5412.4, "ms", "5.41 s"),
        (0.9, "s", "900 ms"),
        (42 * 60, "s", "42 m"),
        (40, "usd", "$40.00"),
        (-1234.5, "usd", "-$1,234.50"),
        (20 * 2**30, "bytes", "20 GiB"),
        (512, "bytes", "512 B"),
        (2**60, "bytes", "1,024 PiB"),
        (4812, "count", "4,812"),
        (0.71, "score", "0.71"),
        (9007199254740993, None, "9,007,199,254,740,993"),
        (1e300, None, "1e+300"),
        (True, None, "true"),
        (None, "ms", "no value"),
        (float("nan"), "ms", "not a number"),
        (float("-inf"), "ms", "-infinite"),
        ("13.4", "version", "13.4"),
    ],
)
def test_values_are_shown_as_operators_read_them(value: float | str | None, unit: str | None, shown: str) -> None:
    assert show_value(value, unit) == shown


def test_values_that_differ_are_shown_different() -> None:
    assert show_apart(0.02004, 0.02, "ratio") == ("2.004 %", "2 %")
    assert show_apart(0.02, 0.02, "ratio") == ("2 %", "2 %")


@pytest.mark.parametrize(
    ("left", "right", "shared"),
    [
        ("ms", "s", "ms"),
        ("ms", BARE, "ms"),
        (BARE, "ratio", "ratio"),
        ("ratio", "percent", "ratio"),
        ("count", "score", "count"),
        (None, "percent", "ratio"),
        (None, "usd", "usd"),
        (None, None, None),
    ],
)
def test_what_can_be_compared(left: str | None, right: str | None, shared: str | None) -> None:
    assert shared_unit(left, right) == shared


@pytest.mark.parametrize(
    ("left", "right"),
    [("ms", "percent"), ("usd", "ratio"), ("bytes", "usd"), ("count", "ms"), (None, "s"), ("shares", BARE)],
)
def test_what_cannot_be_compared(left: str | None, right: str | None) -> None:
    with pytest.raises(UnitError):
        shared_unit(left, right)


@pytest.mark.parametrize(
    ("operator", "left", "right", "unit"),
    [
        ("*", "percent", "usd", "usd"),
        ("*", "usd", BARE, "usd"),
        ("*", BARE, "ms", "ms"),
        ("*", "ratio", "ratio", "ratio"),
        ("/", "usd", "usd", "ratio"),
        ("/", "count", "count", "ratio"),
        ("/", "ms", "s", "ratio"),
        ("/", "ms", BARE, "ms"),
        ("/", "usd", "percent", "usd"),
        ("*", BARE, BARE, BARE),
        ("/", None, None, None),
    ],
)
def test_products(operator: str, left: str | None, right: str | None, unit: str | None) -> None:
    assert product_unit(operator, left, right) == unit


@pytest.mark.parametrize(
    ("operator", "left", "right"), [("*", "ms", "usd"), ("/", "ms", "usd"), ("/", BARE, "ms"), ("*", "version", BARE)]
)
def test_products_without_meaning(operator: str, left: str, right: str) -> None:
    with pytest.raises(UnitError):
        product_unit(operator, left, right)


def test_values_are_brought_exactly() -> None:
    assert brought(Decimal("800"), "ms", "s") == Decimal("0.8")
    assert brought(Decimal("5"), "percent", "ratio") == Decimal("0.05")
    assert brought(Decimal("3000"), BARE, "ms") == Decimal("3000")
