"""What is known when something is judged: samples, references, what checks said, and the clock.

Times are seconds since the epoch; durations are seconds.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runbook.judge.verdicts import Truth

Value = float | str | bool | None


@dataclass(frozen=True)
class Sample:
    """One value at one time. None without `error` is *no data*, and so are NaN and the infinities.

    `n` is the number of requests the value rests on, where the source tells it.
    """

    t: float
    value: Value
    error: str = ""
    n: int | None = None

    @property
    def good(self) -> bool:
        """Whether there is a value to judge."""
        if self.error or self.value is None:
            return False
        return not isinstance(self.value, float) or math.isfinite(self.value)


@dataclass(frozen=True)
class Series:
    """The samples of one metric, oldest first. `max_age` None means three intervals; `covers` is all or treated.

    `unread` tells why what the source itself kept could not be read back, where that was tried.
    """

    unit: str | None
    samples: tuple[Sample, ...]
    interval: float = 30.0
    max_age: float | None = None
    min_samples: int = 1
    covers: str = "all"
    unread: str = ""

    @property
    def oldest_allowed(self) -> float:
        """How old the newest sample may be."""
        return 3 * self.interval if self.max_age is None else self.max_age

    def newest(self, horizon: float) -> Sample | None:
        """The newest sample that is not later than `horizon`."""
        count = bisect_right(self.samples, horizon, key=_time)
        return self.samples[count - 1] if count else None

    def between(self, start: float, horizon: float) -> tuple[Sample, ...]:
        """The samples later than `start` and not later than `horizon`."""
        return self.samples[
            bisect_right(self.samples, start, key=_time) : bisect_right(self.samples, horizon, key=_time)
        ]


@dataclass(frozen=True)
class Reference:
    """A captured number: the mean of `n` values, and their standard deviation."""

    mean: float
    n: int = 1
    spread: float = 0.0


@dataclass(frozen=True)
class Facts:
    """Everything a condition may be judged on.

    `values` are counters, constants and what is built in, with their `units`. `references` map a reference's name
    (`baseline`, a stage) to its metrics. `checks` hold what a check said, oldest first. `percent` is 10 at 10 %.
    `entered` is when the rung was entered. `scale` multiplies every window and hold written in a condition.
    """

    now: float
    series: Mapping[str, Series] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)
    units: Mapping[str, str | None] = field(default_factory=dict)
    references: Mapping[str, Mapping[str, Reference]] = field(default_factory=dict)
    checks: Mapping[str, Sequence[tuple[float, Truth]]] = field(default_factory=dict)
    percent: float | None = None
    entered: float | None = None
    scale: float = 1.0
    service_down: bool = False


def _time(sample: Sample) -> float:
    return sample.t
