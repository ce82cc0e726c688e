"""Intervals against published figures and against counting."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.judge.statistics import (
    binomial_interval,
    deviation,
    increase_interval,
    normal_quantile,
    quantile,
    treated_share,
)


def test_wilsons_interval() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81/263, 15/148, 0/20, 1/29 at 95 %.
    rows = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
    for successes, n, low, high in rows:
        assert binomial_interval(successes / n, n, 0.95) == pytest.approx((low, high), abs=5e-5)


@given(st.floats(0, 1), st.integers(1, 10**9))
def test_the_interval_holds_the_share_and_stays_within_0_and_1(share: float, n: int) -> None:
    low, high = binomial_interval(share, n)
    assert 0 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1


def test_the_interval_covers_what_it_promises() -> None:
    # All outcomes of 50 tries at 10 %, weighted by their probability: about 99 % of them hold the true share.
    n, p = 50, 0.1
    covered = 0.0
    for k in range(n + 1):
        low, high = binomial_interval(k / n, n)
        covered += math.comb(n, k) * p**k * (1 - p) ** (n - k) * (low <= p <= high)
    assert covered > 0.98


def test_increase_interval() -> None:
    # Standard errors 2 and 1 around 110 and 100: 0.1 +- 1.96 * sqrt((2/100)^2 + (110 * 1 / 100^2)^2).
    low, high = increase_interval((110, 25, 10), (100, 100, 10))
    reach = 1.959964 * math.sqrt(0.02**2 + 0.011**2)
    assert [low, high] == pytest.approx([0.1 - reach, 0.1 + reach])
    with pytest.raises(ValueError, match="not 0"):
        increase_interval((1, 1, 0), (0, 1, 0))


def test_increase_interval_of_a_tiny_baseline() -> None:
    low, high = increase_interval((2e-200, 5, 1e-201), (1e-200, 5, 1e-201))
    assert low < 1 < high
    assert math.isfinite(low + high)


@given(st.floats(0.01, 1), st.floats(0, 1), st.floats(0, 1))
def test_the_treated_and_the_rest_mix_to_the_whole(share: float, treated: float, baseline: float) -> None:
    whole = share * treated + (1 - share) * baseline
    assert treated_share(whole, share, baseline) == pytest.approx(treated, abs=1e-9)


def test_nobody_treated_has_no_share() -> None:
    with pytest.raises(ValueError, match="nobody"):
        treated_share(0.1, 0, 0.1)


def test_quantiles_deviation_and_normal() -> None:
    assert [quantile([1, 2, 3, 4], share) for share in (0, 0.5, 0.95, 1)] == pytest.approx([1, 2.5, 3.85, 4])
    assert quantile([7], 0.95) == 7
    assert deviation([2, 4, 4, 4, 5, 5, 7, 9]) == pytest.approx(2.13809, abs=1e-5)
    assert normal_quantile(0.95) == pytest.approx(1.959964, abs=1e-6)
    assert normal_quantile(0.99) == pytest.approx(2.575829, abs=1e-6)
