"""`runbook watch`: the bake and the matrix, live."""

from __future__ import annotations

from typing import Annotated

import typer

from runbook.cli.boundary import command
from runbook.cli.options import Shared
from runbook.cli.watching import stay
from runbook.cli.wiring import open_site
from runbook.language.durations import parse_duration
from runbook.show.answer import Answer

app = typer.Typer()


@command(app)
def watch(
    shared: Shared,
    act: Annotated[
        bool, typer.Option("--act", help="Arm the rules: what fires is acted upon, a matrix row when its time is over.")
    ] = False,
    for_: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="2h",
            help="Stop after so long, in real time, also in a sandbox (else when the bake is over).",
        ),
    ] = None,
) -> Answer:
    """Live view of the bake: gates, triggers, matrix, time left. It looks; with --act the rules are armed.

    Example: runbook watch --act
    """
    site = open_site(shared)
    return stay(shared, site, act=act, seconds=parse_duration(for_) if for_ else None)
