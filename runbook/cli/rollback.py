"""`runbook rollback`: one step back, to a named step, or the emergency."""

from __future__ import annotations

from typing import Annotated

import typer

from runbook.cli import completing
from runbook.cli.alarm import raise_alarm
from runbook.cli.boundary import command
from runbook.cli.options import Confirm, DryRun, ReasonText, Shared, Wait, Yes
from runbook.cli.talk import Consent, Telling, plan_page, show
from runbook.cli.wiring import open_site
from runbook.language.durations import parse_duration
from runbook.rollout.rollback import WayBack, carry_back, propose_back
from runbook.rollout.site import Site
from runbook.rollout.underway import wait_until_free
from runbook.show.answer import Answer
from runbook.show.outcomes import ended_page
from runbook.show.page import Page
from runbook.show.rows import plan_rows
from runbook.system.refusals import Exit, Refusal

app = typer.Typer()

To = Annotated[
    str | None,
    typer.Option(
        "--to", metavar="PERCENT|STAGE|STAGE@PERCENT", help="Down to that step.", autocompletion=completing.positions
    ),
]
Emergency = Annotated[bool, typer.Option("--emergency", help="Back to the safe flags, whatever else is broken.")]
Takeover = Annotated[bool, typer.Option("--takeover", help="With --emergency: at once, also from another emergency.")]


@command(app)
def rollback(
    shared: Shared,
    to: To = None,
    emergency: Emergency = False,
    takeover: Takeover = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    confirm_name: Confirm = None,
    reason: ReasonText = "",
    wait: Wait = None,
) -> Answer:
    """One step back on the ladder; --to goes further down; --emergency to the safe flags.

    Down is always allowed: no gate, calendar, hold or drift stops it. The emergency works without the store, the
    metrics, a terminal, and without a readable playbook.

    Example: runbook rollback --emergency
    """
    if emergency:
        return raise_alarm(shared, yes=yes, dry_run=dry_run, reason=reason, takeover=takeover)
    if takeover:
        raise Refusal("--takeover goes with --emergency", next_steps=["runbook rollback --emergency --takeover"])
    waiting = parse_duration(wait) if wait else 0.0
    return _step_back(shared, to, Consent(yes, confirm_name), dry_run=dry_run, reason=reason, waiting=waiting)


def _step_back(
    shared: Shared, to: str | None, consent: Consent, *, dry_run: bool, reason: str, waiting: float
) -> Answer:
    site = open_site(shared)
    wait_until_free(site, waiting)
    way = propose_back(site, to)
    if way.plan is None:
        page = Page()
        page.verdict("GO", way.message)
        page.next("runbook status")
        return Answer(Exit.GO, way.message, page, site.playbook.service, site.environment.name, lists={"plan": []})
    page = back_screen(site, way)
    if dry_run:
        page.line("Dry run: nothing was changed.")
        return _answer(site, way, Exit.GO, "dry run: nothing was changed", page, plan_rows(way.plan.records()))
    if not shared.quiet:
        show(shared, page)
    consent.ask(shared, site.environment, f"Go back to {way.plan.to} in {site.environment.name}?")
    ended = carry_back(site, way, Telling(shared), reason=reason, wait=waiting)
    half_done = ("runbook resume --finish", "runbook rollback --emergency")
    steps = half_done if ended.outcome == "half-done" else ("runbook status",)
    rows = plan_rows(way.plan.records(), ended.results)
    answer = _answer(site, way, ended.exit, ended.message, ended_page(ended, site, next_steps=steps), rows)
    answer.lists["by_hand"] = list(ended.by_hand)
    return answer


def back_screen(site: Site, way: WayBack, word: str = "ROLLBACK") -> Page:
    """The plan of a way back."""
    page = Page()
    assert way.plan is not None  # the caller looked
    page.verdict(word, site.name, f"{way.plan.came_from} -> {way.plan.to}")
    plan_page(page, way.plan)
    return page


def _answer(site: Site, way: WayBack, exit_: Exit, message: str, page: Page, plan: object) -> Answer:
    to = way.to
    return Answer(
        exit_, message, page, site.playbook.service, site.environment.name,
        lists={"plan": plan, "stage": to.stage.name if to else None, "percent": to.percent if to else None},
    )  # fmt: skip
