"""Who is watching: kept in the store as a small note that goes stale by itself."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import msgspec

from runbook.rollout.kept import keep_note, kept_note
from runbook.rollout.site import Site
from runbook.system.processes import process_identity

KEPT = "watcher"


class Watcher(msgspec.Struct, frozen=True):
    """Who looks, since when and when last (seconds since the epoch), and whether the triggers are armed."""

    who: str
    host: str
    pid: int
    started: str
    since: float
    looked: float
    armed: bool


class Watching:
    """The watch of this process; `looked` says that it has just looked."""

    def __init__(self, site: Site, armed: bool) -> None:
        self._site = site
        now = site.clock.wall()
        started, _, _ = process_identity(os.getpid()) or (0, "", "")
        self._watcher = Watcher(site.who.operator, site.who.host, os.getpid(), str(started), now, now, armed)

    def looked(self) -> None:
        self._watcher = msgspec.structs.replace(self._watcher, looked=self._site.clock.wall())
        keep_note(self._site, KEPT, self._watcher)

    def left(self) -> None:
        keep_note(self._site, KEPT, None)


@contextlib.contextmanager
def watching(site: Site, *, armed: bool) -> Iterator[Watching]:
    """The state in which this process is known as the one who watches."""
    watcher = Watching(site, armed)
    watcher.looked()
    try:
        yield watcher
    finally:
        watcher.left()


def watcher_of(site: Site) -> Watcher | None:
    """Who is watching now; None when nobody, or when the process is gone."""
    watcher = kept_note(site, KEPT, Watcher)
    if watcher is None:
        return None
    if watcher.host == site.who.host:
        identity = process_identity(watcher.pid)
        return watcher if identity is not None and str(identity[0]) == watcher.started else None
    return watcher if site.clock.wall() - watcher.looked < 600 else None
