"""The store in one SQLite file, which is the default."""

from __future__ import annotations

from pathlib import Path

from runbook.store.base import StoreAway
from runbook.store.event_table import EventTable
from runbook.store.lease_table import LeaseTable
from runbook.store.sample_table import SampleTable
from runbook.system.clock import Clock


class SqliteStore(EventTable, LeaseTable, SampleTable):
    """Events, leases and samples in one file; what its methods promise stands in `base.Store`."""

    def close(self) -> None:
        self.database.close()


def open_sqlite(path: Path, *, clock: Clock, wait: float = 5.0, heads: Path | None = None) -> SqliteStore:
    """Opens the store at `path` and makes it where it is not there: file 0600, folder 0700.

    `wait` is how many seconds another process may hold it; `heads` the folder for the heads kept beside it, by
    default `heads` in the same folder. Raises `StoreAway`.
    """
    try:
        from runbook.store.database import open_database
    except ImportError as missing:
        raise StoreAway(
            f"this Python was built without SQLite ({missing})", "install one with the sqlite3 module"
        ) from missing
    return SqliteStore(open_database(path, wait), clock, heads or path.parent / "heads")
