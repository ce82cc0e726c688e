"""`runbook ramp`: one step up the ladder."""

from __future__ import annotations

from typing import Annotated

import typer

from runbook.cli import completing
from runbook.cli.boundary import command
from runbook.cli.options import Confirm, Deadline, DryRun, ReasonText, Shared, Wait, Yes, deadline_of
from runbook.cli.talk import Consent, Telling, looking, plan_page, show
from runbook.cli.watching import stay
from runbook.cli.wiring import open_site
from runbook.judge.verdicts import Status
from runbook.language.durations import parse_duration, show_duration
from runbook.playbook.sign_offs import DEPLOYED_BY
from runbook.rollout.glance import against_now
from runbook.rollout.notices import await_notices
from runbook.rollout.operation import Ended
from runbook.rollout.ramp import Proposal, allowed, carry_out, propose
from runbook.rollout.receipts import keep_decision
from runbook.rollout.roles import Person, doubt_about
from runbook.rollout.site import Site
from runbook.rollout.standing import ways_out_of_drift
from runbook.rollout.underway import wait_until_free
from runbook.rollout.watchers import watcher_of
from runbook.show.answer import Answer
from runbook.show.checked import aside_of
from runbook.show.decisions import GATES, decision_page, next_lines, said_against
from runbook.show.outcomes import ended_page
from runbook.show.page import Page
from runbook.show.rows import check_rows, plan_rows, rule_rows
from runbook.system.clock import local_day_and_clock
from runbook.system.refusals import Exit, exit_of

app = typer.Typer()

Target = Annotated[
    str | None,
    typer.Argument(metavar="[PERCENT|STAGE]", help="The next step, by name.", autocompletion=completing.positions),
]
Override = Annotated[
    str | None, typer.Option("--override", metavar="REASON", help="Go on against rules that allow it; recorded.")
]
Stay = Annotated[bool, typer.Option("--watch", help="Stay for the bake with the triggers armed.")]


@command(app)
def ramp(
    shared: Shared,
    target: Target = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    confirm_name: Confirm = None,
    reason: ReasonText = "",
    override: Override = None,
    watch: Stay = False,
    deadline: Deadline = "30s",
    wait: Wait = None,
) -> Answer:
    """One step up the ladder; without an argument the next one.

    Runs the required checklists and looks at bake, gates, triggers, holds, drift and incidents; every reason against
    it is listed. Then shows the plan with its undo, asks, edits the flags, redeploys, verifies, and begins the bake. A
    failure on the way restores and redeploys.

    Example: runbook ramp 10 -e production --dry-run
    """
    waiting = parse_duration(wait) if wait else 0.0
    site = open_site(shared)
    wait_until_free(site, waiting)
    with looking(shared, "the service and the checklists of the step"):
        proposal = propose(site, target, deadline=deadline_of(deadline), dry_run=dry_run)
    if not dry_run:
        keep_decision(site, proposal.decision, "ramp")
    if dry_run or not allowed(proposal.decision, override):
        return _not_made(site, proposal, dry_run)
    if not shared.quiet:
        show(shared, plan_screen(site, proposal))
    question = f"Ramp {site.name} to {proposal.to.name}?"
    Consent(yes, confirm_name).ask(shared, site.environment, question)
    telling = Telling(shared)
    ended = carry_out(site, proposal, telling, reason=override or reason, wait=waiting)
    await_notices(site, ended.operation, telling)
    if watch and ended.exit is Exit.GO:
        return stay(shared, site, act=True)
    return _made(site, proposal, ended)


def _made(site: Site, proposal: Proposal, ended: Ended) -> Answer:
    """How it came out: where we are, who is watching, the way back."""
    rows = plan_rows(proposal.plan.records(), ended.results)
    if ended.exit is not Exit.GO:
        steps = ("runbook resume",) if ended.outcome == "half-done" else ("runbook status",)
        answer = _answer(site, proposal, ended.exit, ended.message, ended_page(ended, site, next_steps=steps), rows)
        answer.lists["by_hand"] = list(ended.by_hand)
        return answer
    page = ended_page(ended, site, next_steps=(_watching_line(site),))
    _bake_line(page, site, proposal)
    page.next("runbook rollback", label="Back")
    return _answer(site, proposal, Exit.GO, ended.message, page, rows)


