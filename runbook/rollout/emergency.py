"""The emergency: back to the safe flags, whatever else is broken; past a `one_way` stage to that stage's own fallback.

It needs no store, no metrics, no terminal, no whole playbook. It ends what runs, sets the values over whatever stands
there, redeploys, verifies, and tells the store or the spool afterwards.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from runbook.actions.journal import Entry, Header, Journal, TakenOver, open_journals
from runbook.actions.listener import Listener
from runbook.actions.runner import walk
from runbook.actions.steps import Plan
from runbook.rollout.aftermath import aftermath
from runbook.rollout.ladder import percent_shown
from runbook.rollout.lock import emergency_lock, machine_locked_if_free
from runbook.rollout.operation import Aim, Ended, begin, means_of, new_operation
from runbook.rollout.planning import emergency_plan, safe_values, values_of
from runbook.rollout.ramp import overtaken
from runbook.rollout.refuge import position_aimed_at, refuge_of, standing_in_emergency
from runbook.rollout.rollback import end_of_way_back
from runbook.rollout.site import Site
from runbook.rollout.underway import settle
from runbook.rollout.ways_down import Way
from runbook.store.base import Busy, StoreAway
from runbook.system.processes import end_marked, process_identity
from runbook.system.refusals import Exit

LETTING_GO = 2.0  # seconds; a process that can run sees at its next entry that it was taken over
ATTACH_LIMIT = 30.0  # seconds without progress after which a second emergency takes over from the first


@dataclass(frozen=True)
class Alarm:
    """Why an emergency is declared. `rule` names the trigger when a robot decided."""

    reason: str = ""
    rule: str = ""
    takeover: bool = False


def emergency(site: Site, listener: Listener, alarm: Alarm) -> Ended:
    """Go to the safe flags. A second emergency attaches to a first that lives, and takes over when it stands still."""
    operation, takeover = new_operation(), alarm.takeover
    site.insist = True
    site.interruptions.stubborn(lambda: listener.say("still working; once more stops at the next safe point"))
    with site.interruptions:
        while True:
            try:
                return _once(site, listener, alarm, operation, takeover)
            except Busy as first:
                ended = _attach(site, listener, first)
                if ended is not None:
                    return ended
                takeover = True


def _once(site: Site, listener: Listener, alarm: Alarm, operation: str, takeover: bool) -> Ended:
    with emergency_lock(site, operation, takeover=takeover) as lock:
        site.forget_state()
        out = way_out(site)
        plan, (stage, percent) = out.plan, position_aimed_at(out.way)
        aim = Aim(stage, percent, out.values, alarm.reason, alarm.rule, site.state().rollout)
        # Our own journal stands before another's is closed: killed in between, there is still one that tells.
        journal = begin(site, plan, aim, lock, operation, store_needed=False)
        end_what_runs(site, operation, listener.say)
        shown = safe_percent(site) if out.way.safe else percent
        means = means_of(site, lock, operation, listener, {"percent": f"{shown:g}", "stage": stage})
        with machine_locked_if_free(site):
            try:
                results = walk(plan, journal, means, go_on=True)
            except TakenOver:
                return overtaken(operation)
            opened: list[int] = []
            ended = end_of_way_back(
                site,
                journal,
                plan,
                results,
                how="emergency",
                safe=out.way.safe,
                extra=lambda: aftermath(site, journal, opened),
            )
    return replace(ended, incident=opened[0] if opened else None)


def end_what_runs(site: Site, ours: str, say: Callable[[str], None]) -> None:
    """End what an operation before us still does, and take its journal away: its next entry stops it."""
    for journal in open_journals(site.journals, site.slug):
        if journal.header.operation == ours:
            continue
        if journal.ended is not None:
            settle(site, journal)
            continue
        header = journal.header
        journal.insist = True
        marks = journal.unfinished()
        with contextlib.suppress(TakenOver, OSError):  # it ended by itself, or the disk says no
            journal.take_away(_closing(site, journal))
        count = sum(end_marked(mark) for mark in marks)
        _end_process(header)
        ended = f"; ended {count} process{'' if count == 1 else 'es'} of it" if count else ""
        say(f"took over from {header.kind} to {header.to} by {header.who.operator}{ended}")
        settle(site, journal)


def _end_process(header: Header) -> None:
    """See that the process of the operation before us lets go: frozen, it could wake up in the middle of its step."""
    pid, started, boot, namespace = header.process
    until = time.monotonic() + LETTING_GO
    while pid not in (0, os.getpid()) and process_identity(pid) == (int(started or 0), boot, namespace):
        if time.monotonic() > until:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.05)


def _closing(site: Site, journal: Journal) -> Entry:
    """The entry that ends the operation before us, with the events that tell of it."""
    header = journal.header
    told = {
        "outcome": "taken-over",
        "kind": header.kind,
        "from": header.came_from,
        "to": header.to,
        "message": "ended by an emergency",
    }
    ended = site.event("operation.ended", told, operation=header.operation, epoch=header.epoch)
    events = (*journal.announced(), ended)
    return Entry(state="ended", at=site.clock.wall(), outcome="taken-over", message="by an emergency", events=events)


@dataclass(frozen=True)
class WayOut:
    """Where the emergency goes, the values it sets, and its plan."""

    way: Way
    values: dict[str, str]
    plan: Plan


def way_out(site: Site) -> WayOut:
    """What the emergency would do from here: to the safe flags, or to the fallback of a `one_way` stage."""
    shown, _ = site.flags_or_trouble()
    standing = standing_in_emergency(site, shown)
    way = refuge_of(standing)
    values = values_of(site.playbook, standing, way, shown)
    came_from = standing.position.name if standing.position else ""
    return WayOut(way, values, emergency_plan(site, came_from, way, values))


def safe_percent(site: Site) -> float:
    """The percentage that `rollback.set` names."""
    flags = site.playbook.flags
    text = safe_values(site.playbook).get(flags.percent or "", "0") if flags else "0"
    return (percent_shown(flags, text) if flags else None) or 0.0


def _attach(site: Site, listener: Listener, first: Busy) -> Ended | None:
    """Show the emergency that is at work until it ends; None when it stood still for 30 s or its process died."""
    lease, seen, since = first.lease, "", time.monotonic()
    listener.say(f"an emergency by {lease.holder.operator} on {lease.holder.host} is at work; this one attaches to it")
    while time.monotonic() - since < ATTACH_LIMIT:
        try:
            view = site.store.lease_of(site.chain) if site.store else None
        except StoreAway as away:
            site.lose_store(away)
            return None
        if view is None or view.lease.operation != lease.operation:
            return _result_of(site, lease.operation)
        if not view.live:
            return None
        if view.lease.doing != seen:
            seen, since = view.lease.doing, time.monotonic()
            listener.say(seen)
        time.sleep(0.2)
    return None


def _result_of(site: Site, operation: str) -> Ended | None:
    """How the first emergency ended, by its event; None when nothing tells, so that we go ourselves."""
    site.forget_state()
    last = site.state().last_operation or {}
    if last.get("id") != operation:
        return None
    done = last.get("outcome") == "done"
    return Ended(str(last.get("outcome")), Exit.GO if done else Exit.FAILED, str(last.get("message", "")), operation)
