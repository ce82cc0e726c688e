"""`runbook note`: feed a counter, or the timeline."""

from __future__ import annotations

from typing import Annotated

import typer

from runbook.cli.boundary import command
from runbook.cli.options import Shared
from runbook.cli.wiring import open_site
from runbook.rollout.site import Site
from runbook.rollout.standing import standing_of
from runbook.show.answer import Answer
from runbook.system.refusals import Exit

app = typer.Typer()


@command(app)
def note(
    shared: Shared,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="What is counted: complaint, for one.")],
    text: Annotated[str, typer.Argument(metavar="[TEXT]", help="What was said or seen.")] = "",
) -> Answer:
    """Feed a counter of the playbook (note complaint), or the timeline.

    Example: runbook note complaint "the answer cites a page that does not exist"
    """
    site = open_site(shared, tolerant=True)
    site.record(site.event("noted", {"kind": kind, "text": text}))
    counts = [name for name, metric in site.playbook.metrics.items() if metric.counter == kind]
    message = f"noted: {kind}" + (f"; {counts[0]} is {_counted(site, kind)}" if counts else "")
    answer = Answer(Exit.GO, message, service=site.playbook.service, environment=site.environment.name)
    answer.page.mark("ok", message)
    return answer


def _counted(site: Site, kind: str) -> str:
    """How often it was said since the bake that runs began: what a condition on the counter sees."""
    standing = standing_of(site.playbook, site.state(), site.flags_or_trouble()[0])
    position = standing.position if standing.entered else None
    count = site.state().counted(kind, position.baking_since if position else 0.0)
    if position is None:
        return f"{count} in all"
    return f"{count} since the {'step was entered' if position.rebaked is None else 'new build came'}"
