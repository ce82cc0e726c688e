"""`variables`: named variables are set; a file holds no secret in plain text."""

from __future__ import annotations

import re
from typing import ClassVar

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import failed, unknown, without_value
from runbook.judge.verdicts import Status
from runbook.system.secrets import VariableTrouble, looks_secret

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_ASSIGNED = re.compile(
    r"""^\s*(?:export\s+)?["']?(?P<name>[A-Za-z_][\w.-]{0,80})["']?\s{0,9}[=:]\s{0,9}["']?(?P<value>[^\s"']{8,})"""
)
# Shapes that tell a secret by themselves, with what they are.
_SHAPES = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(r"\bgh[opsur]_[A-Za-z0-9]{36}\b|\bgithub_pat_\w{22,}"),
    "a Slack token": re.compile(r"\bxox[abposr]-[A-Za-z0-9-]{10,}"),
    "a secret key": re.compile(r"\bsk-[A-Za-z0-9_-]{20,}"),
    "a password in a URL": re.compile(
        r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,80}:(?!\$|<|\*|xxx)[^\s/@]{3,80}@", re.IGNORECASE
    ),
}
_PLACEHOLDER = re.compile(r"\$\{?\w|<.*>|\*{3,}|x{4,}|change.?me|your.|example|placeholder|dummy", re.IGNORECASE)


class VariablesSet(Kind, frozen=True, kw_only=True):
    """`variables` are names that must have a value that is not empty; `no_secrets` names a file without secrets."""

    KEY: ClassVar[str] = "variables"
    LOOKS_AT: ClassVar[str] = (
        "named variables are set; `no_secrets: FILE` finds secrets in plain text, never showing them"
    )
    EXAMPLE: ClassVar[str] = "{check: Settings are given, variables: [HOME]}"

    variables: tuple[str, ...] = ()
    no_secrets: str | None = None

    def takes_value(self) -> bool:
        return False

    def asserts(self) -> bool:
        return bool(self.variables or self.no_secrets)

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        return [f"{name!r} is no name of a variable" for name in self.variables if not _NAME.match(name)]

    async def look(self, around: Surroundings) -> Finding:
        from runbook.system.daemon_threads import in_thread

        try:
            missing = await in_thread(lambda: [name for name in self.variables if not around.variables.is_set(name)])
            if missing:
                found = len(self.variables) - len(missing)
                return failed("not set", f"{found} of {len(self.variables)} set", "all set", listed=missing)
            file = None if self.no_secrets is None else around.variables.file_name(self.no_secrets)
        except VariableTrouble as trouble:
            return without_value(trouble)
        observed = f"{len(self.variables)} set" if self.variables else ""
        if file is None:
            return Finding(Status.PASS, observed=observed)
        return await in_thread(lambda: _without_secrets(around, file))


def _without_secrets(around: Surroundings, file: str) -> Finding:
    from runbook.system.files import FileTrouble, read_regular

    try:
        text = read_regular(around.project / file).decode("utf-8", "replace")
    except FileTrouble as trouble:
        return unknown(f"{file} cannot be read: {trouble.reason}")
    found = [f"line {number}: {what}" for number, line in enumerate(text.splitlines(), 1) if (what := secret_in(line))]
    if found:
        return failed(f"{file} holds secrets in plain text", f"{len(found)} found", "none", listed=found[:50])
    return Finding(Status.PASS, observed="no secrets", message=file)


def secret_in(line: str) -> str:
    """What secret a line of a file holds, in words and without its value; empty if none is seen."""
    line = line[:4096]
    for what, shape in _SHAPES.items():
        if shape.search(line):
            return what
    assigned = _ASSIGNED.match(line)
    if assigned and looks_secret(assigned["name"]) and not _PLACEHOLDER.search(assigned["value"]):
        return f"a value for {assigned['name']}"
    return ""
