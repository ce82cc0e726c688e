"""The kinds of action, one row each."""

from __future__ import annotations

from runbook.actions.base import ActionKind
from runbook.actions.command import Command
from runbook.actions.http import HttpCall
from runbook.actions.notify import Notify
from runbook.actions.run import Run
from runbook.actions.systemd import Systemd
from runbook.actions.wait import Wait

KINDS: dict[str, type[ActionKind]] = {kind.KEY: kind for kind in (Command, Run, HttpCall, Systemd, Wait, Notify)}

# What the language names and this version does not do yet; refused by name.
NOT_YET: frozenset[str] = frozenset({
    "ask", "backup", "cleanup", "collect", "compare", "compose", "drill", "github", "kubernetes", "redeploy",
    "save", "set", "silence", "webhook",
})  # fmt: skip

# What can bring the service to read its flags again.
REDEPLOYS: frozenset[str] = frozenset({"command", "run", "systemd"})
