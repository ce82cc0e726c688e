"""Leases: one operator at a time per service and environment, with a number that grows each time it is taken."""

from __future__ import annotations

import os
from typing import NamedTuple

import msgspec

from runbook.store.base import LEASE_SECONDS, Busy, Chain, Holder, Lease, LeaseView, StaleEpoch
from runbook.store.chain import storable, storable_values
from runbook.store.table import ChainRow, Table
from runbook.system.clock import MachineClock


class _LeaseRow(NamedTuple):
    epoch: int
    clock: str
    machine: str
    expires: float
    expires_by_wall: float
    body: bytes


def holder_of(operator: str) -> Holder:
    """This process as the holder of a lease."""
    from runbook.system.processes import process_identity

    # Where the machine has no /proc, the number of the process and the boot have to do.
    started, boot, namespace = process_identity(os.getpid()) or ("", MachineClock().boot_id(), "")
    return Holder(
        operator=operator,
        host=_machine(),
        pid=os.getpid(),
        started=str(started),
        boot=boot,
        namespace=namespace,
    )


def is_gone(holder: Holder) -> bool:
    """Whether the holder ran on this machine and its process is certainly no more; false where nobody can tell."""
    from runbook.system.processes import process_identity

    mine = holder_of("")
    if (holder.boot, holder.namespace) != (mine.boot, mine.namespace):
        return False
    if holder.started:
        identity = process_identity(holder.pid)
        return identity is None or str(identity[0]) != holder.started
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return holder.host == mine.host
    except OSError:
        return False
    return False


class LeaseTable(Table):
    """The leases. They expire by the time since this machine's boot, which no clock change touches."""

    def take_lease(
        self,
        chain: Chain,
        holder: Holder,
        operation: str,
        kind: str,
        *,
        seconds: float = LEASE_SECONDS,
        takeover: bool = False,
        emergency: bool = False,
    ) -> Lease:
        with self.database.writing():
            row = self.ensure_chain(chain)
            standing = self._standing(row)
            if standing is not None and standing.live and not standing.lease.holder.same_process(holder):
                outranked = emergency and not standing.lease.emergency
                if not (takeover or outranked):
                    raise Busy(standing.lease)
            lease = Lease(
                chain=chain,
                epoch=row.epoch + 1,
                holder=holder,
                operation=operation,
                kind=kind,
                since=self.clock.wall(),
                emergency=emergency,
            )
            self.database.write("UPDATE chains SET epoch = ? WHERE id = ?", lease.epoch, row.id)
            self._save(row, lease, seconds)
        return lease

    def renew(self, lease: Lease, doing: str, seconds: float = LEASE_SECONDS) -> Lease:
        with self.database.writing():
            row = self.ensure_chain(lease.chain)
            standing = self._load(row)
            if row.epoch != lease.epoch or standing is None or standing.epoch != lease.epoch:
                raise StaleEpoch(lease.epoch, row.epoch)
            renewed = msgspec.structs.replace(lease, doing=doing)
            self._save(row, renewed, seconds)
        return renewed

    def release(self, lease: Lease) -> None:
        with self.database.writing():
            row = self.ensure_chain(lease.chain)
            self.database.write("DELETE FROM leases WHERE chain = ? AND epoch = ?", row.id, lease.epoch)

    def lease_of(self, chain: Chain) -> LeaseView | None:
        row = self.find_chain(chain)
        return None if row is None else self._standing(row)

    def epoch_of(self, chain: Chain) -> int:
        row = self.find_chain(chain)
        return 0 if row is None else row.epoch

    def raise_epoch(self, chain: Chain, epoch: int) -> None:
        with self.database.writing():
            row = self.ensure_chain(chain)
            self.database.write("UPDATE chains SET epoch = ? WHERE id = ? AND epoch < ?", epoch, row.id, epoch)

    def _standing(self, row: ChainRow) -> LeaseView | None:
        kept = self._load(row)
        if kept is None:
            return None
        try:
            lease = msgspec.json.decode(kept.body, type=Lease)
        except (msgspec.MsgspecError, UnicodeError) as trouble:
            raise self.database.damaged(f"a lease cannot be read ({trouble})") from trouble
        remaining = self._remaining(kept)
        if self._is_dead(kept, lease):
            return LeaseView(lease, "dead", max(0.0, remaining))
        return LeaseView(lease, "live" if remaining > 0 else "expired", max(0.0, remaining))

    def _is_dead(self, kept: _LeaseRow, lease: Lease) -> bool:
        before_reboot = kept.machine == _machine() and kept.clock != self.clock.boot_id()
        return before_reboot or is_gone(lease.holder)

    def _remaining(self, kept: _LeaseRow) -> float:
        if kept.clock == self.clock.boot_id():
            return kept.expires - self.clock.boot_time()
        # Another machine on a shared file system: its time since boot says nothing here.
        return kept.expires_by_wall - self.clock.wall()

    def _load(self, row: ChainRow) -> _LeaseRow | None:
        found = self.database.read(
            _LeaseRow,
            "SELECT epoch, clock, machine, expires, expires_by_wall, body FROM leases WHERE chain = ?",
            row.id,
        )
        return found[0] if found else None

    def _save(self, row: ChainRow, lease: Lease, seconds: float) -> None:
        self.database.write(
            "INSERT INTO leases (chain, epoch, clock, machine, expires, expires_by_wall, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (chain) DO UPDATE SET epoch = excluded.epoch, clock = excluded.clock,"
            " machine = excluded.machine,"
            " expires = excluded.expires, expires_by_wall = excluded.expires_by_wall, body = excluded.body",
            row.id,
            lease.epoch,
            self.clock.boot_id(),
            _machine(),
            self.clock.boot_time() + seconds,
            self.clock.wall() + seconds,
            _encoded(lease),
        )


def _machine() -> str:
    return storable(os.uname().nodename)


def _encoded(lease: Lease) -> bytes:
    try:
        return msgspec.json.encode(lease)
    except UnicodeEncodeError:
        return msgspec.json.encode(storable_values(msgspec.to_builtins(lease)))
