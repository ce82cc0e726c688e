"""Which build runs: a new one in mid-bake begins the bake again, since what was seen is of the one before."""

from __future__ import annotations

from runbook.judge.verdicts import Status
from runbook.rollout.looking import Look
from runbook.rollout.rows import Row
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing
from runbook.store.state import Position
from runbook.system.clock import local_day_and_clock

LONGEST = 100  # characters; what is longer is a page and no version


def note_version(site: Site, standing: Standing, look: Look) -> str:
    """Record the build that this look saw where we stand: the first one there, or that a new one came in.

    A sentence is given where a new build began the bake again. What is no version (no answer, a page of HTML) changes
    nothing, nor does what is seen while an operation is under way: it redeploys, and enters its position itself.
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
    clocks = {"boot": site.clock.boot_id(), "boot_time": site.clock.boot_time()}
    told = {"version": seen, "before": here.version, **clocks}
    site.record(site.event("bake.restarted", told, epoch=state.epoch))
    return f"a new build {seen} (it was {here.version}) came in mid-bake: the bake begins again"


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
