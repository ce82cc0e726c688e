"""`runbook hold`."""

from __future__ import annotations

from typing import Annotated

import typer

from runbook.cli.boundary import command
from runbook.cli.options import All, ReasonText, Shared
from runbook.cli.wiring import every_site, open_site
from runbook.rollout.holds import hold as set_hold
from runbook.show.answer import Answer
from runbook.system.clock import local_day_and_clock
from runbook.system.moments import parse_moment
from runbook.system.refusals import Exit

app = typer.Typer()


@command(app)
def hold(
    shared: Shared,
    until: Annotated[
        str | None, typer.Option("--until", metavar="2h|FRIDAY", help="Released by itself after so long, or then.")
    ] = None,
    all_: All = False,
    reason: ReasonText = "",
) -> Answer:
    """Stop every ramp and every automatic action on the service, until released. A way back by a person stays open.

    Example: runbook hold --until 2h --reason "database maintenance"
    """
    sites = every_site(shared) if all_ else [open_site(shared, tolerant=True)]
    now = sites[0].clock.wall()
    end = parse_moment(until, now) if until else None
    for site in sites:
        set_hold(site, reason=reason, until=end)
    told = f" until {local_day_and_clock(end, now)}" if end else ""
    names = ", ".join(site.name for site in sites)
    message = f"{names}: held{told}"
    answer = Answer(Exit.GO, message, service=sites[0].playbook.service, environment=sites[0].environment.name)
    answer.page.verdict("HELD", message)
    answer.page.next("runbook release", label="Back")
    return answer
