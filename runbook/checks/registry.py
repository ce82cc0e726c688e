"""Every kind of check by its key. A new kind is one file and one row here."""

from __future__ import annotations

from runbook.checks.all_of import All
from runbook.checks.base import Kind
from runbook.checks.command import Command
from runbook.checks.file import File
from runbook.checks.flags import Flags
from runbook.checks.http import Http
from runbook.checks.run import Run
from runbook.checks.sign import Sign
from runbook.checks.sql import Sql
from runbook.checks.variables import VariablesSet

KINDS: dict[str, type[Kind]] = {
    kind.KEY: kind for kind in (Http, Command, Run, File, VariablesSet, Flags, Sql, Sign, All)
}

# Kinds of the language that are not built yet: refused by name, never ignored.
NOT_YET: frozenset[str] = frozenset(
    {"prometheus", "scrape", "cosmos", "redis", "tcp", "dns", "tls", "disk", "log", "ollama", "systemd", "docker"}
    | {"kubernetes", "alertmanager", "git", "github", "load", "inspect"}
)
