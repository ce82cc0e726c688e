"""Single comparisons judged: with a limit, with a reference, with the percentage."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import msgspec

from runbook.judge.dilution import treated_interval
from runbook.judge.quantities import Quantity, UnmeasuredError, compare, fewest, oldest
from runbook.judge.statistics import binomial_interval, increase_interval
from runbook.judge.values import Values
from runbook.judge.verdicts import Judged, Reason, Truth
from runbook.language.algebra import BARE, UnitError, brought, shared_unit
from runbook.language.syntax import Comparison, Increase, Matches, Name, Node, Number, Treated
from runbook.language.units import dimension_of, plain_number, show_apart, show_value

TRUTH_OF = {True: Truth.TRUE, False: Truth.FALSE}


def compared(clause: Comparison, values: Values) -> Judged:
    """A comparison. Raises UnmeasuredError, and UnitError.

    What the treated see is shown with its interval at 95 % where both sides of it rest on more than one sample. Below
    the smallest number of samples it is unknown while the limit lies within the interval, as with an increase.
    """
    around = _treated_around(clause.left, values)
    left = values.of(clause.left) if around is None else around.value
    right = values.of(clause.right)
    if around is not None:
        _refuse_open(around, right)
    written = clause.right.text if isinstance(clause.right, Number) else ""
    truth = compare(clause.operator, left, right, written)
    observed, limit = _shown(left, right, written)
    return Judged(
        TRUTH_OF[truth],
        observed=observed if around is None else f"{observed} ({_shown_ends(around)})",
        limit=f"{clause.operator} {limit}",
        value=_plain(left),
        n=fewest(left.rests_on, right.rests_on),
        age=oldest(left.age, right.age),
    )


def increased(clause: Increase, values: Values) -> Judged:
    """By how much a metric grew against a reference, with the interval at 95 %. Raises UnmeasuredError.

    Below the smallest number of samples it is unknown while the interval straddles the limit; outside of it the answer
    is plain already.
    """
    metric = clause.of.name if isinstance(clause.of, Name) else clause.of.metric.name
    series = values.facts.series.get(metric)
    required = values.required(series) if series else 1
    now = replace(values, minimum=0).of(clause.of)
    reference = values.reference(clause.versus, metric)
    limit = _share_of(values.of(clause.limit))
    if reference.number == 0:
        message = f"the {clause.versus} of {metric} is 0: an increase against it has no meaning, compare with a limit"
        raise UnmeasuredError(Reason.NODATA, message)
    change = float(now.number / reference.number) - 1
    low, high = increase_interval(_spread(now, reference), _spread(reference, reference))
    seen = values.seen(clause.of)
    if seen < required and low <= float(limit) <= high:
        raise UnmeasuredError(
            Reason.NODATA, f"{metric} has {seen} of {required} samples, and {_range(low, high)} is open"
        )
    holds = compare(clause.operator, Quantity(Decimal(repr(change)), "ratio"), Quantity(limit, "ratio"))
    unit = reference.unit
    return Judged(
        TRUTH_OF[holds],
        observed=f"{_signed(change)} % ({_range(low, high)})",
        limit=f"{clause.operator} {show_value(limit, 'ratio')}",
        message=f"{clause.versus} {show_value(reference.number, unit)}, n {reference.n or 1:,}",
        value=change,
        n=now.n or 1,
        age=now.age,
    )


def matched(clause: Matches, values: Values) -> Judged:
    """Whether a share agrees with the percentage: within the tolerance, else within the share's own interval at 99 %.

    The interval rests on the requests behind the newest sample, or behind all samples of a mean, where the source tells
    them for each; else on the number of samples.
    """
    now = values.of(clause.of)
    if values.facts.percent is None:
        raise UnmeasuredError(Reason.NODATA, "the percentage is not known")
    wanted = Decimal(repr(float(values.facts.percent))) / 100
    share = _share_of(now)
    n = now.n or 1 if now.requests is None else now.requests
    if n < 1:
        raise UnmeasuredError(Reason.NODATA, "the share rests on no requests yet")
    if clause.tolerance is not None:
        tolerance = _share_of(values.of(clause.tolerance))
        holds, around = abs(share - wanted) <= tolerance, f"+- {show_value(tolerance, 'ratio')}"
    else:
        low, high = binomial_interval(min(1.0, max(0.0, float(share))), n)
        holds = low - 1e-12 <= float(wanted) <= high + 1e-12
        around = f"({_ends(low * 100, high * 100)})"
    observed = show_value(share, "ratio")
    within = clause.tolerance is not None
    return Judged(
        TRUTH_OF[holds],
        observed=observed if within else f"{observed} {around}",
        limit=f"matches {show_value(wanted, 'ratio')}" + (f" {around}" if within else ""),
        value=float(share),
        n=n,
        age=now.age,
    )


class _Around(msgspec.Struct, frozen=True):
    """What the treated see of a metric, its interval in the same unit, and of how many samples how many are there."""

    value: Quantity
    low: float
    high: float
    metric: str
    seen: int
    required: int


def _treated_around(node: Node, values: Values) -> _Around | None:
    """None for what is no `treated(...)`, or has no interval. Raises UnmeasuredError."""
    if not isinstance(node, Treated):
        return None
    metric = node.of.name if isinstance(node.of, Name) else node.of.metric.name
    series, percent = values.facts.series.get(metric), values.facts.percent
    if series is None or series.covers == "treated" or not percent:
        return None
    relaxed = replace(values, minimum=0)
    whole, baseline = relaxed.of(node.of), values.reference("baseline", metric)
    if whole.spread is None or (whole.n or 1) < 2 or (baseline.n or 1) < 2:
        return None
    low, high = treated_interval(_spread(whole, baseline), percent / 100, _spread(baseline, baseline))
    return _Around(relaxed.of(node), low, high, metric, values.seen(node.of), values.required(series))


def _refuse_open(around: _Around, limit: Quantity) -> None:
    """Raises UnmeasuredError while samples are few and the limit lies within the interval; also UnitError."""
    unit = shared_unit(around.value.unit, limit.unit)
    at = float(brought(limit.number, limit.unit, unit))
    low, high = (float(brought(Decimal(repr(end)), around.value.unit, unit)) for end in (around.low, around.high))
    if around.seen < around.required and low <= at <= high:
        message = f"{around.metric} has {around.seen} of {around.required} samples, and {_shown_ends(around)} is open"
        raise UnmeasuredError(Reason.NODATA, message)


def _shown_ends(around: _Around) -> str:
    """`0.8..1.7 %`, `850 ms..1.2 s`."""
    unit = around.value.unit
    if dimension_of(unit) == "share":
        factor = 100 if unit == "ratio" else 1
        return f"{_ends(around.low * factor, around.high * factor)} %"
    return f"{show_value(around.low, unit)}..{show_value(around.high, unit)}"


def _ends(low: float, high: float) -> str:
    """Both ends of an interval with as many decimals each: `8.9..10.6`; with more where they would look the same."""
    largest = max(abs(low), abs(high))
    first = 1 if largest >= 1 or largest == 0 else 1 - Decimal(repr(largest)).adjusted()
    for decimals in range(first, first + 6):
        shown = f"{low:.{decimals}f}", f"{high:.{decimals}f}"
        if shown[0] != shown[1] or low == high:
            break
    return "..".join("0" if float(end) == 0 else end.removesuffix(".0") for end in shown)


def _shown(left: Quantity, right: Quantity, written: str) -> tuple[str, str]:
    if isinstance(left.value, Decimal) and isinstance(right.value, Decimal) and left.unit != "version":
        unit = shared_unit(left.unit, right.unit)
        unit = None if unit == BARE else unit
        return show_apart(brought(left.value, left.unit, unit), brought(right.value, right.unit, unit), unit)
    return show_value(left.value, None), written or show_value(right.value, None)


def _plain(quantity: Quantity) -> float | str:
    if isinstance(quantity.value, Decimal):
        return float(quantity.value)
    return str(quantity.value).lower() if isinstance(quantity.value, bool) else quantity.value


def _share_of(quantity: Quantity) -> Decimal:
    """A share of 1; a bare number is one already. Raises UnitError."""
    unit = shared_unit("ratio", quantity.unit)
    if unit != "ratio":
        raise UnitError
    return brought(quantity.number, quantity.unit, "ratio")


def _spread(quantity: Quantity, reference: Quantity) -> tuple[float, int, float]:
    """Mean, n and deviation; a single sample is taken to vary as the reference does."""
    spread = quantity.spread if quantity.spread is not None else reference.spread
    return float(quantity.number), max(1, quantity.n or 1), spread or 0.0


def _signed(share: float) -> str:
    text = plain_number(Decimal(repr(round(share * 100, 9))), 2)
    return text if text.startswith("-") else f"+{text}"


def _range(low: float, high: float) -> str:
    shown = [plain_number(Decimal(repr(round(end * 100, 9))), 2) for end in (low, high)]
    return f"{shown[0]}..{shown[1]} %"
