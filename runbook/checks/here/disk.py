"""`disk`: the room on the file system that holds a path: free bytes, and shares used of room and inodes."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import ClassVar, Literal

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import unknown, without_value
from runbook.checks.here.amounts import misfit
from runbook.judge.verdicts import Reason, Status
from runbook.language.units import show_value
from runbook.system.secrets import VariableTrouble

_UNITS: dict[str, str] = {"free": "bytes", "total": "bytes", "used": "ratio", "inodes": "ratio"}
_WORDS = {"free": "free", "used": "used", "total": "in all", "inodes": "of inodes used"}


class Disk(Kind, frozen=True, kw_only=True):
    """`expect` has `free` and `total` in bytes, `used` and `inodes` as shares of 1; `take` says which is the value.

    As `df` counts: what is kept back for root is neither free nor used.
    """

    KEY: ClassVar[str] = "disk"
    GIVES: ClassVar[tuple[str, ...] | None] = tuple(_UNITS)
    LOOKS_AT: ClassVar[str] = "the file system that holds a path: free and total bytes, shares used of room and inodes"
    EXAMPLE: ClassVar[str] = (
        '{check: Disk has room, disk: ".", expect: "free > 20MiB and used < 99.9%", advice: "du -xh . | sort -h"}'
    )

    disk: str
    take: Literal["free", "used", "total", "inodes"] = "free"

    def asserts(self) -> bool:
        """A number alone says nothing: `expect` does."""
        return False

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        return [] if self.disk.strip() else ["disk is empty: name a path, . is the project's folder"]

    def by_hand(self, url: str | None) -> str:
        return shlex.join(["df", "-h", self.disk])

    async def look(self, around: Surroundings) -> Finding:
        from runbook.system.daemon_threads import in_thread
        from runbook.system.files import FileTrouble

        unit = _UNITS[self.take]
        units = {**_UNITS, "value": unit}
        if (refused := misfit(around, units)) is not None:
            return refused
        try:
            name = around.variables.file_name(self.disk)
            values = await in_thread(lambda: room(around.project / name))  # a network file system may hang
        except VariableTrouble as trouble:
            return without_value(trouble)
        except FileTrouble as trouble:
            return unknown(f"{name} {trouble.reason}")
        value = values.get(self.take)
        if value is None:
            return unknown(f"the file system of {name} does not tell {self.take}", Reason.NODATA)
        observed = f"{show_value(value, unit)} {_WORDS[self.take]}"
        return Finding(Status.PASS, observed=observed, message=name, value=value, values=values, units=units)


def room(path: Path) -> dict[str, float]:
    """`free` and `total` in bytes, `used` and `inodes` as shares, as far as the file system counts them.

    Free is what an ordinary user can still write, and used the share of what such a user can have:
    used / (used + free), as `df` shows it. Raises FileTrouble.
    """
    from runbook.system.files import told_in_words

    with told_in_words(path):
        told = os.statvfs(path)
    if not told.f_blocks:  # such as /proc: it has no room to speak of
        return {}
    free, taken = told.f_bavail, told.f_blocks - told.f_bfree
    values: dict[str, float] = {"free": free * told.f_frsize, "total": told.f_blocks * told.f_frsize}
    if free + taken > 0:
        values["used"] = taken / (free + taken)
    if told.f_files:
        values["inodes"] = (told.f_files - told.f_ffree) / told.f_files
    return values
