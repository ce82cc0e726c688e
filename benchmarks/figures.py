"""A figure beside its target."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.timing import Times


@dataclass(frozen=True)
class Figure:
    """What was timed, how many times the plain thing it takes, and what it should take at most (None: no target).

    `shown` stands in place of the time where something else was measured.
    """

    what: str
    beside: str
    ratio: float
    seconds: float
    target: float | None
    shown: str = ""

    @property
    def measure(self) -> str:
        """What was measured, as it is shown; a time has three figures that matter."""
        if self.shown:
            return self.shown
        return f"{self.seconds * 1000:.3g} ms" if self.seconds < 1 else f"{self.seconds:.3g} s"

    @property
    def holds(self) -> str:
        if self.target is None:
            return ""
        return "yes" if self.ratio <= self.target else "no"


def figure(what: str, times: Times, beside: str, plain: Times, target: float | None) -> Figure:
    """The ratio of two medians of one series."""
    return Figure(what, beside, times.median / plain.median, times.median, target)
