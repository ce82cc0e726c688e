"""An operation from its first byte to its last: kit, journal, events, and how it ended."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runbook.actions.journal import Entry, Header, Journal, sweep
from runbook.actions.listener import Listener
from runbook.actions.runner import Means, StepResult
from runbook.actions.steps import Plan
from runbook.playbook.kit import sections_of
from runbook.rollout.facts import judge_now
from runbook.rollout.lock import Lock
from runbook.rollout.looking import ask
from runbook.rollout.notices import announce_operation, tell_from_step
from runbook.rollout.rows import Row
from runbook.rollout.site import Site
from runbook.rollout.underway import header_payload, settle
from runbook.store.base import StoreAway
from runbook.store.events import Event
from runbook.system.processes import process_identity
from runbook.system.refusals import Exit, Refusal


@dataclass(frozen=True)
class Aim:
    """What an operation is for, beside its plan: the position it goes to, and why.

    `flags` are the values that stand when it is done. `automatic` names the rule that decided, for the robot.
    """

    stage: str
    percent: float
    flags: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    automatic: str = ""
    rollout: int | None = None
    decision: Sequence[Row] = ()


@dataclass(frozen=True)
class Ended:
    """How an operation ended. `outcome` is done, undone, half-done, nothing or taken-over."""

    outcome: str
    exit: Exit
    message: str
    operation: str = ""
    results: Sequence[StepResult] = ()
    by_hand: Sequence[str] = ()
    incident: int | None = None
    seconds: float = 0.0


def new_operation() -> str:
    """A name for an operation; the clock is not asked, so that two machines never agree by chance."""
    return uuid.uuid4().hex[:12]


def means_of(site: Site, lock: Lock, operation: str, listener: Listener, context: Mapping[str, str]) -> Means:
    """What the runner needs: hands, eyes, the fence and the clock."""
    hands = site.hands(operation, listener.line, dict(context))
    polled = hands.stopping

    def stopping() -> bool:
        lock.keep()
        return polled()

    hands.stopping = stopping
    hands.tell = lambda notice: tell_from_step(site, operation, notice)
    percent = float(context["percent"]) if context.get("percent") else None
    return Means(
        hands=hands,
        look=lambda checks, seconds: ask(site, checks, seconds, percent=percent, stage=context.get("stage")),
        fence=lock.fence,
        holds=lambda text: judge_now(site, text, percent, context.get("stage")),
        wall=site.clock.wall,
        listener=listener,
    )


def begin(site: Site, plan: Plan, aim: Aim, lock: Lock, operation: str, *, store_needed: bool) -> Journal:
    """Write the journal, then tell the store; only after that may anything be changed.

    Raises `Refusal` when the store is needed and away: then the journal is taken back and nothing was changed.
    """
    header = _header(site, plan, aim, lock, operation)
    sweep(site.journals, site.slug)
    started = _started(site, header, aim)
    announced = Entry(state="announced", at=site.clock.wall(), events=(started,))
    journal = Journal.begin(site.journals, site.slug, header, [announced], insist=site.insist)
    if not store_needed:
        return journal
    try:
        if site.store is None:
            raise StoreAway(site.store_trouble)
        site.store.append(site.chain, [started], lease=lock.lease)
    except StoreAway as away:
        journal.remove()
        raise store_is_needed(away.reason) from away
    site.forget_state()
    return journal


def store_is_needed(reason: str) -> Refusal:
    """The refusal of what cannot be done without the store: exit 4, nothing changed."""
    return Refusal(
        f"the store is away: {reason}. Nothing was changed.",
        exit_=Exit.FAILED,
        next_steps=["a way back needs no store: runbook rollback --emergency", "runbook doctor"],
    )


def _header(site: Site, plan: Plan, aim: Aim, lock: Lock, operation: str) -> Header:
    return Header(
        operation=operation,
        kind=plan.kind,
        service=site.playbook.service,
        environment=site.environment.name,
        who=site.who,
        began=site.clock.wall(),
        epoch=lock.epoch,
        came_from=plan.came_from,
        to=plan.to,
        steps=plan.records(),
        sections=sections_of(site.playbook, site.environment),
        process=_process(),
        stage=aim.stage,
        percent=aim.percent,
        flags_after=dict(aim.flags),
        reason=aim.reason,
        automatic=bool(aim.automatic),
        rollout=aim.rollout,
        playbook=(site.playbook_name, site.playbook.path),
    )


def _process() -> tuple[int, str, str, str]:
    started, boot, namespace = process_identity(os.getpid()) or (0, "", "")
    return os.getpid(), str(started), boot, namespace


def _started(site: Site, header: Header, aim: Aim) -> Event:
    payload: dict[str, Any] = {
        "kind": header.kind,
        "from": header.came_from,
        "to": header.to,
        "reason": aim.reason,
        "automatic": bool(aim.automatic),
        "rule": aim.automatic,
        "plan": [f"{step.title}: {step.detail}" for step in header.steps],
        "decision": [
            {
                "rule": row.title,
                "kind": row.kind,
                "status": row.status.value,
                "observed": row.observed,
                "expected": row.expected,
                "n": row.n,
                "age": None if row.age is None else round(row.age, 3),
            }
            for row in aim.decision
        ],
        "header": header_payload(site, header),
    }
    return site.event("operation.started", payload, operation=header.operation, epoch=header.epoch)


def finish(
    site: Site,
    journal: Journal,
    outcome: str,
    message: str,
    results: Sequence[StepResult],
    events: Sequence[Event] = (),
) -> None:
    """Write the end down with the events that tell of it, tell the store (or the spool), remove the journal.

    A half-done operation keeps its journal: `resume` or the emergency ends it. Then the notices for it are queued; who
    wants to see them go out calls `notices.await_notices` when the lock is released.
    """
    header = journal.header
    ended = site.event(
        "operation.ended",
        {
            "outcome": outcome,
            "kind": header.kind,
            "from": header.came_from,
            "to": header.to,
            "reason": header.reason,
            "message": message,
            "seconds": round(site.clock.wall() - header.began, 3),
            "steps": [
                {"title": one.record.title, "ok": one.ok, "message": one.message, "seconds": round(one.seconds, 3)}
                for one in results
            ],
        },
        operation=header.operation,
        epoch=header.epoch,
    )
    announced = journal.announced()
    if outcome == "half-done":
        site.record(*announced, ended)
    else:
        told = (*announced, *events, ended)
        journal.note(Entry(state="ended", at=site.clock.wall(), outcome=outcome, message=message, events=told))
        settle(site, journal)
    announce_operation(site, journal, outcome, events)


def entered_event(site: Site, journal: Journal, *, how: str, verified: bool | None) -> Event:
    """The event that says where we are now, with the clocks that the bake is counted by and the flags that stand."""
    header = journal.header
    shown, trouble = site.flags_or_trouble()
    flags = {key: value for key, value in shown.items() if value is not None} if not trouble else header.flags_after
    return site.event(
        "position.entered",
        {
            "stage": header.stage,
            "percent": header.percent,
            "from": header.came_from,
            "how": how,
            "verified": verified,
            "flags": dict(flags),
            "boot": site.clock.boot_id(),
            "boot_time": site.clock.boot_time(),
        },
        operation=header.operation,
        epoch=header.epoch,
    )
