"""What is under way: an operation that runs, one that was cut off, or none."""

from __future__ import annotations

import time
from dataclasses import dataclass

import msgspec

from runbook.actions.journal import Header, Journal, open_journals
from runbook.rollout.site import Site, masked
from runbook.store.base import LeaseView, StoreAway
from runbook.system.clock import local_clock
from runbook.system.processes import process_identity
from runbook.system.refusals import Exit, Refusal


@dataclass(frozen=True)
class Underway:
    """One operation. `alive`: its process still works on it; `journal` is None when only the store knows it."""

    header: Header
    journal: Journal | None
    alive: bool
    doing: str = ""

    @property
    def what(self) -> str:
        header = self.header
        return f"{header.kind} to {header.to} by {header.who.operator} since {local_clock(header.began)}"


def underway(site: Site) -> Underway | None:
    """The operation under way, if there is one. What has ended and was not told yet is told first."""
    lease = lease_view(site)
    for journal in open_journals(site.journals, site.slug):
        if journal.ended is not None:
            settle(site, journal)
            continue
        header = journal.header
        alive = _process_lives(header) or _lease_lives(lease, header.operation)
        if not alive and not journal.path.exists():
            continue  # it ended, and its process with it, while we looked
        return Underway(header, journal, alive, lease.lease.doing if lease and alive else "")
    site.forget_state()  # the lease was looked at first: who gave it back has told the end before
    operation = site.state().operation
    if operation is None:
        return None
    header_told = header_from_store(site, operation.id)
    if header_told is None:
        return None
    return Underway(header_told, None, _lease_lives(lease, operation.id), lease.lease.doing if lease else "")


def lease_view(site: Site) -> LeaseView | None:
    """Who has the lease; None when nobody, or the store is away."""
    if site.store is None:
        return None
    try:
        return site.store.lease_of(site.chain)
    except StoreAway as away:
        site.lose_store(away)
        return None


def _lease_lives(lease: LeaseView | None, operation: str) -> bool:
    return lease is not None and lease.live and lease.lease.operation == operation


def _process_lives(header: Header) -> bool:
    pid, started, boot, namespace = header.process
    return pid > 0 and process_identity(pid) == (int(started or 0), boot, namespace)


def header_from_store(site: Site, operation: str) -> Header | None:
    """What `operation.started` says of an operation whose journal is on another machine, or lost."""
    if site.store is None:
        return None
    for record in site.store.events(site.chain, operation=operation):
        if record.event.kind == "operation.started":
            try:
                return msgspec.convert(record.event.payload["header"], Header)
            except (KeyError, msgspec.MsgspecError):
                return None
    return None


def header_payload(site: Site, header: Header) -> dict[str, object]:
    """The header as an event carries it: plain data, masked."""
    told = masked(msgspec.to_builtins(header), site.masker)
    assert isinstance(told, dict)  # a Struct becomes a mapping
    return told


def settle(site: Site, journal: Journal) -> None:
    """Tell the store how an operation ended (exactly once, by the events' ids) and remove its journal."""
    ended = journal.ended
    if ended is None:
        return
    site.unkept = ""
    site.record(*ended.events)
    if not site.unkept:  # else the journal is all that knows of it; the next command tells the store
        journal.remove()


def refuse_if_underway(site: Site) -> None:
    """Raises `Refusal`: busy when somebody is at work, failed when an operation was cut off."""
    found = underway(site)
    if found is None:
        return
    if found.alive:
        raise Refusal(
            f"busy: {found.header.who.operator} on {found.header.who.host} is at {found.what}"
            + (f" ({found.doing})" if found.doing else ""),
            exit_=Exit.BUSY,
            next_steps=["to wait: --wait 5m", "if it is wrong: runbook rollback --emergency"],
        )
    raise Refusal(
        f"an operation was cut off: {found.what}. {said_of_steps(found)}",
        exit_=Exit.FAILED,
        next_steps=[
            "runbook resume --finish  ends it",
            "runbook resume --undo  takes it back",
            "runbook rollback --emergency",
        ],
    )


def wait_until_free(site: Site, seconds: float) -> None:
    """Wait until nobody is at work, at most so long. What was cut off is not waited for."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = underway(site)
        if found is None or not found.alive:
            return
        time.sleep(min(0.3, max(0.0, until - time.monotonic())))
        site.forget_state()


def said_of_steps(found: Underway) -> str:
    """Which steps were done, which were begun, which never."""
    told = []
    for number, step in enumerate(found.header.steps):
        state = found.journal.state_of(number) if found.journal else ""
        word = {"": "not begun", "begun": "cut off", "done": "done", "failed": "failed"}.get(state, state)
        told.append(f"{step.title}: {word}")
    return ", ".join(told)
