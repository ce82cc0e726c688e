"""Single comparisons judged: with a limit, with a reference, with the percentage."""

from __future__ import annotations

from decimal import Decimal

from runbook.judge.quantities import Quantity, UnmeasuredError, compare, fewest, oldest
from runbook.judge.statistics import binomial_interval, increase_interval
from runbook.judge.values import Values
from runbook.judge.verdicts import Judged, Reason, Truth
from runbook.language.algebra import BARE, UnitError, brought, shared_unit
from runbook.language.syntax import Comparison, Increase, Matches, Name, Number
from runbook.language.units import plain_number, show_apart, show_value

TRUTH_OF = {True: Truth.TRUE, False: Truth.FALSE}


def compared(clause: Comparison, values: Values) -> Judged:
    """A comparison. Raises UnmeasuredError, and UnitError."""
    left, right = values.of(clause.left), values.of(clause.right)
    written = clause.right.text if isinstance(clause.right, Number) else ""
    truth = compare(clause.operator, left, right, written)
    observed, limit = _shown(left, right, written)
    return Judged(
        TRUTH_OF[truth],
        observed=observed,
        limit=f"{clause.operator} {limit}",
        value=_plain(left),
        n=fewest(left.n, right.n),
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
    now = Values(values.facts, values.horizon, 0, values.mean_since).of(clause.of)
    reference = values.reference(clause.versus, metric)
    limit = _share_of(values.of(clause.limit))
    if reference.number == 0:
        message = f"the {clause.versus} of {metric} is 0: an increase against it has no meaning, compare with a limit"
        raise UnmeasuredError(Reason.NODATA, message)
    change = float(now.number / reference.number) - 1
    low, high = increase_interval(_spread(now, reference), _spread(reference, reference))
    n, needed = now.n or 1, required
    if n < needed and low <= float(limit) <= high:
        raise UnmeasuredError(Reason.NODATA, f"{metric} has {n} of {needed} samples, and {_range(low, high)} is open")
    holds = compare(clause.operator, Quantity(Decimal(repr(change)), "ratio"), Quantity(limit, "ratio"))
    unit = reference.unit
    return Judged(
        TRUTH_OF[holds],
        observed=f"{_signed(change)} % ({_range(low, high)})",
        limit=f"{clause.operator} {show_value(limit, 'ratio')}",
        message=f"{clause.versus} {show_value(reference.number, unit)}, n {reference.n or 1:,}",
        value=change,
        n=n,
        age=now.age,
    )


def matched(clause: Matches, values: Values) -> Judged:
    """Whether a share agrees with the percentage: within the tolerance, else within the share's own interval at 99 %.

    The interval rests on the requests behind the samples where the source tells them, else on the samples.
    """
    now = values.of(clause.of)
    if values.facts.percent is None:
        raise UnmeasuredError(Reason.NODATA, "the percentage is not known")
    wanted = Decimal(repr(float(values.facts.percent))) / 100
    share = _share_of(now)
    if clause.tolerance is not None:
        tolerance = _share_of(values.of(clause.tolerance))
        holds, around = abs(share - wanted) <= tolerance, f"+- {show_value(tolerance, 'ratio')}"
    else:
        low, high = binomial_interval(min(1.0, max(0.0, float(share))), now.requests or now.n or 1)
        holds = low - 1e-12 <= float(wanted) <= high + 1e-12
        around = f"({plain_number(Decimal(repr(low * 100)))}..{plain_number(Decimal(repr(high * 100)))})"
    observed = show_value(share, "ratio")
    within = clause.tolerance is not None
    return Judged(
        TRUTH_OF[holds],
        observed=observed if within else f"{observed} {around}",
        limit=f"matches {show_value(wanted, 'ratio')}" + (f" {around}" if within else ""),
        value=float(share),
        n=now.requests or now.n,
        age=now.age,
    )


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
