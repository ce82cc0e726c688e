"""`runbook resume`: finish or undo an operation that was cut off."""

from __future__ import annotations

from typing import Annotated

import typer

from runbook.cli.boundary import command
from runbook.cli.options import Shared, Wait, Yes
from runbook.cli.talk import Telling, can_ask, choose_one, confirm, show
from runbook.cli.wiring import open_site
from runbook.language.durations import parse_duration
from runbook.rollout.notices import await_notices
from runbook.rollout.resume import CutOff, finish_cut_off, reopen, undo_cut_off
from runbook.rollout.site import Site
from runbook.rollout.underway import Underway, refuse_if_underway, said_of_steps, underway
from runbook.show.answer import Answer
from runbook.show.outcomes import ended_page
from runbook.show.page import Page
from runbook.show.rows import plan_rows
from runbook.system.refusals import Exit, Refusal

app = typer.Typer()


@command(app)
def resume(
    shared: Shared,
    finish: Annotated[bool, typer.Option("--finish", help="Do what was not done.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take back what was done.")] = False,
    yes: Yes = False,
    wait: Wait = None,
) -> Answer:
    """Finish or undo an operation that was cut off, by its journal; the playbook need not be readable.

    Says what was done and what was not, and asks which. Nothing cut off: exit 0.

    Example: runbook resume --undo
    """
    if finish and undo:
        raise Refusal("--finish and --undo are two ways; choose one", next_steps=["runbook resume --undo"])
    site = open_site(shared, tolerant=True)
    found = underway(site)
    if found is None:
        answer = Answer(
            Exit.GO, "nothing was cut off", service=site.playbook.service, environment=site.environment.name
        )
        answer.page.verdict("GO", "nothing was cut off")
        answer.page.next("runbook status")
        return answer
    if found.alive:
        refuse_if_underway(site)
    page = Page()
    page.verdict("CUT OFF", found.what)
    page.line(f"  {said_of_steps(found)}")
    show(shared, page) if not shared.quiet else None
    which = _which(finish, undo)
    confirm(
        shared,
        f"{'Finish' if which == 'finish' else 'Undo'} {found.header.kind} to {found.header.to}?",
        yes=yes or not can_ask(),
    )
    return _resumed(shared, site, found, which, parse_duration(wait) if wait else 0.0)


def _which(finish: bool, undo: bool) -> str:
    if finish or undo:
        return "finish" if finish else "undo"
    if not can_ask():
        raise Refusal("finish it or undo it? There is no terminal to ask.", next_steps=["give --finish", "give --undo"])
    return choose_one("Finish it or undo it?", ["finish", "undo"])


def _resumed(shared: Shared, site: Site, found: Underway, which: str, wait: float) -> Answer:
    cut: CutOff = reopen(site, found)
    listener = Telling(shared)
    ended = finish_cut_off(cut, listener, wait=wait) if which == "finish" else undo_cut_off(cut, listener, wait=wait)
    await_notices(site, ended.operation, listener)
    steps = ("runbook status",) if ended.exit is Exit.GO else ("runbook resume", "runbook rollback --emergency")
    return Answer(
        ended.exit, ended.message, ended_page(ended, site, next_steps=steps), site.playbook.service,
        site.environment.name,
        lists={"plan": plan_rows(cut.plan.records(), ended.results), "by_hand": list(ended.by_hand)},
    )  # fmt: skip
