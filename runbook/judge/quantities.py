"""Values with units: how they are calculated with and compared. Exact, in decimal.

Floats are read as the shortest decimal that stands for them, so that 0.1 + 0.2 is 0.3, 5 % is 0.05, and money is money.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Context, Decimal, DecimalException, localcontext

from runbook.judge.facts import Value
from runbook.judge.verdicts import Reason
from runbook.language.algebra import base_of, brought, product_unit, shared_unit

EXACT = Context(prec=40)
_VERSION = re.compile(r"\D{0,40}?(\d{1,9}(?:\.\d{1,9})*)")
_DOTTED = re.compile(r"v?\d{1,9}(?:\.\d{1,9})+")
_NUMERIC = re.compile(r"[+-]?\d{1,30}(?:\.\d{1,30})?")


class UnmeasuredError(Exception):
    """There is no value to judge; `reason` is nodata or error."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class Quantity:
    """A value and its unit. `n` samples stand behind it, the newest is `age` seconds old; `spread` is their deviation.

    `requests` are what the samples themselves rest on, where the source tells it.
    """

    value: Decimal | str | bool
    unit: str | None = None
    n: int | None = None
    age: float | None = None
    spread: float | None = None
    requests: int | None = None

    @property
    def rests_on(self) -> int | None:
        """What a reader should hear that it rests on: the requests where they are known, else the samples."""
        return self.requests or self.n

    @property
    def number(self) -> Decimal:
        """The value, which must be a number. Raises UnmeasuredError."""
        if isinstance(self.value, Decimal):
            return self.value
        shown = f"the text {short(self.value)!r}" if isinstance(self.value, str) else f"{self.value}".lower()
        raise UnmeasuredError(Reason.ERROR, f"the value is {shown}, not a number")


def short(text: str) -> str:
    """A text cut to what fits into a message."""
    return text if len(text) <= 60 else f"{text[:57]}..."


