"""The intervals that stand beside what was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence


def binomial_interval(share: float, n: int, confidence: float = 0.99) -> tuple[float, float]:
    """The interval of a share that was observed among `n`, both from 0 to 1.

    Wilson's score interval (E. B. Wilson, JASA 22, 1927): unlike the textbook one it stays within 0..1 and keeps its
    promise for small `n` and for shares near 0 and 1. Raises ValueError where `n` is not positive.
    """
    if n < 1:
        raise ValueError("an interval needs at least one observation")
    z = normal_quantile(confidence)
    weight = 1 + z * z / n
    middle = (share + z * z / (2 * n)) / weight
    reach = z / weight * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def increase_interval(
    now: tuple[float, int, float], reference: tuple[float, int, float], confidence: float = 0.95
) -> tuple[float, float]:
    """The interval of `now / reference - 1`, each given as mean, n and standard deviation.

    The delta method for a ratio of two independent means, var(a/b) = var(a)/b^2 + a^2 var(b)/b^4, with the normal
    quantile. Raises ValueError where the reference's mean is 0 or an n is not positive.
    """
    (a, n_a, spread_a), (b, n_b, spread_b) = now, reference
    if b == 0 or n_a < 1 or n_b < 1:
        raise ValueError("an increase needs a reference that is not 0, and observations on both sides")
    z = normal_quantile(confidence)
    # Divided step by step: b^4 would vanish for a small baseline.
    relative = math.hypot(spread_a / b / math.sqrt(n_a), a / b * (spread_b / b) / math.sqrt(n_b))
    return a / b - 1 - z * relative, a / b - 1 + z * relative


def treated_share(whole: float, share: float, baseline: float) -> float:
    """What the treated part sees, when `share` of the traffic is treated (0 < share <= 1) and the rest is as before.

    From whole = share * treated + (1 - share) * baseline. Raises ValueError where nobody is treated.
    """
    if not 0 < share <= 1:
        raise ValueError("nobody is treated")
    return (whole - (1 - share) * baseline) / share


def normal_quantile(confidence: float) -> float:
    """How many standard deviations to either side hold `confidence` of a normal distribution: 1.96 for 0.95."""
    from statistics import NormalDist  # 8 ms of imports that `status` need not pay

    return NormalDist().inv_cdf((1 + confidence) / 2)


def deviation(numbers: Sequence[float]) -> float:
    """The standard deviation of a sample of at least two numbers (divided by n - 1)."""
    mean = math.fsum(numbers) / len(numbers)
    return math.sqrt(math.fsum((number - mean) ** 2 for number in numbers) / (len(numbers) - 1))


def quantile(ordered: list[float], share: float) -> float:
    """The quantile of sorted values by linear interpolation between the two nearest (R's type 7)."""
    position = share * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)