def _watching_line(site: Site) -> str:
    watcher = watcher_of(site)
    if watcher is not None and watcher.armed:
        return f"runbook gate  {watcher.who} on {watcher.host} is watching"
    return "runbook watch --act  nobody is watching"


def _bake_line(page: Page, site: Site, proposal: Proposal) -> None:
    bake = proposal.to.bake
    if bake is not None and bake.at_least > 0:
        seconds = bake.at_least * site.environment.bake_scale
        until = local_day_and_clock(site.clock.wall() + seconds, site.clock.wall())
        page.line(f"Bake of {show_duration(seconds)}, until {until}.")


def plan_screen(site: Site, proposal: Proposal) -> Page:
    """The plan as it is shown before the question."""
    page = Page()
    number = site.state().rollout or site.state().rollouts + 1
    page.verdict(
        "RAMP",
        site.name,
        f"{proposal.plan.came_from or 'before the first stage'} -> {proposal.to.name}",
        f"rollout {number}",
    )
    bake = proposal.to.bake
    told = ""
    if bake is not None and bake.at_least > 0:
        scale = site.environment.bake_scale
        told = show_duration(bake.at_least * scale)
        told += f"..{show_duration(bake.recommended * scale)}" if bake.recommended else ""
        told += " from then"
    watcher = watcher_of(site)
    watching = f"{watcher.who} on {watcher.host}" if watcher else "nobody yet: --watch here, or runbook watch --act"
    plan_page(page, proposal.plan, watching=watching, bake=told)
    if any(rule.not_role == DEPLOYED_BY for rule in proposal.to.stage.sign):
        doubt = doubt_about(site, Person(site.who.operator, site.who.known))
        page.line(f"     signing   {doubt}: unset RUNBOOK_OPERATOR", indent=15) if doubt else None
    if not site.verify:
        page.line("     the playbook has no verify: the change will not be verified")
    taken = site.state().way_back
    took = f"     about {show_duration(taken.seconds)}, as last time" if taken else ""
    page.line(f"     way back  runbook rollback, or runbook rollback --emergency{took}", typed=True)
    return page


def _not_made(site: Site, proposal: Proposal, dry_run: bool) -> Answer:
    """The decision against the step; in a dry run also the plan that would run."""
    verdict = proposal.decision.verdict
    came_from = proposal.plan.came_from or "before the first stage"
    exit_ = exit_of(verdict)
    lines = ["runbook ramp"] if exit_ is Exit.GO else _remedies(site, proposal)
    about, checks = f"{site.name}  {came_from} -> {proposal.to.name}", proposal.decision.checks
    page = decision_page(proposal.decision, about, said=lines, aside=aside_of(site, checks), goes_on=dry_run)
    if dry_run:
        page.blank()
        page.blocks += plan_screen(site, proposal).blocks
        page.line("Dry run: nothing was changed.")
    failing = (row for row in proposal.decision.checks if row.status in (Status.FAIL, Status.UNKNOWN))
    said = [f"{row.check.title}: {row.observed or row.message}" for row in failing]
    said = [one for one in (said_against(proposal.decision), *said) if one]
    message = "dry run: nothing was changed" if exit_ is Exit.GO else f"{proposal.to.name}: " + "; ".join(said)
    page.next(*lines)
    return _answer(site, proposal, exit_, message, page, plan_rows(proposal.plan.records()))


def _remedies(site: Site, proposal: Proposal) -> list[str]:
    """What to type next, each line once."""
    against = against_now(site)
    lines = next_lines(proposal.decision, first=against.line if against else "")
    if any(row.kind == "drift" for row in proposal.decision.against()):
        lines = list(dict.fromkeys([*ways_out_of_drift(proposal.standing), *lines]))[:3]
    return lines or ["runbook preflight"]


def _answer(site: Site, proposal: Proposal, exit_: Exit, message: str, page: Page, plan: object) -> Answer:
    rows = proposal.decision.rows
    return Answer(
        exit_, message, page, site.playbook.service, site.environment.name,
        lists={
            "checks": check_rows(proposal.decision.checks, aside_of(site, proposal.decision.checks)),
            "gates": rule_rows(rows, *GATES),
            "triggers": rule_rows(rows, "trigger"),
            "rules": rule_rows(rows),
            "plan": plan,
            "stage": proposal.to.stage.name,
            "percent": proposal.to.percent,
        },
    )  # fmt: skip
