"""The bake as rows of a decision: how long the rung was watched, and how much of that."""

from __future__ import annotations

import math

from runbook.judge.clocks import cadence as slowest_look
from runbook.judge.facts import Facts
from runbook.judge.verdicts import Status
from runbook.judge.watched import Cadence, Pace, interval_at, next_look, watched_share
from runbook.language.durations import show_duration
from runbook.playbook.model import Bake
from runbook.rollout.bake import BakeStanding, bake_standing
from runbook.rollout.rows import Row
from runbook.rollout.samples import interval_of
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing
from runbook.rollout.versions import build_rows
from runbook.system.clock import local_day_and_clock


def bake_of(site: Site, standing: Standing) -> BakeStanding | None:
    """The bake of the rung we stand on; None where no step was entered yet."""
    position = standing.position
    if position is None or not standing.entered:
        return None
    environment = site.environment
    return bake_standing(
        _bake_asked(site, standing), position, site.clock, scale=environment.bake_scale, protected=environment.protected
    )


def _bake_asked(site: Site, standing: Standing) -> Bake | None:
    """What has to be waited where we are: after a partial way back its own time, off the ladder the stage's bake.

    A stage whose percentages each have a bake of their own lends that of the next one up.
    """
    rollback, position, stage = site.playbook.rollback, standing.position, standing.stage
    if position is not None and position.how == "partial" and rollback is not None and rollback.partial is not None:
        return rollback.partial.bake
    if standing.rung is not None:
        return standing.rung.bake
    if stage is None or position is None:
        return None
    bakes = [rung.bake for rung in stage.rungs if rung.percent >= position.percent]
    return stage.bake or next((bake for bake in bakes if bake is not None), None)


def bake_rows(site: Site, bake: BakeStanding, facts: Facts) -> list[Row]:
    """The build, the bake, and how much of it was watched."""
    rows = build_rows(site)
    now = site.clock.wall()
    if bake.asked > 0:
        opens = "" if bake.over else f"opens {local_day_and_clock(bake.ends_at, now)}"
        rows.append(
            Row(
                id="bake",
                title=f"bake {show_duration(bake.asked)}",
                kind="bake",
                status=Status.PASS if bake.over else Status.FAIL,
                observed=show_duration(bake.elapsed),
                expected=f">= {show_duration(bake.asked)}",
                message=opens,
                remedy="" if bake.over else f"wait {show_duration(bake.left)}",
            )
        )
    share = watched_of(site, facts, bake.asked)
    if share is not None and (bake.sampled_asked is not None or bake.asked > 0):
        rows.append(_watched_row(bake.sampled_asked, share, _paced(site, facts), _unread(facts)))
    return rows


def _watched_row(asked: float | None, share: float, paced: str, unread: str) -> Row:
    if asked is None:
        observed = f"{share:.0%}{paced}"
        return Row("sampled", "watched", "sampled", Status.PASS, observed, "no share is asked", unread, counts=False)
    enough = share >= asked
    # Rounded up, 79.6 % would be shown as the 80 % that it is not.
    shown = round(share * 100) if enough else math.floor(share * 100)
    return Row(
        id="sampled",
        title=f"watched {asked:.0%}",
        kind="sampled",
        status=Status.PASS if enough else Status.FAIL,
        observed=f"{shown}%{paced}",
        expected=f">= {asked:.0%}",
        message=unread,
        remedy="" if enough else "runbook watch --act",
    )


def _unread(facts: Facts) -> str:
    """Why the history of a source could not be read back, by metric; what is not told twice is told in a sentence."""
    metrics: dict[str, list[str]] = {}
    for name, series in facts.series.items():
        if series.unread:
            metrics.setdefault(series.unread, []).append(name)
    return "; ".join(f"the history of {', '.join(names)} was not read: {why}" for why, names in metrics.items())


def _paced(site: Site, facts: Facts) -> str:
    every = look_every(site, facts)
    return f" (a look every {show_duration(every)})" if every is not None else ""


def watched_of(site: Site, facts: Facts, asked: float = 0.0) -> float | None:
    """How much of the bake so far was watched: the least watched metric decides; None without metrics.

    It is counted against the cadence of the stage, where it has one, else against each metric's own interval. A bake of
    `asked` seconds that is over counts as it was when it ended, so that the time until somebody decides takes nothing
    away; or, where that is more, the last time of that length, so that a bake nobody watched can still be watched.
    """
    if facts.entered is None:
        return None
    spans = [(facts.entered, facts.now)]
    if 0 < asked < facts.now - facts.entered:
        spans = [(facts.entered, facts.entered + asked), (facts.now - asked, facts.now)]
    shares = [share for begin, end in spans if (share := _watched_between(site, facts, begin, end)) is not None]
    return max(shares, default=None)


def _watched_between(site: Site, facts: Facts, begin: float, end: float) -> float | None:
    cadence, scale = cadence_of(site, facts), site.environment.bake_scale
    shares = [
        watched_share(
            [sample.t for sample in facts.series[name].samples if sample.good],
            begin,
            end,
            cadence or interval_of(metric, scale),
        )
        for name, metric in site.playbook.metrics.items()
        if name in facts.series
    ]
    return min(shares, default=None)


def cadence_of(site: Site, facts: Facts) -> Cadence:
    """How often a person looks at the stage we are in, with the sandbox's scale; empty where the stage says nothing."""
    scale = site.environment.bake_scale
    stage = next((one for one in site.playbook.stages if one.name == facts.values.get("stage")), None)
    return tuple(
        Pace(slowest_look(pace.every * scale, scale), None if pace.for_ is None else pace.for_ * scale)
        for pace in (stage.cadence if stage is not None and facts.entered is not None else ())
    )


def look_every(site: Site, facts: Facts) -> float | None:
    """How many seconds apart a person is to look now; None where the stage has no cadence, or it has ended."""
    cadence = cadence_of(site, facts)
    if not cadence or facts.entered is None:
        return None
    every = interval_at(cadence, facts.now - facts.entered)
    return every if math.isfinite(every) else None


def next_look_due(site: Site, standing: Standing, facts: Facts) -> float | None:
    """When a person is next expected to look, in seconds since the epoch: in the past where a look is overdue.

    None where the stage has no cadence, where that has ended, and where no step was entered.
    """
    cadence = cadence_of(site, facts)
    if not standing.entered or not cadence or facts.entered is None:
        return None
    entered = facts.entered
    looks = [
        sample.t for series in facts.series.values() for sample in series.samples if sample.good and sample.t >= entered
    ]
    due = next_look(cadence, entered, max(looks, default=None), facts.now)
    return due if math.isfinite(due) else None
