"""The journal of an operation: on local disk, before any effect, whatever happens to the store.

One file an operation, one JSON line an entry, each line synced before the effect that it announces. The first line is
the header with the plan and its undo. A file that is still there belongs to an operation that runs, was cut off, or
whose end has not reached the store; a torn last line is a write that never took effect.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from runbook.actions.steps import StepRecord
from runbook.flags.changes import FlagChange
from runbook.store.events import Event, Who
from runbook.system.files import FileTrouble, append_durably, ensure_folder, read_regular

ENDED = "ended"  # the folder of journals that an emergency took away


class TakenOver(Exception):  # noqa: N818 - it is told, not a fault of ours
    """Somebody else (an emergency) ended this operation while it was under way."""


class Header(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an operation was going to do. `began` is seconds since the epoch; `process` is pid, start, boot, namespace.

    `sections` is the mini-playbook that ends or undoes the operation without the playbook; `flags_after` the values
    that stand when it is done.
    """

    operation: str
    kind: str
    service: str
    environment: str
    who: Who
    began: float
    epoch: int
    came_from: str
    to: str
    steps: tuple[StepRecord, ...]
    sections: dict[str, Any]
    process: tuple[int, str, str, str] = (0, "", "", "")
    stage: str = ""
    percent: float = 0.0
    flags_after: dict[str, str] = {}
    reason: str = ""
    automatic: bool = False
    rollout: int | None = None
    playbook: tuple[str, str] = ("", "")


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line. `state` is announced, begun, started (a process), done, failed, undone, left, or ended."""

    state: str
    at: float
    step: int | None = None
    message: str = ""
    pid: int | None = None
    changes: tuple[FlagChange, ...] = ()
    outcome: str = ""
    events: tuple[Event, ...] = ()


class Journal:
    """An open journal file.

    With `insist` an error of the disk does not stop the operation: the way back depends on nothing, not even on its own
    journal. `lost` tells that this happened; from then on the entries are only in memory.
    """

    def __init__(self, path: Path, header: Header, entries: Sequence[Entry] = (), *, insist: bool = False) -> None:
        self.path = path
        self.header = header
        self.entries = list(entries)
        self.insist = insist
        self.lost = ""
        self.torn = False  # the last line was torn by a power cut: the next one must not be glued to it

    @classmethod
    def begin(
        cls, folder: Path, slug: str, header: Header, entries: Sequence[Entry] = (), *, insist: bool = False
    ) -> Journal:
        """Write the header and the first entries down in one go, durably. From here on the operation exists.

        Raises `FileTrouble` unless `insist`.
        """
        journal = cls(folder / slug / f"{header.operation}.jsonl", header, entries, insist=insist)
        journal._append(b"\n".join(msgspec.json.encode(part) for part in (header, *entries)), create=True)
        return journal

    def _append(self, line: bytes, *, create: bool = False) -> None:
        if self.lost:
            return
        try:
            append_durably(self.path, (b"\n" if self.torn else b"") + line + b"\n", create=create)
            self.torn = False
        except FileNotFoundError as gone:
            raise TakenOver(self.header.operation) from gone
        except FileTrouble as trouble:
            if not create and not self.path.exists():
                raise TakenOver(self.header.operation) from trouble
            if not self.insist:
                raise
            self.lost = f"{trouble.path}: {trouble.reason}"

    def note(self, entry: Entry) -> None:
        """Write one entry down, durably.

        Raises:
            TakenOver: the file is gone, so an emergency has ended this operation.
            FileTrouble: it cannot be written, and this operation does not insist.
        """
        self._append(msgspec.json.encode(entry))
        self.entries.append(entry)

    @property
    def ended(self) -> Entry | None:
        """The entry that ended the operation, when there is one."""
        return next((entry for entry in reversed(self.entries) if entry.state == "ended"), None)

    def announced(self) -> list[Event]:
        """The events that told of the beginning; the store skips those it has."""
        return [event for entry in self.entries if entry.state == "announced" for event in entry.events]

    def state_of(self, step: int) -> str:
        """The newest state of a step: an empty string when it was never begun."""
        states = [entry.state for entry in self.entries if entry.step == step and entry.state != "started"]
        return states[-1] if states else ""

    def unfinished(self) -> list[str]:
        """The marks of the processes of steps that were begun and did not end; what a finished step started stays."""
        last: dict[int, str] = {entry.step: entry.state for entry in self.entries if entry.step is not None}
        return [f"{self.header.operation}/{step}" for step, state in last.items() if state in ("begun", "started")]

    def changes_of(self, step: int) -> tuple[FlagChange, ...]:
        """What a flag step really planned to write, as noted each time it began; else what the plan said.

        Over several beginnings a key has its first old value and its last new one.
        """
        merged: dict[str, FlagChange] = {}
        for change in (change for entry in self.entries if entry.step == step for change in entry.changes):
            first = merged.get(change.key)
            merged[change.key] = change if first is None else msgspec.structs.replace(first, new=change.new)
        return tuple(merged.values()) or self.header.steps[step].changes

    def remove(self) -> None:
        """The end of the operation is known to the store (or the spool): the journal has done its work.

        Where the disk says no, the next command tells the same end again, which the store knows already.
        """
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    def take_away(self, entry: Entry) -> None:
        """End the operation and take it away from whoever still runs it: its next entry raises `TakenOver`.

        The end stands in the journal before it is moved, so that it is told whatever happens to us in between.
        """
        self.note(entry)
        ended = self.path.parent / ENDED
        ensure_folder(ended)
        self.path.replace(ended / self.path.name)
        self.path = ended / self.path.name


def read_journal(path: Path) -> Journal | None:
    """The journal in a file; None when not even its header was written whole."""
    written = read_regular(path, limit=64 * 1024 * 1024)
    lines = written.split(b"\n")
    try:
        header = msgspec.json.decode(lines[0], type=Header)
    except msgspec.MsgspecError:
        return None
    entries: list[Entry] = []
    for line in lines[1:]:
        try:
            entries.append(msgspec.json.decode(line, type=Entry))
        except msgspec.MsgspecError:
            continue  # a torn line: the write never took effect
    journal = Journal(path, header, entries)
    journal.torn = not written.endswith(b"\n")
    return journal


def sweep(folder: Path, slug: str) -> None:
    """Remove what announces nothing: journals whose header never reached the disk. For who is about to begin one."""
    for path in (folder / slug).glob("*.jsonl"):
        with contextlib.suppress(FileTrouble, OSError):
            if read_journal(path) is None:
                path.unlink(missing_ok=True)


def open_journals(folder: Path, slug: str) -> list[Journal]:
    """The journals of this service and environment that are still there, oldest first."""
    found = []
    for path in [*(folder / slug).glob("*.jsonl"), *(folder / slug / ENDED).glob("*.jsonl")]:
        try:
            journal = read_journal(path)
        except FileTrouble:
            continue  # its operation ended while we looked
        if journal is not None:  # a header that is not whole yet announces nothing
            found.append(journal)
    return sorted(found, key=lambda journal: journal.header.began)
