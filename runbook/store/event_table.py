"""The events of each chain: appended, read, erased; and the state folded from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from runbook.store.base import Chain, ChainInfo, Change, Fold, Lease, StaleEpoch, StoreAway, Stored
from runbook.store.chain import REDACTED, Sealed, digest, first_previous, seal, storable, unseal
from runbook.store.events import Event, Recorded
from runbook.store.heads import KeptHead, keep_head
from runbook.store.table import ChainRow, Table

_PAGE = 1_000  # events read at once by `stored`
_STATE = "state"
_NOTE = "note:"


class _ChainInfoRow(NamedTuple):
    service: str
    environment: str
    playbook_name: str
    playbook_path: str
    number: int
    hash: str


class _EventRow(NamedTuple):
    number: int
    head: bytes
    payload: bytes | None


class _KeptRow(NamedTuple):
    number: int
    body: bytes
    digest: str


class EventTable(Table):
    """Chains, events, payloads, and what is kept per chain."""

    def register(self, chain: Chain, playbook_name: str, playbook_path: str) -> None:
        names = (storable(playbook_name), storable(playbook_path))
        known = {(info.chain, info.playbook_name, info.playbook_path) for info in self.chains()}
        if (Chain(storable(chain.service), storable(chain.environment)), *names) in known:
            return  # nothing to commit, which would cost as much as an event
        with self.database.writing():
            row = self.ensure_chain(chain)
            self.database.write("UPDATE chains SET playbook_name = ?, playbook_path = ? WHERE id = ?", *names, row.id)

    def chains(self) -> list[ChainInfo]:
        rows = self.database.read(
            _ChainInfoRow,
            "SELECT service, environment, playbook_name, playbook_path, number, hash FROM chains"
            " ORDER BY service, environment",
        )
        return [ChainInfo(Chain(row.service, row.environment), *row[2:]) for row in rows]

    def append(
        self, chain: Chain, events: Sequence[Event], *, lease: Lease | None = None, state: Fold | None = None
    ) -> list[Recorded]:
        with self.database.writing():
            row = self.ensure_chain(chain)
            if lease is not None and row.epoch > lease.epoch:
                raise StaleEpoch(lease.epoch, row.epoch)
            sealed = self._write_events(chain, row, events)
            if state is not None and sealed:
                self._fold(chain, row, [one.recorded for one in sealed], state)
        self._keep_head(chain, row, sealed)
        return [one.recorded for one in sealed]

    def events(
        self,
        chain: Chain,
        *,
        after: int = 0,
        last: int | None = None,
        since: int | None = None,
        operation: str | None = None,
    ) -> list[Recorded]:
        row = self.find_chain(chain)
        if row is None:
            return []
        # The plus keeps the primary key out of the choice where another index finds far fewer rows.
        number = "e.number" if since is None and operation is None else "+e.number"
        conditions = [f"e.chain = ? AND {number} > ?"]
        values: list[str | int] = [row.id, after]
        for condition, value in (("e.at >= ?", since), ("e.operation = ?", operation)):
            if value is not None:
                conditions.append(condition)
                values.append(storable(value) if isinstance(value, str) else value)
        order = f"{number} DESC LIMIT ?" if last is not None else number
        rows = self.database.read(
            _EventRow,
            "SELECT e.number, e.head, p.body FROM events e"  # noqa: S608 - put together from the constants above
            " LEFT JOIN payloads p ON p.chain = e.chain AND p.number = e.number"
            f" WHERE {' AND '.join(conditions)} ORDER BY {order}",
            *values,
            *([] if last is None else [max(0, last)]),
        )
        return [self._recorded(chain, one) for one in (rows if last is None else reversed(rows))]

    def stored(self, chain: Chain, *, after: int = 0) -> Iterator[Sequence[Stored]]:
        row = self.find_chain(chain)
        while row is not None:
            page = self.database.read(
                Stored,
                "SELECT e.number, e.at, e.uuid, e.operation, e.head, p.body FROM events e"
                " LEFT JOIN payloads p ON p.chain = e.chain AND p.number = e.number"
                " WHERE e.chain = ? AND e.number > ? ORDER BY e.number LIMIT ?",
                row.id,
                after,
                _PAGE,
            )
            if not page:
                return
            yield page
            after = page[-1].number

    def redact(self, chain: Chain, number: int, event: Event) -> Recorded:
        with self.database.writing():
            row = self.ensure_chain(chain)
            self._ensure_erasable(chain, row, number)
            self.database.write("DELETE FROM payloads WHERE chain = ? AND number = ?", row.id, number)
            # What was folded from the payload goes with it; the next append folds anew.
            self.database.write("DELETE FROM kept WHERE chain = ? AND key = ?", row.id, _STATE)
            sealed = self._write_events(chain, row, [event])
        self.database.empty_log()
        self._keep_head(chain, row, sealed)
        return sealed[0].recorded

    def damage(self) -> str | None:
        found = self.database.examine()
        if found is not None:
            return found
        stray = self.database.read(
            _EventRow,
            "SELECT p.number, p.body, NULL FROM payloads p LEFT JOIN events e"
            " ON e.chain = p.chain AND e.number = p.number WHERE e.number IS NULL LIMIT 1",
        )
        return f"a payload with number {stray[0].number} belongs to no event" if stray else None

    def load_state(self, chain: Chain) -> tuple[int, bytes] | None:
        row = self.find_chain(chain)
        kept = self._load_kept(row, _STATE)
        return None if kept is None or row is None or kept[0] > row.number else kept

    def save_state(self, chain: Chain, number: int, body: bytes) -> None:
        with self.database.writing():
            self._save_kept(self.ensure_chain(chain), _STATE, number, body)

    def get_note(self, chain: Chain, key: str) -> bytes | None:
        kept = self._load_kept(self.find_chain(chain), _NOTE + storable(key))
        return kept and kept[1]

    def put_note(self, chain: Chain, key: str, body: bytes | None) -> None:
        name = _NOTE + storable(key)
        with self.database.writing():
            row = self.ensure_chain(chain)
            if body is None:
                self.database.write("DELETE FROM kept WHERE chain = ? AND key = ?", row.id, name)
            else:
                self._save_kept(row, name, 0, body)

    def change_note(self, chain: Chain, key: str, change: Change) -> None:
        name = _NOTE + storable(key)
        with self.database.writing():
            row = self.ensure_chain(chain)
            kept = self._load_kept(row, name)
            self._save_kept(row, name, 0, change(kept and kept[1]))

    def _write_events(self, chain: Chain, row: ChainRow, events: Sequence[Event]) -> list[Sealed]:
        sealed: list[Sealed] = []
        number, previous = row.number, row.hash or first_previous(chain)
        for event in events:
            one = seal(event, number + 1, previous)
            if self._insert(row.id, one):
                sealed.append(one)
                number, previous = number + 1, one.recorded.hash
        if sealed:
            self.database.write("UPDATE chains SET number = ?, hash = ? WHERE id = ?", number, previous, row.id)
        return sealed

    def _insert(self, chain: int, sealed: Sealed) -> bool:
        """Writes one event; false when the chain has it already."""
        event, number = sealed.recorded.event, sealed.recorded.number
        written = self.database.write(
            "INSERT INTO events (chain, number, at, uuid, operation, head) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (chain, uuid) DO NOTHING",
            chain,
            number,
            event.at,
            event.uuid,
            event.operation,
            sealed.head,
        )
        if written:
            self.database.write(
                "INSERT INTO payloads (chain, number, body) VALUES (?, ?, ?)", chain, number, sealed.payload
            )
        return bool(written)

    def _fold(self, chain: Chain, row: ChainRow, new: list[Recorded], state: Fold) -> None:
        kept = self._load_kept(row, _STATE)
        if kept is not None and kept[0] == row.number:
            body = state(kept[1], new)
        elif kept is not None and kept[0] < row.number:
            body = state(kept[1], self.events(chain, after=kept[0]))
        else:
            body = state(None, self.events(chain) if row.number else new)
        self._save_kept(row, _STATE, new[-1].number, body)

    def _keep_head(self, chain: Chain, before: ChainRow, sealed: Sequence[Sealed]) -> None:
        if not sealed:
            return
        recorded = sealed[-1].recorded

        def hash_of(number: int) -> str | None:
            if number == before.number:
                return before.hash
            found = self._find_event(before, number)
            return digest(found.head) if found else None

        keep_head(
            self.heads, chain, KeptHead(number=recorded.number, hash=recorded.hash, at=recorded.event.at), hash_of
        )

    def _find_event(self, row: ChainRow, number: int) -> _EventRow | None:
        found = self.database.read(
            _EventRow,
            "SELECT e.number, e.head, p.body FROM events e"
            " LEFT JOIN payloads p ON p.chain = e.chain AND p.number = e.number WHERE e.chain = ? AND e.number = ?",
            row.id,
            number,
        )
        return found[0] if found else None

    def _ensure_erasable(self, chain: Chain, row: ChainRow, number: int) -> None:
        found = self._find_event(row, number)
        if found is None:
            raise LookupError(f"{chain} has no event {number}; the last one is {row.number}")
        if self._recorded(chain, found).event.kind == REDACTED:
            raise LookupError(f"event {number} of {chain} is itself a redaction, which must stay readable")
        if found.payload is None:
            raise LookupError(f"the payload of event {number} of {chain} is erased already")

    def _recorded(self, chain: Chain, row: _EventRow) -> Recorded:
        try:
            return unseal(row.head, row.payload)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as trouble:
            raise StoreAway(
                f"event {row.number} of {chain} cannot be read: {trouble}", "see what was changed: runbook audit verify"
            ) from trouble

    def _load_kept(self, row: ChainRow | None, key: str) -> tuple[int, bytes] | None:
        if row is None:
            return None
        found = self.database.read(
            _KeptRow, "SELECT number, body, digest FROM kept WHERE chain = ? AND key = ?", row.id, key
        )
        if not found or found[0].digest != _kept_digest(found[0].number, found[0].body):
            return None
        return found[0].number, found[0].body

    def _save_kept(self, row: ChainRow, key: str, number: int, body: bytes) -> None:
        self.database.write(
            "INSERT INTO kept (chain, key, number, body, digest) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (chain, key) DO UPDATE SET number = excluded.number, body = excluded.body,"
            " digest = excluded.digest",
            row.id,
            key,
            number,
            body,
            _kept_digest(number, body),
        )


def _kept_digest(number: int, body: bytes) -> str:
    return digest(b"%d:%s" % (number, body))
