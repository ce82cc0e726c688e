"""`run`: a line for the shell."""

from __future__ import annotations

from typing import ClassVar

from runbook.actions.base import ActionKind, Done, Hands
from runbook.actions.processes import done_by, run_argv
from runbook.system.processes import names_in_shell


class Run(ActionKind, frozen=True, kw_only=True):
    KEY: ClassVar[str] = "run"
    DOES: ClassVar[str] = "runs a shell line; each `${...}` reaches it as an environment variable, never as code"
    EXAMPLE: ClassVar[str] = '{do: Warm up, run: "bin/warm-up | tee warm-up.log"}'

    run: str

    def preview(self) -> str:
        return self.run

    def act(self, hands: Hands, timeout: float) -> Done:
        script, additions = hands.variables.shell(self.run)
        argv = ["/bin/sh", "-c", script]
        return done_by(run_argv(argv, hands, timeout, additions=additions, named=names_in_shell(self.run)))
