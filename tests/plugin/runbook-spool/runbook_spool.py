"""How many files wait in a spool folder."""

import shlex
import time
from typing import ClassVar

from runbook.checks.api import DurationError, Finding, Kind, Status, Surroundings, parse_duration, unknown


class Spool(Kind, frozen=True, kw_only=True):
    """`older_than` leaves out what came just now. The value is the number of files."""

    KEY: ClassVar[str] = "spool"
    LOOKS_AT: ClassVar[str] = "a spool folder: how many files wait in it"
    EXAMPLE: ClassVar[str] = '{check: Mail goes out, spool: outgoing, older_than: 10m, expect: "== 0"}'
    NEEDS: ClassVar[str] = ">= 0.1"

    spool: str
    older_than: str = "0s"

    def asserts(self) -> bool:
        return False  # a number alone is neither good nor bad: the playbook has to say `expect`

    def problems(self) -> list[str]:
        try:
            parse_duration(self.older_than)
        except DurationError as trouble:
            return [f"older_than: {trouble}"]
        return []

    def by_hand(self, url: str | None) -> str:
        return f"ls -l {shlex.quote(self.spool)}"

    async def look(self, around: Surroundings) -> Finding:
        folder = around.project / around.variables.file_name(self.spool)
        until = time.time() - parse_duration(self.older_than)
        try:
            waiting = sorted(file.name for file in folder.iterdir() if file.stat().st_mtime <= until)
        except OSError as trouble:
            return unknown(f"{folder} cannot be read: {trouble.strerror}")
        return Finding(Status.PASS, observed=f"{len(waiting)} wait", value=len(waiting), listed=waiting)
