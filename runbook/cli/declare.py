"""`runbook declare stable`: the end of a rollout."""

from __future__ import annotations

import typer

from runbook.cli.boundary import command
from runbook.cli.options import Confirm, Deadline, ReasonText, Shared, Yes, deadline_of
from runbook.cli.talk import Consent
from runbook.cli.wiring import open_site
from runbook.flags.changes import FlagTrouble
from runbook.judge.verdicts import Verdict
from runbook.rollout.planning import refuse_flags
from runbook.rollout.receipts import keep_decision
from runbook.rollout.site import Site
from runbook.rollout.stable import Ending, declare_stable, propose_stable
from runbook.rollout.standing import standing_of
from runbook.show.answer import Answer
from runbook.show.decisions import GATES, decision_page, next_lines, said_against
from runbook.show.page import Page
from runbook.show.rows import rule_rows
from runbook.system.moments import dated
from runbook.system.refusals import Exit, exit_of

app = typer.Typer(no_args_is_help=True, help="Declare a rollout stable: its end, after the last stage held.")


@app.callback()
def declare() -> None:
    """Declare a rollout stable: its end, after the last stage held."""


@command(app)
def stable(
    shared: Shared,
    reason: ReasonText = "",
    yes: Yes = False,
    confirm_name: Confirm = None,
    deadline: Deadline = "30s",
) -> Answer:
    """Declare the rollout stable, when the last stage's bake, gates and sign-offs hold and nothing speaks against it.

    Stages that are `optional` may be left out. Sign-offs, baseline and bakes belong to the rollout that ends here; the
    next ramp begins a new one. Nothing of the service is changed.

    Example: runbook declare stable --reason "seven quiet days"
    """
    site = open_site(shared)
    try:
        standing = standing_of(site.playbook, site.state(), site.shown_flags())
    except FlagTrouble as trouble:
        raise refuse_flags(site, trouble) from trouble
    ending = propose_stable(site, standing, deadline_of(deadline))
    if ending.since is not None:
        return _already(site, ending, ending.since)
    keep_decision(site, ending.decision, "declare stable")
    if ending.decision.verdict is not Verdict.GO:
        return _not_yet(site, ending)
    if site.environment.protected:  # nothing of the service changes, so elsewhere nothing is asked
        Consent(yes, confirm_name).ask(shared, site.environment, f"Declare {site.name} stable?")
    declare_stable(site, ending, reason)
    page = decision_page(ending.decision, f"{site.name} is stable at {ending.position.name}")
    page.next("runbook status")
    return _answer(site, ending, Exit.GO, f"{site.name} is declared stable at {ending.position.name}", page)


def _already(site: Site, ending: Ending, since: float) -> Answer:
    message = f"{site.name} is stable at {ending.position.name} since {dated(since)}"
    page = Page()
    page.verdict("GO", message)
    page.next("runbook status")
    return _answer(site, ending, Exit.GO, message, page)


def _not_yet(site: Site, ending: Ending) -> Answer:
    lines = next_lines(ending.decision)
    page = decision_page(ending.decision, f"declaring {ending.position.name} stable  {site.name}", said=lines)
    page.next(*(lines or ["runbook gate"]))
    exit_ = exit_of(ending.decision.verdict)
    return _answer(site, ending, exit_, said_against(ending.decision), page)


def _answer(site: Site, ending: Ending, exit_: Exit, message: str, page: Page) -> Answer:
    rows = ending.decision.rows
    return Answer(
        exit_, message, page, site.playbook.service, site.environment.name,
        lists={
            "gates": rule_rows(rows, *GATES),
            "triggers": rule_rows(rows, "trigger"),
            "rules": rule_rows(rows),
            "stage": ending.position.stage,
            "percent": ending.position.percent,
        },
    )  # fmt: skip
