"""Going down in parts, as far as it takes: each step watched for its bake, and the next one when nothing improved."""

from __future__ import annotations

from runbook.cli.stepping import Asked, ask_for, go_down, nothing_to_do
from runbook.cli.talk import Telling, say
from runbook.cli.watching import Live, watch_answer
from runbook.cli.wiring import open_site
from runbook.language.durations import show_duration
from runbook.rollout.improvement import GateSeen, Improvement, gates_now, improved
from runbook.rollout.notices import await_notices
from runbook.rollout.rollback import propose_back
from runbook.rollout.site import Site
from runbook.rollout.underway import wait_until_free
from runbook.rollout.watch import watch
from runbook.show.answer import Answer
from runbook.show.page import Page
from runbook.system.refusals import Exit, Refusal


def go_down_in_parts(asked: Asked) -> Answer:
    """Down in part, watched for its bake with the triggers armed, and further down as long as nothing improved.

    Each step is an operation of its own; it ends where it helped, where that cannot be told, or at the safe flags.
    """
    site = open_site(asked.shared)
    wait_until_free(site, asked.waiting)
    refuse_without_bake(site)
    before = gates_now(site)
    way = propose_back(site, how="partial")
    if way.plan is None:
        return nothing_to_do(site, way)
    ask_for(asked, site, way, ", and further down while nothing improves")
    while True:
        answer, ended = go_down(asked, site, way)
        if ended.outcome != "done" or (way.to is not None and not way.to.off and way.to.index == 0):
            return answer
        stayed = _stay(asked, site, answer, before)
        if isinstance(stayed, Answer):
            return stayed
        site.forget_state()
        way = propose_back(site, how="partial")
        if way.plan is None:
            return nothing_to_do(site, way)
        say(asked.shared, f"nothing improved ({stayed.said}); further down, to {way.plan.to}")


def refuse_without_bake(site: Site) -> None:
    """Raises `Refusal` where the partial way back has no time in which it could be seen whether it helped."""
    partial = site.playbook.rollback.partial if site.playbook.rollback else None
    if partial is not None and not partial.bake.at_least:
        raise Refusal(
            "rollback.partial has no bake, so there is no time in which it could be seen whether it helped",
            next_steps=["add to rollback.partial:  bake: 2h", "runbook rollback --partial  without --watch"],
        )


def _stay(asked: Asked, site: Site, answer: Answer, before: tuple[GateSeen, ...]) -> Answer | Improvement:
    """Stay for the bake: the answer where this is the end, else why it goes further down."""
    partial = site.playbook.rollback.partial if site.playbook.rollback else None
    seconds = (partial.bake.at_least if partial else 0.0) * site.environment.bake_scale
    say(asked.shared, f"watching for {show_duration(seconds)} whether that helps")
    shared, listener = asked.shared, Telling(asked.shared)
    watched = watch(site, listener, act=True, seconds=None, to_the_end=True, shown=Live(shared, site))
    if watched.acted is not None:
        await_notices(site, watched.acted.ended.operation, listener, within=0.0)
    if watched.why != "bake over":
        return watch_answer(site, watched, armed=True)
    result = improved(before, gates_now(site))
    if result.better is False:
        return result
    where = f"{site.playbook.service} stays at {answer.lists['stage']}@{answer.lists['percent']:g}"
    exit_, word = (Exit.GO, "GO") if result.better else (Exit.UNKNOWN, "UNKNOWN")
    told = f"improved: {result.said}" if result.better else f"whether it helped cannot be told: {result.said}"
    page = Page()
    page.verdict(word, f"{where}. {told}")
    page.next("runbook gate", *(() if result.better else ("runbook rollback --partial  goes further down",)))
    answer.exit, answer.message, answer.page = exit_, f"{where}; {told}", page
    return answer
