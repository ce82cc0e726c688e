"""Dilution: while only a share of the traffic is treated, the whole service's number hides most of the harm.

With a share p treated and the rest as the baseline b, the whole is m = p * t + (1 - p) * b, t being what the treated
see. So a limit on m is a limit of (limit - (1 - p) * b) / p on t: at 10 % and with a baseline of 0.5 %, a limit of 2 %
lets 15.5 % through.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from runbook.judge.facts import Facts, Series
from runbook.judge.quantities import UnmeasuredError, decimal_of
from runbook.judge.statistics import normal_quantile, treated_share
from runbook.judge.values import LARGEST_SKEW, Values
from runbook.language.algebra import UnitError, base_of, brought, shared_unit
from runbook.language.conditions import Condition
from runbook.language.syntax import Clause, Comparison, Held, Joined, Name, Node, Treated, Window, walk
from runbook.language.units import dimension_of, show_value

_TURNED = {">": "<", ">=": "<="}
_DILUTED_WINDOWS = ("avg", "last")
Measured = tuple[float, int, float]
"""A mean, the number of values it was taken from, and their standard deviation."""


class Diluted(msgspec.Struct, frozen=True):
    """A limit on a metric of the whole traffic, of which `share` is treated. All are shares of 1."""

    metric: str
    limit: float
    baseline: float
    share: float

    @property
    def lets_through(self) -> float:
        """What the treated may see while the limit still holds, at most 1; below 0 it cannot hold."""
        # Rounded, so that a limit of exactly what the rest sees comes out as 0 and not as a hair below.
        return min(1.0, round(treated_share(self.limit, self.share, self.baseline), 12))


def lets_through(condition: Condition, facts: Facts) -> tuple[str, float] | None:
    """The metric by which a gate lets most through among the treated, and how much: a share from 0 to 1.

    None where a gate dilutes nothing (see `diluted`), and where it could not hold even if the treated saw none.
    """
    found = [(one.metric, one.lets_through) for one in diluted(condition, facts)]
    return max((one for one in found if one[1] >= 0), key=lambda one: one[1], default=None)


def diluted(condition: Condition, facts: Facts) -> tuple[Diluted, ...]:
    """The limits in a gate that see the treated only through the whole, the tightest of each metric.

    These are `metric < limit` and `<=`, bare, by `avg` or `last`, alone or joined by `and`; of a metric that is a share
    and covers all traffic; while some of the traffic is treated and some is not; where a baseline was captured. A gate
    that also asks for `treated(metric)` sees for itself.
    """
    if facts.percent is None or not 0 < facts.percent < 100:
        return ()
    tightest: dict[str, Diluted] = {}
    for clause in _comparisons(condition.root):
        one = _diluted(clause, facts)
        if one is not None and (one.metric not in tightest or one.limit < tightest[one.metric].limit):
            tightest[one.metric] = one
    seen = {_metric_of(clause.left) for clause in _comparisons(condition.root) if isinstance(clause.left, Treated)}
    return tuple(one for metric, one in tightest.items() if metric not in seen)


def dilution_sentence(highest: float, percent: float) -> str:
    """What a gate lets through: `highest` as a share of 1 among the treated, at `percent` of the traffic."""
    traffic = show_value(float(percent), "percent")
    return f"lets up to {show_value(highest, 'ratio')} through among the treated ({traffic} of the traffic)"


def sees_doubling(limit: float, baseline: float, share: float) -> bool:
    """Whether a limit on the whole is crossed when the treated `share` sees twice the baseline.

    The whole is then share * 2 * baseline + (1 - share) * baseline. All are of one unit, `share` from 0 to 1.
    """
    return limit < baseline * (1 + share)


def treated_interval(
    whole: Measured, share: float, baseline: Measured, confidence: float = 0.95
) -> tuple[float, float]:
    """The interval of what the treated see, (m - (1 - share) * b) / share.

    A linear combination of two independent means, var(x*m + y*b) = x^2 var(m) + y^2 var(b), each mean varying by its
    deviation over the root of its n, with the normal quantile. Raises ValueError where nobody is treated or an n is not
    positive.
    """
    (m, n, spread), (b, n_b, spread_b) = whole, baseline
    if n < 1 or n_b < 1:
        raise ValueError("an interval needs observations on both sides")
    middle = treated_share(m, share, b)
    reach = normal_quantile(confidence) * math.hypot(
        spread / math.sqrt(n) / share, spread_b / math.sqrt(n_b) * (1 - share) / share
    )
    return middle - reach, middle + reach


def _joined_by_and(clause: Clause) -> Iterator[Comparison]:
    """The comparisons that must all hold for the clause to hold, those under a `for` among them."""
    if isinstance(clause, Joined) and clause.every:
        for part in clause.parts:
            yield from _joined_by_and(part)
    elif isinstance(clause, Held):
        yield from _joined_by_and(clause.of)
    elif isinstance(clause, Comparison):
        yield clause


def _comparisons(clause: Clause) -> Iterator[Comparison]:
    """The same, each with the metric on its left: `2% > m` is `m < 2%`."""
    for found in _joined_by_and(clause):
        if found.operator in _TURNED:
            yield Comparison(found.start, found.width, _TURNED[found.operator], found.right, found.left)
        elif found.operator in _TURNED.values():
            yield found


def _metric_of(node: Node) -> str:
    """The metric that a name, `avg`, `last` or `treated` of it stands for; empty for anything else."""
    if isinstance(node, Treated):
        return _metric_of(node.of)
    if isinstance(node, Window) and node.function in _DILUTED_WINDOWS:
        return node.metric.name
    return node.name if isinstance(node, Name) and node.reference is None else ""


def _diluted(clause: Comparison, facts: Facts) -> Diluted | None:
    metric = "" if isinstance(clause.left, Treated) else _metric_of(clause.left)
    series, baseline = facts.series.get(metric), facts.references.get("baseline", {}).get(metric)
    if series is None or baseline is None or series.covers != "all" or dimension_of(series.unit) != "share":
        return None
    limit = _limit(clause.right, series, facts)
    if limit is None or facts.percent is None:
        return None
    before = float(base_of(decimal_of(baseline.mean), series.unit))
    return Diluted(metric, limit, before, facts.percent / 100)


def _limit(node: Node, series: Series, facts: Facts) -> float | None:
    """The limit as a share of 1; None where it moves with what is measured."""
    if any(isinstance(part, Name) and part.reference is None and part.name in facts.series for part in walk(node)):
        return None
    try:
        limit = Values(facts, facts.now + LARGEST_SKEW).of(node)
        unit = shared_unit(series.unit, limit.unit)
        return float(base_of(brought(limit.number, limit.unit, unit), unit))
    except (UnmeasuredError, UnitError):
        return None
