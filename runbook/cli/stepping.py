"""The ways down along the ladder, from the command line: shown, asked for, done."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.cli.options import Shared
from runbook.cli.recovering import stay_for_recovery
from runbook.cli.talk import Consent, Telling, plan_page, show
from runbook.cli.wiring import open_site
from runbook.rollout.notices import await_notices
from runbook.rollout.operation import Ended
from runbook.rollout.rollback import WayBack, carry_back, propose_back
from runbook.rollout.site import Site
from runbook.rollout.underway import wait_until_free
from runbook.show.answer import Answer
from runbook.show.outcomes import ended_page
from runbook.show.page import Page
from runbook.show.rows import plan_rows
from runbook.system.refusals import Exit


@dataclass(frozen=True)
class Asked:
    """What was typed with a way down. `waiting` is how long another operator is waited for, seconds."""

    shared: Shared
    consent: Consent
    dry_run: bool
    watch: bool
    reason: str
    waiting: float


def step_back(asked: Asked, target: str | None, how: str) -> Answer:
    """Go down once: the plan, the question, and how it came out."""
    site = open_site(asked.shared)
    wait_until_free(site, asked.waiting)
    way = propose_back(site, target, how)
    if way.plan is None:
        return nothing_to_do(site, way)
    if asked.dry_run:
        page = back_screen(site, way)
        page.line("Dry run: nothing was changed.")
        return _answer(site, way, Exit.GO, "dry run: nothing was changed", page, plan_rows(way.plan.records()))
    ask_for(asked, site, way)
    answer, ended = go_down(asked, site, way)
    if asked.watch and ended.outcome == "done":
        return stay_for_recovery(asked.shared, site, answer, asked=True)
    return answer


def go_down(asked: Asked, site: Site, way: WayBack) -> tuple[Answer, Ended]:
    """Carry it out, and show what became of the notices for it."""
    listener = Telling(asked.shared)
    ended = carry_back(site, way, listener, reason=asked.reason, wait=asked.waiting)
    await_notices(site, ended.operation, listener)
    return ended_answer(site, way, ended), ended


def nothing_to_do(site: Site, way: WayBack) -> Answer:
    """The answer where there is no way further down."""
    page = Page()
    page.verdict("GO", way.message)
    page.next("runbook status")
    lists: dict[str, object] = {"plan": [], "how": way.how}
    return Answer(Exit.GO, way.message, page, site.playbook.service, site.environment.name, lists=lists)


def ask_for(asked: Asked, site: Site, way: WayBack, more: str = "") -> None:
    """Show the plan, and ask. Raises `Refusal` where it is not confirmed."""
    assert way.plan is not None  # the caller looked
    if not asked.shared.quiet:
        show(asked.shared, back_screen(site, way))
    question = f"Go back to {way.plan.to} in {site.environment.name}{more}?"
    asked.consent.ask(asked.shared, site.environment, question)


def ended_answer(site: Site, way: WayBack, ended: Ended) -> Answer:
    """How one way down ended."""
    assert way.plan is not None  # it was carried out
    half_done = ("runbook resume --finish", "runbook rollback --emergency")
    steps = half_done if ended.outcome == "half-done" else ("runbook status",)
    rows = plan_rows(way.plan.records(), ended.results)
    answer = _answer(site, way, ended.exit, ended.message, ended_page(ended, site, next_steps=steps), rows)
    answer.lists |= {"by_hand": list(ended.by_hand), "seconds": round(ended.seconds, 3)}
    return answer


def back_screen(site: Site, way: WayBack, word: str = "") -> Page:
    """The plan of a way back; `word` stands first, else the name of the way."""
    page = Page()
    assert way.plan is not None  # the caller looked
    page.verdict(word or way.how.upper(), site.name, f"{way.plan.came_from} -> {way.plan.to}")
    if way.message:
        page.line(way.message, indent=2)
    plan_page(page, way.plan)
    return page


def _answer(site: Site, way: WayBack, exit_: Exit, message: str, page: Page, plan: object) -> Answer:
    to = way.to
    return Answer(
        exit_, message, page, site.playbook.service, site.environment.name,
        lists={
            "plan": plan, "how": way.how, "stage": to.stage.name if to else None, "percent": to.percent if to else None,
        },
    )  # fmt: skip
