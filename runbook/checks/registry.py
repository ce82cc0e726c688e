"""Every kind of check by its key. A new kind is one file and one row here."""

from __future__ import annotations

from runbook.checks.all_of import All
from runbook.checks.base import Kind
from runbook.checks.command import Command
from runbook.checks.disk import Disk
from runbook.checks.file import File
from runbook.checks.flags import Flags
from runbook.checks.http import Http
from runbook.checks.inspect import Inspect
from runbook.checks.load import Load
from runbook.checks.log import Log
from runbook.checks.machine import Machine
from runbook.checks.ollama import Ollama
from runbook.checks.run import Run
from runbook.checks.sign import Sign
from runbook.checks.sql import Sql
from runbook.checks.variables import VariablesSet

KINDS: dict[str, type[Kind]] = {
    kind.KEY: kind
    for kind in (
        Http,
        Command,
        Run,
        File,
        Disk,
        Log,
        VariablesSet,
        Flags,
        Sql,
        Ollama,
        Machine,
        Load,
        Sign,
        Inspect,
        All,
    )
}

# Kinds of the language that are not built yet: refused by name, never ignored.
NOT_YET: frozenset[str] = frozenset(
    {"prometheus", "scrape", "cosmos", "redis", "tcp", "dns", "tls", "systemd", "docker"}
    | {"kubernetes", "alertmanager", "git", "github"}
)
