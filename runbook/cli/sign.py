"""`runbook sign`: a sign-off of the stage we are in, or the answer to a manual item."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from runbook.checks.base import Check
from runbook.cli import completing
from runbook.cli.boundary import command
from runbook.cli.item_by_item import judge_items
from runbook.cli.options import Shared
from runbook.cli.signing import Meant, meant_by, record_answer, record_item
from runbook.cli.wiring import open_site
from runbook.incidents.checklist import ChecklistItem
from runbook.language.durations import parse_duration
from runbook.rollout.bake_rows import bake_of
from runbook.rollout.clock_rows import dated_wrongly
from runbook.rollout.roles import Person, sign_role
from runbook.rollout.sign_rows import LONGEST_SHOWN
from runbook.rollout.signing import refuse_claimed, refuse_signing, refuse_unreadable
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing, standing_of
from runbook.rollout.underway import refuse_if_underway
from runbook.show.answer import Answer
from runbook.system.clock import local_day_and_clock
from runbook.system.harmless import harmless
from runbook.system.refusals import Exit, Refusal
from runbook.system.settings import user_of_system

app = typer.Typer()


@command(app)
def sign(
    shared: Shared,
    name: Annotated[
        str,
        typer.Argument(
            metavar="ROLE|CHECK",
            help="A role of our stage, or an item: ID or LIST/ID.",
            autocompletion=completing.roles_and_items,
        ),
    ],
    evidence: Annotated[str, typer.Option("--evidence", metavar="TEXT|URL", help="What it rests on.")] = "",
    valid: Annotated[str | None, typer.Option("--valid", metavar="30d", help="How long the answer counts.")] = None,
    no: Annotated[bool, typer.Option("--no", help="The answer is no.")] = False,
) -> Answer:
    """Sign off the stage we are in, or answer a manual item of a checklist, a gate or an open incident.

    Yes, or --no. It is recorded with who and when. A sign-off counts for this rollout, this text of the playbook and
    this entry of the stage; who deployed cannot sign where the playbook says `not deployed_by`. A sample to be
    inspected is shown item by item.

    Example: runbook sign reviewed_by --evidence https://wiki.example.com/review
    """  # fmt: skip
    refuse_unreadable("--evidence", evidence)
    if valid is not None and parse_duration(valid) <= 0:
        raise Refusal(f"--valid {valid}: the answer would never count", next_steps=[f"runbook sign {name} --valid 30d"])
    site = open_site(shared)
    shown, _ = site.flags_or_trouble()
    standing = standing_of(site.playbook, site.state(), shown)
    meant = meant_by(site, standing, name)
    if meant.role is not None:
        return _role(site, standing, meant, yes=not no, evidence=evidence, valid=valid)
    if meant.item is not None:
        return _incident_item(site, meant.item, yes=not no, evidence=evidence, valid=valid)
    assert meant.check is not None  # one of the three was found
    if meant.check.kind == "inspect":
        return _inspected(shared, site, meant.check, no=no, evidence=evidence, valid=valid)
    if meant.check.checklist not in site.playbook.checklists:
        refuse_if_underway(site)
    record_answer(site, meant.check, yes=not no, evidence=evidence, valid=valid)
    return _answered(site, meant.check.title, yes=not no, evidence=evidence, next_=_after(site, meant.check))


def _after(site: Site, check: Check) -> str:
    return "runbook preflight" if check.checklist in site.playbook.checklists else "runbook gate"


def _answered(site: Site, title: str, *, yes: bool, evidence: str, next_: str, note: str = "") -> Answer:
    word, who = "yes" if yes else "no", Person(site.who.operator, site.who.known).shown
    answer = Answer(
        Exit.GO, f"{title}: {word}, by {who}", service=site.playbook.service, environment=site.environment.name
    )
    answer.page.mark("ok" if yes else "NO", title, word, f"by {who}", harmless(evidence, limit=LONGEST_SHOWN))
    for told in (note, dated_wrongly(site)):
        if told:
            answer.page.under(told)
    answer.page.next(next_)
    return answer


def _role(site: Site, standing: Standing, meant: Meant, *, yes: bool, evidence: str, valid: str | None) -> Answer:
    assert meant.role is not None and standing.position is not None  # else it would be no role of our stage
    role, where = meant.role.role, standing.position.name
    _refuse_valid(valid, f"{role} counts for as long as we are at {where}", role)
    refuse_if_underway(site)  # it would be said of a step that is being left
    refuse_claimed(site, f"runbook sign {role}", user_of_system(os.environ)[0])
    refuse_signing(site, standing, role)
    sign_role(site, standing, role, yes=yes, evidence=evidence)
    bake, note = bake_of(site, standing), ""
    if bake is not None and not bake.over:
        ends = local_day_and_clock(bake.ends_at, site.clock.wall())
        note = f"given before the bake is over ({ends}); a new build would ask for it again"
    return _answered(site, f"{role} of {where}", yes=yes, evidence=evidence, next_="runbook gate", note=note)


def _incident_item(site: Site, item: ChecklistItem, *, yes: bool, evidence: str, valid: str | None) -> Answer:
    _refuse_valid(valid, "it counts for as long as its incident is told of", item.id)
    record_item(site, item, yes=yes, evidence=evidence)
    return _answered(site, item.text, yes=yes, evidence=evidence, next_="runbook incident show")


def _inspected(shared: Shared, site: Site, check: Check, *, no: bool, evidence: str, valid: str | None) -> Answer:
    if no:
        raise Refusal(
            f"{check.title} is judged item by item: no answer is given beforehand",
            next_steps=[f"runbook sign {check.full_id}"],
        )
    judgement = judge_items(shared, site, check)
    if judgement is None:
        raise Refusal(
            f"{check.title} was left before the last item: nothing is recorded",
            exit_=Exit.UNKNOWN,
            next_steps=[f"runbook sign {check.full_id}"],
        )
    told = "; ".join(text for text in (judgement.evidence, evidence) if text)
    record_answer(site, check, yes=judgement.yes, evidence=told, valid=valid)
    return _answered(site, check.title, yes=judgement.yes, evidence=told, next_=_after(site, check))


def _refuse_valid(valid: str | None, why: str, name: str) -> None:
    if valid is not None:
        raise Refusal(f"--valid is for manual items: {why}", next_steps=[f"runbook sign {name}"])
