"""`runbook hold`."""

from __future__ import annotations

from typing import Annotated

import typer

from runbook.cli.boundary import command
from runbook.cli.options import ReasonText, Shared
from runbook.cli.wiring import open_site
from runbook.language.durations import parse_duration
from runbook.rollout.holds import hold as set_hold
from runbook.show.answer import Answer
from runbook.system.clock import local_day_and_clock
from runbook.system.refusals import Exit

app = typer.Typer()


@command(app)
def hold(
    shared: Shared,
    until: Annotated[
        str | None, typer.Option("--until", metavar="2h", help="Released by itself after so long.")
    ] = None,
    reason: ReasonText = "",
) -> Answer:
    """Stop every ramp and every automatic action on the service, until released. A way back by a person stays open.

    Example: runbook hold --until 2h --reason "database maintenance"
    """
    site = open_site(shared, tolerant=True)
    end = site.clock.wall() + parse_duration(until) if until else None
    set_hold(site, reason=reason, until=end)
    told = f" until {local_day_and_clock(end, site.clock.wall())}" if end else ""
    message = f"{site.playbook.service} · {site.environment.name} is held{told}"
    answer = Answer(Exit.GO, message, service=site.playbook.service, environment=site.environment.name)
    answer.page.verdict("HELD", message)
    answer.page.next("runbook release", label="Back")
    return answer
