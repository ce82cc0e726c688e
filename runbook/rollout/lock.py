"""The lock: one operator per service and environment while something changes, never during a bake.

It is two things: the lease in the store, with its growing epoch, for everybody who shares the store; and a file lock in
the state folder, for everybody on this machine, also when the store is away.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

from runbook.actions.journal import TakenOver, open_journals
from runbook.rollout.site import Site
from runbook.store.base import Busy, Lease, StaleEpoch, StoreAway
from runbook.store.lease_table import holder_of
from runbook.system.clock import local_clock
from runbook.system.files import FileTrouble, ensure_folder
from runbook.system.locks import Locked, file_locked
from runbook.system.refusals import Exit, Refusal

LEASE_SECONDS = 90.0  # longer than any single wait without a renewal; a dead holder on this machine frees it at once
RENEW_EVERY = 5.0


@dataclass
class Lock:
    """The lock, held. Without a store only the machine's own lock is; its epoch is then one above the highest known."""

    site: Site
    lease: Lease | None
    epoch: int
    _renewed: float = 0.0

    def fence(self, doing: str) -> None:
        """Look at the epoch again and say what is being done; raises TakenOver when somebody else has the lock."""
        if self.lease is None or self.site.store is None:
            return
        try:
            self.lease = self.site.store.renew(self.lease, doing, LEASE_SECONDS)
            self._renewed = time.monotonic()
        except StaleEpoch as stale:
            raise TakenOver(self.lease.operation) from stale
        except StoreAway as away:
            self.site.lose_store(away)

    def keep(self) -> None:
        """Renew now and then while something takes long."""
        if self.lease is not None and time.monotonic() - self._renewed > RENEW_EVERY:
            with contextlib.suppress(TakenOver):  # the fence before the next step tells
                self.fence(self.lease.doing)
            self._renewed = time.monotonic()


@contextlib.contextmanager
def service_locked(site: Site, operation: str, kind: str, *, wait: float = 0.0) -> Iterator[Lock]:
    """The state in which this process may change the service.

    Raises `Refusal` (busy) with who holds it, since when and doing what, after waiting `wait` seconds.
    """
    until = time.monotonic() + wait
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(file_locked(site.lock_file, wait=wait))
        except Locked as locked:
            raise busy(site, locked.holder_text) from locked
        lease = _take(site, operation, kind, until)
        lock = Lock(site, lease, kept_epoch(site, lease))
        try:
            yield lock
        finally:
            _release(site, lock)


def kept_epoch(site: Site, lease: Lease | None) -> int:
    """The epoch of this operation; the highest one known is kept on this machine, for when the store is away.

    It is not synced: what a power cut loses is made good by the times of the events.
    """
    path = site.state_folder / "epochs" / site.slug
    try:
        known = int(path.read_text("ascii"))
    except (OSError, ValueError):
        known = max((journal.header.epoch for journal in open_journals(site.journals, site.slug)), default=0)
    epoch = lease.epoch if lease is not None else max(known, site.state().epoch) + 1
    with contextlib.suppress(OSError, FileTrouble):
        ensure_folder(path.parent)
        path.write_text(str(max(known, epoch)), "ascii")
        path.chmod(0o600)
    return epoch


def _take(site: Site, operation: str, kind: str, until: float) -> Lease | None:
    while True:
        try:
            return _lease(site, operation, kind)
        except Busy as holder:
            if time.monotonic() >= until:
                raise busy(site, "", holder.lease) from holder
            time.sleep(0.2)


def _lease(site: Site, operation: str, kind: str, *, takeover: bool = False, emergency: bool = False) -> Lease | None:
    """The lease, at once; None where the store is away. Raises `Busy`."""
    if site.store is None:
        return None
    try:
        site.store.register(site.chain, site.playbook_name, site.playbook.path)
        return site.store.take_lease(
            site.chain, holder_of(site.who.operator), operation, kind,
            seconds=LEASE_SECONDS, takeover=takeover, emergency=emergency,
        )  # fmt: skip
    except StoreAway as away:
        site.lose_store(away)
        return None


def _release(site: Site, lock: Lock) -> None:
    if lock.lease is None or site.store is None:
        return
    try:
        site.store.release(lock.lease)
    except StoreAway as away:
        site.lose_store(away)


def busy(site: Site, holder_text: str = "", lease: Lease | None = None) -> Refusal:
    """The refusal that names who is at work."""
    if lease is None and site.store is not None:
        with contextlib.suppress(StoreAway):
            view = site.store.lease_of(site.chain)
            lease = view.lease if view is not None and view.live else None
    if lease is not None:
        who = f"{lease.holder.operator} on {lease.holder.host}"
        doing = f", {lease.doing}" if lease.doing else ""
        message = f"busy: {who} is at {lease.kind} of {site.name} since {local_clock(lease.since)}{doing}"
    else:
        message = f"busy: {holder_text or 'another process'} is at work on {site.name}"
    return Refusal(
        message,
        exit_=Exit.BUSY,
        next_steps=["to wait: --wait 5m", "if it is wrong: runbook rollback --emergency"],
    )


@contextlib.contextmanager
def emergency_lock(site: Site, operation: str, *, takeover: bool) -> Iterator[Lock]:
    """The lease of the emergency: taken over from anything but another live emergency.

    Raises `Busy` when another emergency is at work.
    """
    lease = _lease(site, operation, "emergency", takeover=takeover, emergency=True)
    lock = Lock(site, lease, kept_epoch(site, lease))
    try:
        yield lock
    finally:
        _release(site, lock)


@contextlib.contextmanager
def machine_locked_if_free(site: Site, wait: float = 2.0) -> Iterator[None]:
    """This machine's lock where it comes free within `wait` seconds: the emergency does not depend on it."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(Locked, FileTrouble):
            stack.enter_context(file_locked(site.lock_file, wait=wait))
        yield
