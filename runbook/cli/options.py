"""Options as people type them: those shared by all commands, and those that several have."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from runbook.cli import completing
from runbook.language.durations import parse_duration
from runbook.system.refusals import Refusal


class Format(StrEnum):
    """How a command prints."""

    TABLE = "table"
    PLAIN = "plain"
    JSON = "json"
    MARKDOWN = "markdown"
    JUNIT = "junit"
    TAP = "tap"
    NAGIOS = "nagios"
    PROMETHEUS = "prometheus"
    GITHUB = "github"


Formats = tuple[Format, ...]
SCREENS: Formats = (Format.TABLE, Format.PLAIN, Format.JSON, Format.MARKDOWN)  # what every command can print
WATCHED: Formats = (*SCREENS, Format.NAGIOS, Format.PROMETHEUS)  # where a service stands, for what watches it
JUDGED: Formats = tuple(Format)  # where a command ends with rows that hold or do not


@dataclass(frozen=True)
class Shared:
    """What every command is given."""

    playbook: str | None = None
    env: str | None = None
    format: Format = Format.TABLE
    output: Path | None = None
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False


def refuse_format(shared: Shared, called: str, formats: Formats) -> NoReturn:
    """Raises `Refusal`: what was called does not print the wanted format."""
    fit = [one.value for one in formats]
    raise Refusal(
        f"--format {shared.format} does not fit {called}, which prints {', '.join(fit)}; nothing was done",
        next_steps=[f"runbook {called} --format {fit[0]}"],
    )


PANEL = "Shared options"

SHARED_OPTIONS = {
    "playbook": Annotated[
        str | None,
        typer.Option(
            "-p", "--playbook", metavar="NAME|PATH", help="Which playbook.",
            rich_help_panel=PANEL, autocompletion=completing.playbooks,
        ),
    ],
    "env": Annotated[
        str | None,
        typer.Option(
            "-e", "--env", metavar="NAME", help="Which environment.",
            rich_help_panel=PANEL, autocompletion=completing.environments,
        ),
    ],
    "format": Annotated[Format, typer.Option("-f", "--format", help="How to print.", rich_help_panel=PANEL)],
    "output": Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write there instead.", rich_help_panel=PANEL),
    ],
    "quiet": Annotated[bool, typer.Option("-q", "--quiet", help="Say less.", rich_help_panel=PANEL)],
    "verbose": Annotated[bool, typer.Option("-v", "--verbose", help="Say more.", rich_help_panel=PANEL)],
    "no_color": Annotated[bool, typer.Option("--no-color", help="No colour (or NO_COLOR).", rich_help_panel=PANEL)],
}  # fmt: skip

DryRun = Annotated[bool, typer.Option("-n", "--dry-run", help="Print the plan that would run; change nothing.")]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Confirm the plan (never a manual item).")]
Confirm = Annotated[
    str | None, typer.Option("--confirm", metavar="NAME", help="The protected environment's name, typed out.")
]
ReasonText = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is recorded.")]
Deadline = Annotated[str, typer.Option("--deadline", metavar="30s", help="How long looking may take in all.")]


def deadline_of(text: str) -> float:
    """The seconds of a `--deadline`. Raises `Refusal` where no time is left to look at anything."""
    seconds = parse_duration(text)
    if seconds <= 0:
        raise Refusal(f"--deadline {text} leaves no time to look", next_steps=["--deadline 30s"])
    return seconds


Wait = Annotated[str | None, typer.Option("--wait", metavar="5m", help="Wait for another operator to finish.")]
All = Annotated[bool, typer.Option("--all", help="Every service and environment of the project.")]
Strict = Annotated[bool, typer.Option("--strict", help="Warnings count as failures.")]
Last = Annotated[int | None, typer.Option("--last", metavar="20", min=1, help="Only the newest so many.")]
IncidentId = Annotated[
    int | None, typer.Option("--incident", metavar="ID", help="Which incident.", autocompletion=completing.incidents)
]
