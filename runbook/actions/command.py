"""`command`: one program with its arguments, no shell."""

from __future__ import annotations

import shlex
from typing import ClassVar

from runbook.actions.base import ActionKind, Done, Hands
from runbook.actions.processes import done_by, run_argv


class Command(ActionKind, frozen=True, kw_only=True):
    KEY: ClassVar[str] = "command"
    DOES: ClassVar[str] = "runs a program with a list of arguments, without a shell; each `${...}` is one argument"
    EXAMPLE: ClassVar[str] = "{do: Flush the cache, command: [bin/flush, --all]}"

    command: tuple[str, ...]

    def preview(self) -> str:
        return shlex.join(self.command)

    def act(self, hands: Hands, timeout: float) -> Done:
        argv = [hands.variables.argument(part) for part in self.command]
        return done_by(run_argv(argv, hands, timeout))
