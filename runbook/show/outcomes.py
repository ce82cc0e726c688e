"""Screens of what was done: how an operation ended, and what is left to do by hand."""

from __future__ import annotations

from runbook.language.durations import show_duration
from runbook.rollout.operation import Ended
from runbook.rollout.planning import flags_are_safe, safe_values
from runbook.rollout.site import Site
from runbook.show.page import Page, Span
from runbook.system.refusals import Exit


def ended_page(ended: Ended, site: Site, *, next_steps: tuple[str, ...], word: str | None = None) -> Page:
    """How an operation ended: the word first, what is true now, what to do by hand, what to type next."""
    page = Page()
    words = {Exit.GO: "GO", Exit.NO_GO: "NO-GO", Exit.FAILED: "FAILED", Exit.BUSY: "FAILED"}
    page.verdict(word or words.get(ended.exit, "STOPPED"), ended.message)
    by_hand(page, ended)
    if site.store is None and site.store_trouble:
        page.line(f"The store is away: {site.store_trouble}. What happened is kept and sent later.", indent=2)
    page.next(*next_steps)
    return page


def by_hand(page: Page, ended: Ended) -> None:
    """The lines to type for what did not work."""
    if not ended.by_hand:
        return
    count = len(ended.by_hand)
    page.line(Span(f"{count} step{'' if count == 1 else 's'} did not work. Do this now:", "bold red"))
    for line in ended.by_hand:
        page.line(f"  {line}", indent=4)


def emergency_page(ended: Ended, site: Site, objective: float | None) -> Page:
    """The end of an emergency: safe, or what is left to do by hand; and the time it took against the objective."""
    page = Page()
    if ended.exit is Exit.GO:
        page.verdict(
            "SAFE" if _is_safe(site) else "GO", f"after {show_duration(ended.seconds)}", held_to(ended, objective)
        )
        page.line(ended.message)
    else:
        page.verdict("UNSAFE", ended.message)
        by_hand(page, ended)
    if ended.incident is not None:
        page.line(f"Incident {ended.incident} is open. Ramps are refused until it is resolved.", indent=2)
    if site.store is None:
        page.line(f"The store is away ({site.store_trouble}). What happened is kept and sent later.", indent=2)
    if site.unkept:
        page.line(f"What happened could not be kept: {site.unkept}", indent=2)
    if ended.exit is Exit.GO:
        page.next("runbook incident report")
    else:
        page.next("the lines above, then  runbook rollback --emergency", "runbook incident report")
    return page


def held_to(ended: Ended, objective: float | None) -> str:
    """The time it took, held against the objective."""
    if objective is None:
        return ""
    return f"{'within' if ended.seconds <= objective else 'later than'} the objective of {show_duration(objective)}"


def _is_safe(site: Site) -> bool:
    """Whether the flags are the safe ones: past a `one_way` stage an emergency ends elsewhere."""
    return not safe_values(site.playbook) or flags_are_safe(site)
