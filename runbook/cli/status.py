"""`runbook status`: where the service stands, from the store and files alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from runbook.cli.boundary import command
from runbook.cli.options import SCREENS, WATCHED, Shared, refuse_format
from runbook.cli.wiring import Bench, open_bench, open_site
from runbook.judge.verdicts import Status
from runbook.rollout.bake_rows import watched_of
from runbook.rollout.glance import glance_at
from runbook.rollout.rows import Row
from runbook.rollout.rules import rules_here, title_of
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing
from runbook.rollout.underway import Underway, lease_view
from runbook.show.answer import Answer
from runbook.show.documents import BakeDoc, HoldDoc, LockDoc, OperationDoc
from runbook.show.page import Page
from runbook.show.rows import incident_row, rule_rows
from runbook.show.standing import Seen, status_page
from runbook.store.base import LeaseView, StoreAway
from runbook.store.state import State
from runbook.system.clock import rfc3339
from runbook.system.refusals import Exit

app = typer.Typer()

# The rows of a decision that status shows: what the rung itself asks for.
OF_THE_RUNG = ("build", "bake", "sampled", "gate", "sign")


@command(app, formats=WATCHED)
def status(
    shared: Shared,
    all_: Annotated[bool, typer.Option("--all", help="A line for every service and environment of the store.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Ask the service too, as gate does.")] = False,
) -> Answer:
    """Where the service stands, on one screen: position, bake, numbers, incidents, holds, who is at work.

    From the store and files alone, so it answers when the service does not; --live asks.

    Example: runbook status -e production
    """
    if all_ and shared.format not in SCREENS:
        refuse_format(shared, "status --all", SCREENS)
    bench = open_bench(shared)
    if all_:
        return _all(bench)
    site = open_site(shared, tolerant=True, bench=bench)
    if live:
        from runbook.rollout.watch import look_once

        look_once(site)
    return answer_of(site, gather(site))


def gather(site: Site) -> Seen:
    """Everything the screen shows; nothing is asked over the network."""
    glance = glance_at(site)
    standing = glance.standing
    if glance.bake is not None:
        glance = replace(glance, bake=replace(glance.bake, sampled=watched_of(site, glance.facts, glance.bake.asked)))
    since = standing.position.since if standing.position and standing.entered else site.clock.wall()
    series = glance.facts.series if standing.entered else {}
    samples = {name: [one for one in found.samples if one.t >= since] for name, found in series.items()}
    armed = _armed(site, standing)
    return Seen(
        glance=glance,
        lease=lease_view(site),
        samples={name: kept for name, kept in samples.items() if kept},
        rules=[*(row for row in glance.decision.rows if row.kind in OF_THE_RUNG), *armed],
        triggers=len(armed),
    )


def _armed(site: Site, standing: Standing) -> list[Row]:
    """The rules of the stage, not judged: status looks at nothing."""
    rules = rules_here(site, standing)
    return [Row(rule.id, title_of(rule), "trigger", Status.SKIPPED, counts=False) for rule in rules]


def answer_of(site: Site, seen: Seen) -> Answer:
    """The page and the document."""
    glance, now = seen.glance, site.clock.wall()
    state, position, bake = glance.state, glance.standing.position, glance.bake
    hold = state.hold_at(now)
    where = position.name if position else "before the first stage"
    return Answer(
        Exit.GO,
        f"{site.name} is at {where}",
        status_page(site, seen),
        site.playbook.service,
        site.environment.name,
        lists={
            "stage": position.stage if position else None,
            "percent": position.percent if position else None,
            "bake": None if bake is None or bake.asked <= 0 else BakeDoc(
                ends_at=rfc3339(bake.ends_at), sampled=bake.sampled, asked_s=bake.asked,
                elapsed_s=round(bake.elapsed, 3), over=bake.over,
            ),
            "lock": lock_doc(seen.lease),
            "operation": operation_doc(glance.found, state),
            "hold": None if hold is None else HoldDoc(
                by=hold.by, since=rfc3339(hold.since), reason=hold.reason, automatic=hold.automatic,
                until=None if hold.until is None else rfc3339(hold.until),
            ),
            "incidents": [incident_row(one, response.due) for one, response in glance.responses],
            "rules": rule_rows(seen.rules),
            "state": glance.danger.word,
            "since": None if glance.danger.since is None else rfc3339(glance.danger.since),
            "next": [glance.step.command],
            "undo": glance.step.undo,
        },
    )  # fmt: skip


def lock_doc(view: LeaseView | None) -> LockDoc | None:
    """Who has the lock; None when it is free."""
    if view is None or not view.live:
        return None
    lease = view.lease
    return LockDoc(
        operator=lease.holder.operator, host=lease.holder.host, since=rfc3339(lease.since), kind=lease.kind,
        doing=lease.doing, state=view.state, epoch=lease.epoch,
    )  # fmt: skip


def operation_doc(found: Underway | None, state: State) -> OperationDoc | None:
    """The operation under way or cut off; else the last one."""
    if found is not None:
        header = found.header
        return OperationDoc(
            id=header.operation, kind=header.kind, state="at work" if found.alive else "cut off", to=header.to,
            by=header.who.operator, began_at=rfc3339(header.began),
        )  # fmt: skip
    last = state.last_operation
    if last is None:
        return None
    return OperationDoc(
        id=str(last.get("id")), kind=str(last.get("kind", "")), state=str(last.get("outcome", "")),
        to=str(last.get("to", "")), by=str(last.get("who", "")), message=str(last.get("message", "")),
    )  # fmt: skip


def _all(bench: Bench) -> Answer:
    """One line for each chain."""
    from runbook.store.fold import state_of

    page, rows = Page(), []
    store = bench.store
    if store is None:
        page.line(f"the store is away: {bench.store_trouble}")
        return Answer(Exit.UNKNOWN, f"the store is away: {bench.store_trouble}", page)
    try:
        for info in store.chains():
            state = state_of(store, info.chain)
            position = state.position
            told = ", ".join(f"incident {one.id} {one.severity}" for one in state.open_incidents()) or "-"
            hold = state.hold_at(bench.clock.wall())
            cut = f"{state.operation.kind} to {state.operation.to}" if state.operation else "-"
            rows.append(
                (
                    info.chain.service,
                    info.chain.environment,
                    position.name if position else "-",
                    cut,
                    told,
                    hold.by if hold else "-",
                )
            )
    except StoreAway as away:
        return Answer(Exit.UNKNOWN, f"the store is away: {away.reason}", page)
    page.table(("service", "environment", "position", "under way", "incidents", "held by"), rows)
    answer = Answer(Exit.GO, f"{len(rows)} chains", page)
    answer.lists["details"] = {"services": [list(row) for row in rows]}
    return answer
