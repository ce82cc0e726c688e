"""The numbers that others are held against: the captured baseline, and what each stage left behind. Pure.

A reference belongs to one rollout: what was captured before it began belongs to the one begun next.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from runbook.judge.facts import Reference, Series
from runbook.judge.statistics import deviation
from runbook.judge.values import problem_of
from runbook.playbook.held_against import BASELINE
from runbook.store.fold import WAYS_DOWN
from runbook.store.state import Captured, State

FEWEST = 10  # samples of a metric, of which a reference may be made

Numbers = dict[str, tuple[float, int, float]]
"""By metric: the mean, the number of samples, and their standard deviation (0 for a single one)."""


def references_of(state: State) -> dict[str, dict[str, Reference]]:
    """What conditions may name behind `@`: the baseline, and the stages that were left in this rollout."""
    stages = {name: one for name, one in state.stages.items() if counts_now(state, one)}
    if state.baseline is not None and counts_now(state, state.baseline):
        stages[BASELINE] = state.baseline
    return {
        name: {metric: Reference(mean, n, spread) for metric, (mean, n, spread) in one.numbers.items()}
        for name, one in stages.items()
    }


def counts_now(state: State, captured: Captured) -> bool:
    """Whether captured numbers are those of this rollout, or of the one begun next.

    Where a way back left us the numbers of the rollout that it ended still count, until they have been reached again:
    else nobody could tell that the service has recovered.
    """
    return of_this_journey(state, captured) or (_is_recovering(state) and journey_of(captured) == state.rollouts)


def of_this_journey(state: State, captured: Captured) -> bool:
    """Whether they were captured in the rollout under way, or before it since the last one."""
    if captured.rollout is not None:
        return captured.rollout == state.rollout
    return state.rollouts - captured.rollouts <= (1 if state.rollout is not None else 0)


def journey_of(captured: Captured) -> int:
    """The number of the rollout that captured numbers belong to."""
    return captured.rollout if captured.rollout is not None else captured.rollouts + 1


def _is_recovering(state: State) -> bool:
    here = state.position
    return state.rollout is None and state.recovered is None and here is not None and here.how in WAYS_DOWN


def numbers_of(series: Mapping[str, Series], since: float) -> Numbers:
    """Mean, n and standard deviation of every metric with numbers since then; nothing of one without any."""
    found = {name: usable(one, since) for name, one in series.items()}
    return {
        name: (math.fsum(numbers) / len(numbers), len(numbers), deviation(numbers) if len(numbers) > 1 else 0.0)
        for name, numbers in found.items()
        if numbers
    }


def usable(series: Series, since: float) -> list[float]:
    """The numbers since then that can be judged; text, truths, errors and missing values are none."""
    return [
        float(sample.value)
        for sample in series.samples
        if sample.t >= since
        and problem_of(sample, series) is None
        and isinstance(sample.value, int | float)
        and not isinstance(sample.value, bool)
    ]


def enough(numbers: Numbers) -> Numbers:
    """Those that rest on samples enough to be a reference."""
    return {name: one for name, one in numbers.items() if one[1] >= FEWEST}
