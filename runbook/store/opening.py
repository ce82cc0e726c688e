"""Which store is used: a setting decides."""

from __future__ import annotations

from pathlib import Path

from runbook.store.base import Store, StoreAway
from runbook.system.clock import Clock


def open_store(setting: str | None, state_folder: Path, clock: Clock, *, wait: float = 5.0) -> Store:
    """Opens the store that `RUNBOOK_STATE` names: a path, `sqlite:PATH`, or nothing for `state.db` in the folder.

    The heads are kept in the project's own `state_folder` in any case, apart from a store that others share.
    `wait` is how long a locked store is waited for, in seconds. Raises `StoreAway`; it never repeats the setting,
    which may hold a password.
    """
    from runbook.store.sqlite import open_sqlite

    scheme, colon, rest = (setting or "").partition(":")
    if scheme in ("postgresql", "postgres") and colon:
        raise StoreAway("a store in PostgreSQL is not supported yet", "unset RUNBOOK_STATE to use .runbook/state.db")
    if scheme == "sqlite" and colon:
        path = Path(rest.removeprefix("//"))
    elif "://" in (setting or ""):
        raise StoreAway("RUNBOOK_STATE names a kind of store that is not known", "use a path or sqlite:PATH")
    else:
        path = Path(setting or state_folder / "state.db")
    return open_sqlite(state_folder.parent / path, clock=clock, wait=wait, heads=state_folder / "heads")
