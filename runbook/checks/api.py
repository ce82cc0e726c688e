"""What a package needs that brings a kind of check: the one place to import from, kept from version to version.

A kind is a subclass of `Kind`. Its fields are the options that a playbook may write; the field named like `KEY` holds
what stands behind the key. `LOOKS_AT` is one sentence, `EXAMPLE` one line of a playbook, `TIMEOUT` the seconds of one
attempt where the check names none (10), and `NEEDS`, if there is one, the versions of the tool it works with:
`">= 0.1, < 1"`. `async def look(self, around)` looks once and gives a `Finding`; it may block, since it runs in a
thread of its own, and what it raises becomes its own unknown row. `problems()` gives what is wrong with the options
beyond their types, one text each; `lint` tells it.

What a check may know stands in `Surroundings`: `project` (the folder), `environment`, `url`, `variables` (`.text`,
`.url`, `.file_name` fill `${NAME}` in), `masker` (`.learn` what must never be shown), and the deadline, of which
`seconds_left` gives what remains. `answered` asks over HTTP: equal requests of one look are asked once.

Only a thing that was really looked at is a pass. `failed` says no; `unknown` says that it could not be told, with
`Reason.NODATA` where the source answered and had nothing; `unreachable` that nothing usable answered, which is a fail
where `presence()` gives true (the check asks *is it there*) and else unknown. A value goes into `Finding.value`; the
playbook's `expect` judges it, and a metric takes it.

`runbook.checks.trying.look_at` looks as the tool does, for the package's own tests.
"""

from __future__ import annotations

from runbook.checks.base import Finding, Kind, Past, Surroundings
from runbook.checks.findings import answered, failed, seconds_left, unknown, unreachable, without_value
from runbook.judge.verdicts import Reason, Status
from runbook.language.durations import DurationError, parse_duration, show_duration
from runbook.system.http_messages import Request, Response
from runbook.system.secrets import VariableTrouble

__all__ = [
    "DurationError",
    "Finding",
    "Kind",
    "Past",
    "Reason",
    "Request",
    "Response",
    "Status",
    "Surroundings",
    "VariableTrouble",
    "answered",
    "failed",
    "parse_duration",
    "seconds_left",
    "show_duration",
    "unknown",
    "unreachable",
    "without_value",
]
