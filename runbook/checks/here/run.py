"""`run`: a line for the shell; its exit status, and what its output says."""

from __future__ import annotations

import shlex
from typing import ClassVar

import msgspec

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import without_value
from runbook.checks.here.processes import finding_of, run_for_check
from runbook.checks.reading import Wanted
from runbook.system.processes import names_in_shell
from runbook.system.secrets import VariableTrouble


class Run(Kind, frozen=True, kw_only=True):
    """Each `${...}` reaches the shell as a variable, never as code. Of the secrets it gets those that it names."""

    KEY: ClassVar[str] = "run"
    GIVES: ClassVar[tuple[str, ...] | None] = ()
    LOOKS_AT: ClassVar[str] = "a shell line: its exit status, and a value out of its output"
    EXAMPLE: ClassVar[str] = '{check: No lock is left, run: "! test -e app.lock", reads: true}'

    run: str
    jq: str | None = None
    matches: str | None = None
    lines: bool = False
    list_: str | bool = msgspec.field(name="list", default=False)

    def only_looks(self) -> bool:
        return False

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        return ([] if self.run.strip() else ["run is empty: write a shell line"]) + self._wanted().problems()

    def by_hand(self, url: str | None) -> str:
        return f"sh -c {shlex.quote(self.run)}"

    async def look(self, around: Surroundings) -> Finding:
        try:
            script, additions = around.variables.shell(self.run)
        except VariableTrouble as trouble:
            return without_value(trouble)
        argv = ("/bin/sh", "-c", script)
        finished = await run_for_check(argv, around, named=names_in_shell(script), additions=additions)
        return await finding_of(finished, self._wanted(), around)

    def _wanted(self) -> Wanted:
        return Wanted(jq=self.jq, matches=self.matches, list_=self.list_, lines=self.lines)
