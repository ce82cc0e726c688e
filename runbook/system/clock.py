"""The clocks: wall time for people, boot time for waiting."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """What the tool asks about time. A test passes its own."""

    def wall(self) -> float:
        """Seconds since the epoch, UTC. It may jump."""
        ...

    def boot_time(self) -> float:
        """Seconds since the machine started, sleep included. It never jumps within one boot."""
        ...

    def boot_id(self) -> str:
        """Which boot that is; two values of `boot_time` compare only under the same one."""
        ...


class MachineClock:
    """The machine's own clocks."""

    def wall(self) -> float:
        return time.time()

    def boot_time(self) -> float:
        # /proc/uptime counts suspended time too, and no library that fakes the clock of one process reaches it.
        try:
            return float(Path("/proc/uptime").read_text("ascii").split()[0])
        except (OSError, ValueError, IndexError):
            return time.clock_gettime(time.CLOCK_MONOTONIC)

    def boot_id(self) -> str:
        try:
            return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        except OSError:
            # Elsewhere the moment of the boot names it; a minute's rounding absorbs small steps of the wall clock.
            return f"boot-{round((time.time() - self.boot_time()) / 60)}"


def utc(seconds: float) -> datetime:
    """Seconds since the epoch as an aware time in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def rfc3339(seconds: float) -> str:
    """`2026-11-21T14:10:07.250Z`."""
    return utc(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def microseconds(seconds: float) -> int:
    """Seconds since the epoch in the unit in which events are stored."""
    return round(seconds * 1_000_000)


def local_clock(seconds: float) -> str:
    """`14:10:07` in the operator's zone."""
    return utc(seconds).astimezone().strftime("%H:%M:%S")


def local_day_and_clock(seconds: float, now: float) -> str:
    """`14:10` today, `Sun 14:10` within a week, `2026-12-01 14:10` further away; in the operator's zone."""
    moment, today = utc(seconds).astimezone(), utc(now).astimezone()
    if moment.date() == today.date():
        return moment.strftime("%H:%M")
    return moment.strftime("%a %H:%M" if abs(seconds - now) < 6.5 * 86_400 else "%Y-%m-%d %H:%M")