def decimal_of(value: float | Decimal) -> Decimal:
    """A number as the shortest decimal that stands for it. Raises UnmeasuredError for NaN and the infinities."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise UnmeasuredError(Reason.NODATA, "the value is not a finite number")
        return Decimal(repr(value))
    return value if isinstance(value, Decimal) else Decimal(value)


def quantity_of(value: Value, unit: str | None = None) -> Quantity:
    """A plain value as a quantity. Raises UnmeasuredError for what is none: None, NaN, a list, an object."""
    if value is None:
        raise UnmeasuredError(Reason.NODATA, "there is no value")
    if isinstance(value, bool | str):
        return Quantity(value, unit)
    if isinstance(value, int | float | Decimal):
        return Quantity(decimal_of(value), unit)
    kind = "a list" if isinstance(value, list | tuple) else "an object"
    if isinstance(value, list | tuple | dict) and not value:
        raise UnmeasuredError(Reason.NODATA, f"the value is {kind} with nothing in it")
    raise UnmeasuredError(Reason.ERROR, f"the value is {kind} where one value was meant")


def calculate(operator: str, left: Quantity, right: Quantity) -> Quantity:
    """The sum, difference, product or quotient. Raises UnmeasuredError; also UnitError."""
    a, b = left.number, right.number
    with localcontext(EXACT):
        try:
            if operator in "+-":
                unit = shared_unit(left.unit, right.unit)
                a, b = brought(a, left.unit, unit), brought(b, right.unit, unit)
                value = a + b if operator == "+" else a - b
            else:
                unit = product_unit(operator, left.unit, right.unit)
                value = _product(operator, left, right, unit)
        except DecimalException as error:
            raise UnmeasuredError(Reason.NODATA, "the result is not a finite number (a division by 0?)") from error
    return Quantity(value, unit, fewest(left.n, right.n), oldest(left.age, right.age))


def compare(operator: str, left: Quantity, right: Quantity, written: str = "") -> bool:
    """Whether `left operator right`. `written` is how the right side stands in the condition (13.0 is not 13.00).

    Raises UnmeasuredError for what makes no sense, such as a text that is larger; also UnitError.
    """
    a, b = left.value, right.value
    if isinstance(a, bool) or isinstance(b, bool):
        return _compare_truth(operator, a, b)
    if "version" in (left.unit, right.unit):
        return _ordered(operator, *_padded(version_of(a), version_of(written or b)))
    if isinstance(a, str) and isinstance(b, Decimal):
        return _text_as_version(operator, a, b, written)
    if isinstance(a, str) or isinstance(b, str):
        return _compare_text(operator, a, b)
    unit = shared_unit(left.unit, right.unit)
    with localcontext(EXACT):
        return _ordered(operator, brought(a, left.unit, unit), brought(b, right.unit, unit))


def fewest(*counts: int | None) -> int | None:
    return min((count for count in counts if count is not None), default=None)


def oldest(*ages: float | None) -> float | None:
    return max((age for age in ages if age is not None), default=None)


def version_of(value: Decimal | str | bool) -> tuple[int, ...]:
    """The first dotted number of a text: (13, 4) of `PostgreSQL 13.4 (Debian)`. Raises UnmeasuredError."""
    match = _VERSION.match(str(value))
    if match is None:
        raise UnmeasuredError(Reason.ERROR, f"{short(str(value))!r} is not a version")
    return tuple(int(part) for part in match.group(1).split("."))


def _padded(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    length = max(len(a), len(b))
    return a + (0,) * (length - len(a)), b + (0,) * (length - len(b))


def _product(operator: str, left: Quantity, right: Quantity, unit: str | None) -> Decimal:
    a, b = left.number, right.number
    if operator == "/":
        # Two of one dimension make a share of their bases; else only the divisor goes to its base (10 % is 0.1).
        return base_of(a, left.unit) / base_of(b, right.unit) if unit == "ratio" else a / base_of(b, right.unit)
    if unit == left.unit:
        return a * base_of(b, right.unit)
    return base_of(a, left.unit) * (b if unit == right.unit else base_of(b, right.unit))


def _compare_truth(operator: str, a: Decimal | str | bool, b: Decimal | str | bool) -> bool:
    """Truth with truth; a text may spell it."""
    truths: list[bool] = []
    for value in (a, b):
        word = str(value).strip().lower()
        if isinstance(value, Decimal) or word not in ("true", "false"):
            shown = f"the number {value}" if isinstance(value, Decimal) else f"the text {short(str(value))!r}"
            raise UnmeasuredError(Reason.ERROR, f"true and false cannot be compared with {shown}")
        truths.append(word == "true")
    return _equal(operator, truths[0], truths[1])


def _equal(operator: str, a: object, b: object) -> bool:
    if operator not in ("==", "!="):
        raise UnmeasuredError(Reason.ERROR, f"text and truth have no order: use == or !=, not {operator}")
    return (a == b) is (operator == "==")


def _compare_text(operator: str, a: Decimal | str, b: Decimal | str) -> bool:
    if not isinstance(a, str) or not isinstance(b, str):
        text, number = (a, b) if isinstance(a, str) else (b, a)
        raise UnmeasuredError(
            Reason.ERROR, f"a number ({number}) cannot be compared with the text {short(str(text))!r}"
        )
    return _equal(operator, a, b)


def _text_as_version(operator: str, text: str, number: Decimal, written: str) -> bool:
    """A text beside a number: a version where both look like one, and no other reading says something else."""
    stripped = text.strip()
    if "." not in written or not _DOTTED.match(stripped) or not _NUMERIC.fullmatch(written):
        raise UnmeasuredError(Reason.ERROR, f"the value is the text {short(text)!r}, not a number")
    answer = _ordered(operator, *_padded(version_of(stripped), version_of(written)))
    if _NUMERIC.fullmatch(stripped) and _ordered(operator, Decimal(stripped), number) is not answer:
        raise UnmeasuredError(
            Reason.ERROR, f"{short(text)!r} may be a number or a version, which differ here: give the unit"
        )
    return answer


def _ordered(operator: str, a: Decimal | tuple[int, ...], b: Decimal | tuple[int, ...]) -> bool:
    # Every Decimal that comes here is finite, so < and == together leave nothing open.
    less, equal = a < b, a == b  # type: ignore[operator]
    return {
        "<": less,
        "<=": less or equal,
        "==": equal,
        "!=": not equal,
        ">=": not less,
        ">": not (less or equal),
    }[operator]
