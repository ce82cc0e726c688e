"""`runbook release`."""

from __future__ import annotations

import typer

from runbook.cli.boundary import command
from runbook.cli.options import ReasonText, Shared
from runbook.cli.wiring import open_site
from runbook.rollout.holds import release as end_hold
from runbook.show.answer import Answer
from runbook.system.refusals import Exit

app = typer.Typer()


@command(app)
def release(shared: Shared, reason: ReasonText = "") -> Answer:
    """Release a hold, a person's or an automatic one.

    Example: runbook release --reason "maintenance is over"
    """
    site = open_site(shared, tolerant=True)
    held = end_hold(site, reason=reason)
    where = f"{site.playbook.service} · {site.environment.name}"
    message = f"{where}: released the hold by {held.by}" if held else f"{where} was not held"
    answer = Answer(Exit.GO, message, service=site.playbook.service, environment=site.environment.name)
    answer.page.line(message)
    answer.page.next("runbook gate")
    return answer
