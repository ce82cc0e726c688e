"""`runbook waive`: an exception from a check, which ends by itself."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from runbook.checks.base import Check
from runbook.cli import completing
from runbook.cli.boundary import command
from runbook.cli.options import ReasonText, Shared
from runbook.cli.wiring import open_site
from runbook.rollout.clock_rows import dated_wrongly
from runbook.rollout.roles import Person
from runbook.rollout.signing import refuse_claimed, refuse_unreadable
from runbook.rollout.site import Site
from runbook.rollout.waivers import end_waiver, find_waivable, waive_check
from runbook.show.answer import Answer
from runbook.system.clock import rfc3339
from runbook.system.moments import dated, parse_moment
from runbook.system.refusals import Exit, Refusal
from runbook.system.settings import user_of_system

app = typer.Typer()


@command(app)
def waive(
    shared: Shared,
    check: Annotated[str, typer.Argument(metavar="CHECK", help="ID or LIST/ID.", autocompletion=completing.waivable)],
    until: Annotated[
        str | None, typer.Option("--until", metavar="2d|FRIDAY|2026-11-28", help="When it ends; at most 90 days ahead.")
    ] = None,
    reason: ReasonText = "",
    end: Annotated[bool, typer.Option("--end", help="End the waiver now.")] = False,
) -> Answer:
    """Waive a check of a checklist until a moment, with a reason: it is shown as waived and holds nothing back.

    A day is meant to its end. Gates, verify and the safe flags cannot be waived.

    Example: runbook waive backup_is_fresh --until friday --reason "the backup host is being replaced"
    """
    refuse_unreadable("--reason", reason)
    if not end:
        _refuse_without(check, until, reason.strip())
    elif until:
        raise Refusal("give --until or --end, not both", next_steps=[f"runbook waive {check} --end"])
    site = open_site(shared)
    meant = find_waivable(site, check)
    refuse_claimed(site, f"runbook waive {meant.full_id} ...", user_of_system(os.environ)[0])
    if end:
        return _ended(site, meant, reason)
    moment = parse_moment(until or "", site.clock.wall())
    waive_check(site, meant, until=moment, reason=reason)
    who = Person(site.who.operator, site.who.known).shown
    message = f"{meant.title}: waived until {dated(moment)} by {who}"
    answer = Answer(Exit.GO, message, service=site.playbook.service, environment=site.environment.name)
    answer.page.mark("~", meant.title, f"waived until {dated(moment)}", f"by {who}", reason)
    if wrong := dated_wrongly(site):
        answer.page.under(wrong)
    answer.page.next("runbook preflight")
    answer.page.next(f"runbook waive {meant.full_id} --end", label="Back")
    answer.lists["details"] = {"check": meant.full_id, "until": rfc3339(moment), "reason": reason}
    return answer


def _refuse_without(check: str, until: str | None, reason: str) -> None:
    missing = [option for option, given in (("--until", until), ("--reason", reason)) if not given]
    if missing:
        raise Refusal(
            f"a waiver needs {' and '.join(missing)}",
            next_steps=[f"runbook waive {check} --until {until or '2d'} --reason {'...' if reason else 'TEXT'}"],
        )


def _ended(site: Site, check: Check, reason: str) -> Answer:
    was = end_waiver(site, check, reason=reason)
    message = f"{check.title} is not waived"
    if was is not None:
        message = f"{check.title} counts again: the waiver of {was.who}, until {dated(was.until)}, is ended"
    answer = Answer(Exit.GO, message, service=site.playbook.service, environment=site.environment.name)
    answer.page.line(message)
    answer.page.next("runbook preflight")
    return answer
