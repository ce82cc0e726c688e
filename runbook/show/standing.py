"""The screen of `status`: one service in one environment, from the store and files alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runbook.incidents.severity import respond_by
from runbook.judge.facts import Sample
from runbook.judge.verdicts import Status
from runbook.language.durations import show_duration
from runbook.language.units import show_value
from runbook.rollout.bake import BakeStanding, elapsed_since
from runbook.rollout.rows import Row
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing, ways_out_of_drift
from runbook.rollout.underway import Underway, said_of_steps
from runbook.rollout.watchers import Watcher
from runbook.show.page import Page, Span
from runbook.store.base import LeaseView
from runbook.store.state import Hold, Incident
from runbook.system.clock import local_clock, local_day_and_clock

BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Seen:
    """What `status` gathered."""

    standing: Standing
    bake: BakeStanding | None
    underway: Underway | None
    lease: LeaseView | None
    watcher: Watcher | None
    samples: Mapping[str, Sequence[Sample]]
    rules: Sequence[Row] = ()
    flags_trouble: str = ""


def status_page(site: Site, seen: Seen) -> Page:
    """The screen: what is cut off or held first, then where we are and what comes."""
    page = Page()
    _first_line(page, site, seen)
    if seen.underway is not None:
        _under_way(page, seen.underway)
    _ladder(page, site, seen.standing)
    _bake(page, site, seen)
    for name, samples in seen.samples.items():
        _metric(page, site, name, samples)
    _open(page, site, seen)
    # While something is cut off, what it did is no riddle.
    for drift in seen.standing.drift if seen.underway is None else ():
        page.line("  drift      ", Span(str(drift), "red"), indent=13)
    if seen.standing.gone:
        page.line("  position   ", Span("the playbook has no such stage any more", "red"), indent=13)
    if seen.flags_trouble:
        page.line("  flags      ", Span(seen.flags_trouble, "red"), indent=13)
    _next(page, site, seen)
    return page


def _first_line(page: Page, site: Site, seen: Seen) -> None:
    position = seen.standing.position
    if position is None:
        where = "before the first stage"
    elif seen.standing.entered:
        where = f"{position.name} for {show_duration(elapsed_since(position, site.clock))}"
    else:
        where = f"{position.name}, by its flag file"
    hold = site.state().hold_at(site.clock.wall())
    word = "CUT OFF" if seen.underway and not seen.underway.alive else "HELD" if hold else ""
    page.line(Span(site.name, "bold"), f"   {where}", Span(f"   {word}" if word else "", "bold red"))


def _under_way(page: Page, found: Underway) -> None:
    word = "at work    " if found.alive else "cut off    "
    page.line(f"  {word}", Span(found.what, "bold red" if not found.alive else "yellow"), indent=13)
    page.line(f"             {said_of_steps(found)}", indent=13)


def _ladder(page: Page, site: Site, standing: Standing) -> None:
    if not standing.rungs:
        return
    parts: list[str] = []
    for stage in site.playbook.stages:
        here = standing.position if standing.position and standing.position.stage == stage.name else None
        if here is not None and len(stage.rungs) > 1:
            steps = (
                f"[{rung.percent:g}]" if rung.percent == here.percent else f"{rung.percent:g}" for rung in stage.rungs
            )
            parts.append(f"{stage.name} {', '.join(steps)}")
        else:
            text = f"{stage.name} {', '.join(f'{rung.percent:g}' for rung in stage.rungs)}"
            parts.append(f"[{text}]" if here else text)
    page.line("  ladder     " + " > ".join(parts), indent=13)


def _bake(page: Page, site: Site, seen: Seen) -> None:
    bake = seen.bake
    if bake is None or bake.asked <= 0:
        return
    full = round(20 * bake.share)
    now = site.clock.wall()
    told = "over" if bake.over else f"opens {local_day_and_clock(bake.ends_at, now)}, {show_duration(bake.left)} left"
    watched = "" if bake.sampled is None else f", watched {bake.sampled:.0%}"
    page.line("  bake       ", Span("#" * full + "-" * (20 - full), "cyan"), f"  {told}{watched}", indent=13)


def _metric(page: Page, site: Site, name: str, samples: Sequence[Sample]) -> None:
    metric = site.playbook.metrics[name]
    good = [sample for sample in samples if sample.good]
    if not samples:
        return
    newest = samples[-1]
    value = show_value(newest.value, metric.unit) if newest.good else "??"
    age = show_duration(max(0.0, site.clock.wall() - newest.t))
    spark = sparkline([float(sample.value) for sample in good if isinstance(sample.value, (int, float))])
    style = "" if newest.good else "yellow"
    target = f"  {metric.target}" if metric.target else ""
    page.line(f"  {name:<16} ", Span(f"{value:>9}", style), f"  {spark:<8}{target}   {age} ago", indent=19)


def sparkline(values: Sequence[float], width: int = 8) -> str:
    """The last values as bars; all on one line when they are equal."""
    last = list(values)[-width:]
    if not last:
        return ""
    low, high = min(last), max(last)
    if high == low:
        return BARS[2] * len(last)
    return "".join(BARS[round((value - low) / (high - low) * (len(BARS) - 1))] for value in last)


def _open(page: Page, site: Site, seen: Seen) -> None:
    """Who watches, what is due, incidents, hold, lock; what is not there in one line at the end."""
    now = site.clock.wall()
    if seen.standing.entered:
        _watching(page, seen, now)
    for row in seen.rules:
        if row.kind == "sign" and row.status is not Status.PASS:
            page.line(f"  due        sign {row.id}: {row.title}", indent=13)
    incidents, hold = site.state().open_incidents(), site.state().hold_at(now)
    for incident in incidents:
        _incident(page, site, incident, now)
    if hold is not None:
        until = f" until {local_day_and_clock(hold.until, now)}" if hold.until else ""
        page.line("  hold       ", Span(f"{_holder(hold)}{until}", "bold yellow"), f" {hold.reason}", indent=13)
    locked = seen.lease is not None and seen.lease.live
    if seen.lease is not None and locked:
        lease = seen.lease.lease
        page.line(
            f"  lock       {lease.holder.operator} on {lease.holder.host}, {lease.kind}, {lease.doing}", indent=13
        )
    quiet = {"no incident": not incidents, "no hold": hold is None, "lock free": not locked}
    if any(quiet.values()):
        page.line(f"  open       {' · '.join(word for word, so in quiet.items() if so)}", indent=13)
    if site.store is None:
        page.line("  store      ", Span(f"away: {site.store_trouble}", "red"), indent=13)


def _watching(page: Page, seen: Seen, now: float) -> None:
    watcher = seen.watcher
    told = "nobody"
    if watcher is not None:
        told = f"{watcher.who} on {watcher.host}, looked {show_duration(max(0.0, now - watcher.looked))} ago"
    armed = "" if watcher and watcher.armed else ", triggers are not armed"
    count = sum(1 for row in seen.rules if row.kind == "trigger")
    page.line(f"  watching   {told}{armed} ({count} trigger{'' if count == 1 else 's'})", indent=13)


def _incident(page: Page, site: Site, incident: Incident, now: float) -> None:
    due = respond_by(site.playbook.severities, incident.severity, incident.opened)
    when = f", answer due {local_clock(due)}" if due and due > now else ""
    page.line(
        "  incident   ",
        Span(f"{incident.id} {incident.severity}", "bold red"),
        f" {incident.title}, open for {show_duration(max(0.0, now - incident.opened))}{when}",
        indent=13,
    )


def _holder(hold: Hold) -> str:
    return "by a trigger" if hold.automatic else f"by {hold.by}"


def _next(page: Page, site: Site, seen: Seen) -> None:
    if seen.underway is not None and not seen.underway.alive:
        page.next("runbook resume", "runbook rollback --emergency")
        return
    following = seen.standing.next
    if seen.standing.drift or seen.standing.gone:
        page.next(*ways_out_of_drift(seen.standing))
        return
    if not seen.standing.entered and following is not None:
        page.next(f"runbook preflight, then  runbook ramp {following.percent:g}")
    elif site.state().open_incidents():
        page.next("runbook incident show")
    elif site.state().hold_at(site.clock.wall()):
        page.next("runbook release")
    else:
        page.next("runbook gate")
    position = seen.standing.position
    if seen.standing.entered and position is not None and seen.standing.rung != seen.standing.rungs[0]:
        page.next("runbook rollback", label="Back")
