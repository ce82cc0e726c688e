"""`runbook sign`: the answer to a manual item."""

from __future__ import annotations

from typing import Annotated

import typer

from runbook.cli import completing
from runbook.cli.boundary import command
from runbook.cli.options import Shared
from runbook.cli.signing import find_item, record_answer
from runbook.cli.wiring import open_site
from runbook.show.answer import Answer
from runbook.system.refusals import Exit

app = typer.Typer()


@command(app)
def sign(
    shared: Shared,
    check: Annotated[str, typer.Argument(metavar="CHECK", help="ID or LIST/ID.", autocompletion=completing.checks)],
    evidence: Annotated[str, typer.Option("--evidence", metavar="TEXT|URL", help="What it rests on.")] = "",
    valid: Annotated[str | None, typer.Option("--valid", metavar="30d", help="How long the answer counts.")] = None,
    no: Annotated[bool, typer.Option("--no", help="The answer is no.")] = False,
) -> Answer:
    """Answer a manual item of a checklist or gate: yes, or --no. It is recorded with who and when.

    Example: runbook sign team_is_trained --evidence https://wiki/training --valid 30d
    """
    site = open_site(shared)
    item = find_item(site, check)
    record_answer(site, item, yes=not no, evidence=evidence, valid=valid)
    answer = Answer(
        Exit.GO, f"{item.title}: {'no' if no else 'yes'}, by {site.who.operator}",
        service=site.playbook.service, environment=site.environment.name,
    )  # fmt: skip
    answer.page.mark("NO" if no else "ok", item.title, "no" if no else "yes", f"by {site.who.operator}", evidence)
    answer.page.next("runbook preflight" if item.checklist in site.playbook.checklists else "runbook gate")
    return answer
