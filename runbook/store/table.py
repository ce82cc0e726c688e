"""What the tables share: the database, the clock, and the row of a chain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from runbook.store.base import Chain
from runbook.store.chain import storable
from runbook.system.clock import Clock

if TYPE_CHECKING:
    from runbook.store.database import Database


class ChainRow(NamedTuple):
    """A chain's row: its last event (number 0: none yet) with that event's hash, and the highest epoch."""

    id: int
    number: int
    hash: str
    epoch: int


class Table:
    """A group of tables in one database. `heads` is the folder of the heads kept beside it."""

    def __init__(self, database: Database, clock: Clock, heads: Path) -> None:
        self.database = database
        self.clock = clock
        self.heads = heads

    def find_chain(self, chain: Chain) -> ChainRow | None:
        """The chain's row, or None where the store does not know it."""
        rows = self.database.read(
            ChainRow,
            "SELECT id, number, hash, epoch FROM chains WHERE service = ? AND environment = ?",
            storable(chain.service),
            storable(chain.environment),
        )
        return rows[0] if rows else None

    def ensure_chain(self, chain: Chain) -> ChainRow:
        """The chain's row, made where there is none; within `database.writing`."""
        row = self.find_chain(chain)
        if row is not None:
            return row
        self.database.write(
            "INSERT INTO chains (service, environment) VALUES (?, ?)",
            storable(chain.service),
            storable(chain.environment),
        )
        return ChainRow(self.database.added(), 0, "", 0)
