"""`runbook release`."""

from __future__ import annotations

import typer

from runbook.cli.boundary import command
from runbook.cli.options import All, ReasonText, Shared
from runbook.cli.wiring import every_site, open_site
from runbook.rollout.holds import release as end_hold
from runbook.show.answer import Answer
from runbook.system.refusals import Exit

app = typer.Typer()


@command(app)
def release(shared: Shared, all_: All = False, reason: ReasonText = "") -> Answer:
    """Release a hold, a person's or an automatic one.

    Example: runbook release --reason "maintenance is over"
    """
    sites = every_site(shared) if all_ else [open_site(shared, tolerant=True)]
    said = []
    for site in sites:
        held = end_hold(site, reason=reason)
        said.append(f"{site.name}: released the hold by {held.by}" if held else f"{site.name} was not held")
    first = sites[0]
    answer = Answer(Exit.GO, "; ".join(said), service=first.playbook.service, environment=first.environment.name)
    for line in said:
        answer.page.line(line)
    answer.page.next("runbook gate")
    return answer
