"""`machine`: how busy the machine is on which the command runs: processors, memory, swap, load."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar, Literal

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import unknown
from runbook.checks.here.amounts import misfit
from runbook.judge.verdicts import Reason, Status
from runbook.language.units import show_value

_WINDOW = 0.2  # seconds between two reads of the processors' clocks
_SHARES = ("cpu", "memory", "swap")


class Machine(Kind, frozen=True, kw_only=True):
    """`cpu`, `memory` and `swap` are shares of 1 in use, `load` is the load of one minute for each processor.

    `expect` has `memory`, `swap` and `load` by name whichever is the value.
    """

    KEY: ClassVar[str] = "machine"
    LOOKS_AT: ClassVar[str] = "this machine: the share of its processors, memory or swap in use, or its load"
    EXAMPLE: ClassVar[str] = '{check: Memory is left, machine: memory, expect: "< 99%", advice: "ps aux --sort -rss"}'

    machine: Literal["cpu", "memory", "swap", "load"]

    def given_names(self) -> tuple[str, ...]:
        return tuple({self.machine, "memory", "swap", "load"})

    def asserts(self) -> bool:
        """A number alone says nothing: `expect` does."""
        return False

    async def look(self, around: Surroundings) -> Finding:
        units = {"memory": "ratio", "swap": "ratio"}
        if self.machine in _SHARES:
            units |= {self.machine: "ratio", "value": "ratio"}
        if (refused := misfit(around, {"load": None, **units})) is not None:
            return refused
        try:
            import psutil
        except ImportError:
            return unknown("psutil is not installed here, so nothing is known of this machine: pip install psutil")
        try:
            values = _cheap(psutil)
            if self.machine == "cpu":
                values["cpu"] = await _busy(psutil)
        except (OSError, RuntimeError, psutil.Error) as trouble:
            return unknown(f"the system does not tell it: {trouble}")
        value = values.get(self.machine)
        if value is None:
            return unknown(f"the system does not tell {self.machine}", Reason.NODATA)
        shown = show_value(value, "ratio", 2) if self.machine in _SHARES else f"{value:.2f} a processor"
        return Finding(Status.PASS, observed=shown, value=value, values=values, units=units)


def _cheap(psutil: Any) -> dict[str, float]:
    """What takes one read each. A machine without swap has none in use."""
    memory = psutil.virtual_memory()
    values: dict[str, float] = {"load": psutil.getloadavg()[0] / (psutil.cpu_count() or 1)}
    if memory.total:
        values["memory"] = 1 - memory.available / memory.total
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where the kernel does not count pages swapped
        swap = psutil.swap_memory()
    values["swap"] = swap.used / swap.total if swap.total else 0.0
    return values


async def _busy(psutil: Any) -> float:
    """The share of the processors' time that was not idle during the window. Raises OSError."""
    import asyncio

    idle_before, all_before = _clocks(psutil)
    for _ in range(5):  # a clock of a hundredth of a second may stand still for so short a time
        await asyncio.sleep(_WINDOW)
        idle, whole = _clocks(psutil)
        if whole > all_before:
            return min(1.0, max(0.0, 1 - (idle - idle_before) / (whole - all_before)))
    raise OSError("the clocks of its processors stand still")


def _clocks(psutil: Any) -> tuple[float, float]:
    """Seconds in which the processors were idle, and all seconds. A guest's time is counted in its host's already."""
    times = psutil.cpu_times()._asdict()
    guests = times.get("guest", 0.0) + times.get("guest_nice", 0.0)
    return times["idle"] + times.get("iowait", 0.0), sum(times.values()) - guests
