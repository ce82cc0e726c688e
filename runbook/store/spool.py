"""The spool: events that could not reach the store wait here and are forwarded later, each exactly once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from runbook.store.base import Chain, Fold, Store
from runbook.store.chain import storable_values
from runbook.store.events import Event
from runbook.store.heads import chain_slug
from runbook.system.files import append_durably


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    service: str
    environment: str
    event: Event


@dataclass(frozen=True)
class Waiting:
    """An event that waits for the store, already marked as late."""

    chain: Chain
    event: Event


class Spool:
    """A folder with one file of JSON lines per chain.

    Whoever adds needs no lock and waits for nobody. Whoever forwards first takes a file away by renaming it, so that
    later additions begin a new one; what is sent twice because of a kill between, the store skips by its uuid.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, chain: Chain, event: Event) -> None:
        """Adds an event durably. Raises `FileTrouble` when it cannot be written."""
        line = _encoded(_Line(service=chain.service, environment=chain.environment, event=event))
        path = self.folder / f"{chain_slug(chain)}.jsonl"
        while True:
            # An unfinished line of a killed process may stand before: a line of our own begins after a line end.
            append_durably(path, b"\n" + line + b"\n")
            if _holds(path, line):
                return
            # The file was taken away to be forwarded, perhaps read before our line was in it: add it again.

    def waiting(self) -> list[Waiting]:
        """The events that wait, per chain in the order in which they were added."""
        return [waiting for path in self._files() for waiting in _read(path)[0]]

    def forward(self, store: Store, *, state: Fold | None = None) -> int:
        """Sends what waits and returns how many events were new to the store, whose epochs are lifted to theirs.

        Only one process forwards at a time; another one finds nothing to do. Raises `StoreAway`, and `FileTrouble`
        when the folder cannot be changed; what was not sent keeps waiting.
        """
        if not self._files():
            return 0
        from runbook.system.locks import Locked, file_locked

        try:
            with file_locked(self.folder / "forward.lock"):
                return sum(self._send(path, store, state) for path in self._taken())
        except Locked:
            return 0

    def _files(self) -> list[Path]:
        """First what an earlier forwarding left, then the rest."""
        return [*sorted(self.folder.glob("*.sending")), *sorted(self.folder.glob("*.jsonl"))]

    def _taken(self) -> Iterator[Path]:
        """Each file, taken away from those who add; the one before is done with when the next is asked for."""
        for path in self._files():
            if path.suffix == ".sending":
                yield path
                continue
            taken = path.with_suffix(".sending")
            with contextlib.suppress(FileNotFoundError):
                path.rename(taken)
                yield taken

    def _send(self, path: Path, store: Store, state: Fold | None) -> int:
        waiting, unreadable = _read(path)
        events: dict[Chain, list[Event]] = {}
        for one in waiting:
            events.setdefault(one.chain, []).append(one.event)
        sent = 0
        for chain, several in events.items():
            sent += len(store.append(chain, several, state=state))
            store.raise_epoch(chain, max(event.epoch for event in several))
        if unreadable:
            # Nobody can send these, but they may tell a person something.
            append_durably(path.with_suffix(".unreadable"), b"\n".join(unreadable) + b"\n")
        path.unlink(missing_ok=True)
        return sent


def _encoded(line: _Line) -> bytes:
    try:
        return msgspec.json.encode(line)
    except UnicodeEncodeError:
        return msgspec.json.encode(storable_values(msgspec.to_builtins(line)))


def _holds(path: Path, line: bytes) -> bool:
    try:
        return line in path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return False


def _read(path: Path) -> tuple[list[Waiting], Sequence[bytes]]:
    """The events of a file, and the lines that are none: torn by a kill, or spoilt."""
    waiting, unreadable = [], []
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return [], []
    for line in filter(None, lines):
        try:
            found = msgspec.json.decode(line, type=_Line)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            unreadable.append(line)
            continue
        late = msgspec.structs.replace(found.event, late=True)
        waiting.append(Waiting(Chain(found.service, found.environment), late))
    return waiting, unreadable
