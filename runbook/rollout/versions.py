"""Which build runs: a new one in mid-bake begins the bake again, since what was seen is of the one before."""

from __future__ import annotations

from runbook.judge.verdicts import Status
from runbook.rollout.looking import Look
from runbook.rollout.rows import Row
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing
from runbook.store.base import StoreAway
from runbook.store.state import Position
from runbook.system.clock import local_day_and_clock

LONGEST = 100  # characters; what is longer is a page and no version
TOLD_AGAIN = 60.0  # seconds between two records of builds that answer in turn: each look may see another one


def note_version(site: Site, standing: Standing, look: Look) -> str:
    """Record the build that this look saw where we stand: the first one there, or that a new one came in.

    A sentence is given where a new build began the bake again, or two answer in turn. What is no version (no answer, a
    page of HTML) changes nothing, nor does what is seen while an operation is under way: it redeploys, and enters its
    position itself.
    """
    seen, position = build_in(look), standing.position
    if seen is None or position is None or not standing.entered or position.version == seen:
        return ""
    site.forget_state()  # somebody else may have looked, or moved the service, meanwhile
    state = site.state()
    here = state.position
    if here is None or here.since != position.since or here.version == seen or state.operation is not None:
        return ""
    if here.version is None:
        site.record(site.event("version.seen", {"version": seen}, epoch=state.epoch))
        return ""
    in_turn = _was_here(site, here, seen)
    if not (in_turn and 0 <= site.clock.wall() - (here.rebaked or 0) < TOLD_AGAIN * site.environment.bake_scale):
        clocks = {"boot": site.clock.boot_id(), "boot_time": site.clock.boot_time()}
        told = {"version": seen, "before": here.version, **clocks}
        site.record(site.event("bake.restarted", told, epoch=state.epoch))
    if in_turn:
        return f"the builds {here.version} and {seen} answer in turn: the bake begins again until only one of them runs"
    return f"a new build {seen} (it was {here.version}) came in mid-bake: the bake begins again"


def _was_here(site: Site, here: Position, version: str) -> bool:
    """Whether this build was the one before the last new one at this position: it came, went, and is there again."""
    if site.store is None or here.rebaked is None:
        return False
    try:
        recorded = site.store.events(site.chain, since=int(here.since * 1e6))
    except StoreAway as away:
        site.lose_store(away)
        return False
    newest = next((one.event for one in reversed(recorded) if one.event.kind == "bake.restarted"), None)
    return newest is not None and newest.payload.get("before") == version


def build_in(look: Look) -> str | None:
    """The version that a look saw: one short line of text, or a number; None for anything else."""
    found = look.version
    if found is None or found.status is not Status.PASS:
        return None
    value = found.value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
    fits = 0 < len(text) <= LONGEST and text.isprintable() and not text.startswith("<")
    return text if fits else None


def build_told(position: Position, now: float) -> str:
    """The build at a position, as a screen says it; empty where none was seen."""
    if position.version is None:
        return ""
    if position.rebaked is None:
        return position.version
    return f"{position.version} since {local_day_and_clock(position.rebaked, now)}, bake began again"


def build_rows(site: Site) -> list[Row]:
    """The build where we stand as a row of a decision: it is shown and does not count."""
    position = site.state().position
    told = build_told(position, site.clock.wall()) if position is not None else ""
    return [Row("build", "build", "build", Status.PASS, told, counts=False)] if told else []
