"""`command`: a program with its arguments, no shell; its exit status, and what its output says."""

from __future__ import annotations

import shlex
from typing import ClassVar

import msgspec

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import without_value
from runbook.checks.here.processes import finding_of, run_for_check
from runbook.checks.reading import Wanted
from runbook.system.secrets import VariableTrouble


class Command(Kind, frozen=True, kw_only=True):
    """Each `${...}` is (part of) one argument, whatever it holds."""

    KEY: ClassVar[str] = "command"
    GIVES: ClassVar[tuple[str, ...] | None] = ()
    LOOKS_AT: ClassVar[str] = "a program given as a list of arguments: its exit status, and a value out of its output"
    EXAMPLE: ClassVar[str] = "{check: Notes are there, command: [test, -d, .], reads: true}"

    command: tuple[str, ...]
    jq: str | None = None
    matches: str | None = None
    lines: bool = False
    list_: str | bool = msgspec.field(name="list", default=False)

    def only_looks(self) -> bool:
        return False

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        return ([] if self.command else ["command is empty: name a program"]) + self._wanted().problems()

    def by_hand(self, url: str | None) -> str:
        return shlex.join(self.command)

    async def look(self, around: Surroundings) -> Finding:
        try:
            argv = [around.variables.argument(part) for part in self.command]
        except VariableTrouble as trouble:
            return without_value(trouble)
        return await finding_of(await run_for_check(argv, around), self._wanted(), around)

    def _wanted(self) -> Wanted:
        return Wanted(jq=self.jq, matches=self.matches, list_=self.list_, lines=self.lines)
