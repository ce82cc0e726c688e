"""What stands in a list for a check that cannot be made: in an emergency the way back goes on without it."""

from __future__ import annotations

from typing import ClassVar

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import unknown


class Absent(Kind, frozen=True, kw_only=True):
    """Its row is unknown and says why: `absent` is the reason. No playbook can ask for it."""

    KEY: ClassVar[str] = "absent"
    LOOKS_AT: ClassVar[str] = "nothing: its kind could not be had"
    EXAMPLE: ClassVar[str] = ""

    absent: str

    async def look(self, around: Surroundings) -> Finding:
        return unknown(self.absent)
