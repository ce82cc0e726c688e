"""The lines of `status` on what is open: who watches, what is due, incidents, the matrix, holds, locks."""

from __future__ import annotations

from collections.abc import Sequence

from runbook.incidents.checklist import checklist_of
from runbook.judge.verdicts import Status
from runbook.language.durations import show_duration
from runbook.rollout.clock_rows import clock_rows
from runbook.rollout.glance import Glance
from runbook.rollout.recovery import awaited
from runbook.rollout.references import counts_now, of_this_journey
from runbook.rollout.rows import Row
from runbook.rollout.site import Site
from runbook.rollout.versions import build_told
from runbook.show.card import Card
from runbook.show.page import Span, shortened
from runbook.store.base import LeaseView
from runbook.store.state import Hold
from runbook.system.clock import local_day_and_clock


def open_lines(
    card: Card, site: Site, glance: Glance, lease: LeaseView | None, rules: Sequence[Row], triggers: int
) -> None:
    """Each matter on a line; what there is none of on one line at the end."""
    now = site.clock.wall()
    if glance.standing.entered and glance.danger.word != "STABLE":
        _watching(card, glance, now, triggers)
    _numbers(card, site, glance, now)
    _people(card, glance, rules, now)
    for number, row in enumerate(glance.countdowns):
        told = row.line(now)
        if row.command == glance.step.command:  # the end of the screen says it
            told = told.removesuffix(f": {row.command}")
        card.add("matrix", shortened(told, 150), spare=20 if number else 0)
    for number, (incident, response) in enumerate(reversed(glance.responses)):
        items = checklist_of(incident, glance.state.answers)
        done = f"{sum(1 for one in items if one.done)} of {len(items)} done" if items else ""
        opened = f"open for {show_duration(max(0, round(now - incident.opened)))}"
        told = ", ".join(word for word in (opened, response.words(), done) if word)
        lead = Span(f"{incident.id} {incident.severity}", "bold red")
        card.add("incident", lead, f" {shortened(incident.title, 60)}, {told}", spare=20 if number else 0)
    _hold_and_lock(card, site, glance, lease, now)


def _watching(card: Card, glance: Glance, now: float, triggers: int) -> None:
    watcher = glance.watcher
    told = "nobody"
    if watcher is not None:
        looked = show_duration(max(0, round(now - watcher.looked)))
        told = f"{shortened(watcher.who, 30)} on {shortened(watcher.host, 30)}, looked {looked} ago"
    armed = "" if watcher and watcher.armed else ", triggers are not armed"
    card.add("watching", f"{told}{armed} ({triggers} trigger{'' if triggers == 1 else 's'})", spare=2)


def _numbers(card: Card, site: Site, glance: Glance, now: float) -> None:
    """What the numbers are held against, which build they are of, and whether they have come back."""
    state, position = glance.state, glance.standing.position
    captured = state.baseline
    if captured is not None and counts_now(state, captured) and captured.numbers:
        most = max(n for _, n, _ in captured.numbers.values())
        # After a way back it tells whether the service recovers; the next rollout has a baseline of its own.
        past = "" if of_this_journey(state, captured) else ", of the rollout before: not for the next one"
        card.add("baseline", f"of {captured.stage}@{captured.percent:g}, n {most:,}{past}", spare=14)
    if position is not None and glance.standing.entered and (build := build_told(position, now)):
        card.add("build", shortened(build, 100), spare=13 if position.rebaked is None else 1)
    condition = awaited(site) if site.store is not None else ""
    if condition:
        card.add("recovery", f"not yet seen: {shortened(condition, 90)}", spare=1)
    elif state.recovered is not None and state.way_back is not None and position is not None and position.how != "ramp":
        took = show_duration(max(0, round(state.recovered - state.way_back.at + state.way_back.seconds)))
        card.add("recovery", f"the numbers had recovered after {took}", spare=12)


def _people(card: Card, glance: Glance, rules: Sequence[Row], now: float) -> None:
    """Who has signed, and what people have still to do: sign, look."""
    signs = [row for row in rules if row.kind == "sign"]
    given = [f"{row.id} {row.observed}" for row in signs if row.status is Status.PASS]
    if given:
        card.add("signed", shortened(" · ".join(given), 140), spare=11)
    due = [row.id for row in signs if row.status in (Status.FAIL, Status.UNKNOWN)]
    parts = [f"sign {', '.join(due)}"] if due else []
    if glance.next_look is not None:
        when = local_day_and_clock(glance.next_look, now)
        late = show_duration(max(1, round(now - glance.next_look)))
        parts.append(f"look by {when}" if glance.next_look > now else f"a look was due {when}, {late} ago")
    if parts:
        card.add("due", shortened(" · ".join(parts), 150))


def _hold_and_lock(card: Card, site: Site, glance: Glance, lease: LeaseView | None, now: float) -> None:
    hold, locked = glance.state.hold_at(now), lease is not None and lease.live
    if hold is not None:
        until = f" until {local_day_and_clock(hold.until, now)}" if hold.until else ""
        card.add("hold", Span(f"{_holder(hold)}{until}", "bold yellow"), f" {shortened(hold.reason, 120)}")
    if lease is not None and locked:
        held = lease.lease
        card.add("lock", f"{held.holder.operator} on {held.holder.host}, {held.kind}, {held.doing}", spare=3)
    for row in clock_rows(site) if site.store is not None else ():
        card.add("clock", Span(row.observed, "red"))
    if site.store is None:
        card.add("store", Span(f"away: {shortened(site.store_trouble, 120)}", "red"))
    rollout = f"rollout {glance.state.rollout}" if glance.state.rollout is not None else ""
    stable = glance.state.stable if glance.danger.word == "STABLE" else None
    quiet = {
        rollout: bool(rollout),
        f"stable since {local_day_and_clock(stable, now)}" if stable else "": stable is not None,
        "no incident": not glance.responses,
        "no hold": hold is None,
        "lock free": not locked,
    }
    if any(quiet.values()):
        card.add("open", " · ".join(word for word, so in quiet.items() if so), spare=1)


def _holder(hold: Hold) -> str:
    return "by a trigger" if hold.automatic else f"by {hold.by}"
