"""`runbook adopt`: what is there becomes the start; `--restore` puts the recorded values back."""

from __future__ import annotations

from typing import Annotated

import typer

from runbook.cli import completing
from runbook.cli.boundary import command
from runbook.cli.options import Confirm, DryRun, ReasonText, Shared, Yes
from runbook.cli.stepping import back_screen
from runbook.cli.talk import Consent, Telling, show
from runbook.cli.wiring import open_site
from runbook.rollout.adopt import adopt as take
from runbook.rollout.adopt import propose_restore
from runbook.rollout.adopt import restore as put_back
from runbook.rollout.site import Site
from runbook.show.answer import Answer
from runbook.show.outcomes import ended_page
from runbook.show.rows import plan_rows
from runbook.system.refusals import Exit, Refusal

app = typer.Typer()


@command(app)
def adopt(
    shared: Shared,
    position: Annotated[
        str | None,
        typer.Argument(
            metavar="[POSITION]", help="Where we are, canary@10 for one.", autocompletion=completing.positions
        ),
    ] = None,
    restore: Annotated[bool, typer.Option("--restore", help="Write the recorded values back instead.")] = False,
    reason: ReasonText = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    confirm_name: Confirm = None,
) -> Answer:
    """Take what is there as the start: a service that was at 50 % before the tool came, or an edit by hand that stays.

    Example: runbook adopt half@50 --reason "it stood there before"
    """
    if restore == (position is not None):
        raise Refusal(
            "give a position, or --restore",
            next_steps=["runbook adopt canary@10 --reason ...", "runbook adopt --restore"],
        )
    site = open_site(shared)
    if restore:
        return _restore(shared, site, reason, dry_run, yes, confirm_name)
    if not reason:
        raise Refusal("adopt needs a reason", next_steps=[f"runbook adopt {position} --reason TEXT"])
    assert position is not None  # one of the two was given
    rung = take(site, position, reason)
    message = f"{site.name} is taken to be at {rung.name}; its bake begins now"
    answer = Answer(
        Exit.GO, message, service=site.playbook.service, environment=site.environment.name,
        lists={"stage": rung.stage.name, "percent": rung.percent},
    )  # fmt: skip
    answer.page.verdict("GO", message)
    answer.page.next("runbook gate")
    return answer


def _restore(shared: Shared, site: Site, reason: str, dry_run: bool, yes: bool, confirm_name: str | None) -> Answer:
    way = propose_restore(site)
    if way.plan is None:
        answer = Answer(Exit.GO, way.message, service=site.playbook.service, environment=site.environment.name)
        answer.page.verdict("GO", way.message)
        return answer
    page = back_screen(site, way, "RESTORE")
    rows = plan_rows(way.plan.records())
    if dry_run:
        page.line("Dry run: nothing was changed.")
        return Answer(
            Exit.GO, "dry run: nothing was changed", page, site.playbook.service, site.environment.name, {"plan": rows}
        )
    show(shared, page) if not shared.quiet else None
    environment = site.environment
    Consent(yes, confirm_name).ask(shared, environment, "Write these values back?")
    ended = put_back(site, way, Telling(shared), reason)
    steps = ("runbook status",) if ended.exit is Exit.GO else ("runbook resume --finish",)
    page = ended_page(ended, site, next_steps=steps)
    return Answer(
        ended.exit, ended.message, page, site.playbook.service, environment.name,
        {"plan": plan_rows(way.plan.records(), ended.results), "by_hand": list(ended.by_hand)},
    )  # fmt: skip
