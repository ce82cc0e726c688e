"""One flag file of an environment: read, prepared, written under its lock, undone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runbook.flags.changes import Edit, EditRefused, FlagChange, FlagTrouble, Undone
from runbook.flags.formats import FORMATS, Format
from runbook.system.files import FileTrouble, digest_of, read_regular
from runbook.system.in_place import ensure_writable_in_place, is_kept, recover_in_place, write_in_place
from runbook.system.locks import Locked, file_locked
from runbook.system.replacement import clear_leftovers, ensure_replaceable, read_real, replace_atomically

FORCED_TRIES = 3  # an emergency goes on when somebody else wrote the file meanwhile


@dataclass(frozen=True)
class FlagState:
    """What a flag file shows: the values of the keys asked for (None: missing), its digest, its real path."""

    values: dict[str, str | None]
    digest: str
    real_path: Path


@dataclass(frozen=True)
class Prepared:
    """An edit that is ready to be written; nothing is written yet.

    `digest` is that of the bytes it was made from, `data` the new bytes. `diff` are the file's own lines.
    """

    real_path: Path
    wanted: dict[str, str]
    changes: tuple[FlagChange, ...]
    diff: tuple[str, ...]
    data: bytes
    digest: str


@dataclass(frozen=True)
class FlagFile:
    """A place of flags, as a playbook names it. Whatever goes wrong is raised as `FlagTrouble`.

    Locks and what a write in place needs lie in `state_folder`; `kind` is a key of `FORMATS`; `lock_wait` is how many
    seconds another edit, which takes milliseconds, is waited for.
    """

    project: Path
    place_path: str
    in_place: bool
    state_folder: Path
    kind: str = "env"
    lock_wait: float = 5.0

    @property
    def shown(self) -> str:
        """The path as written in the playbook."""
        return self.place_path

    def real_path(self) -> Path:
        """Where the file is once every link has been followed."""
        with self._told():
            try:
                return (self.project / self.place_path).resolve(strict=True)
            except RuntimeError as error:  # Python 3.11 and 3.12 raise it for links in a circle
                raise FlagTrouble(self.shown, "is a link that leads back to itself", "correct the link") from error
            except (OSError, ValueError):
                return self._read_for_the_reason()

    def read(self, keys: Iterable[str]) -> FlagState:
        """The present values of `keys`. Takes no lock, and changes nothing but a write in place that was cut off."""
        with self._told():
            path = self.real_path()
            self._settle(path)
            data = read_regular(path)
            return FlagState(self._format.values(data, keys), digest_of(data), path)

    def prepare(self, wanted: Mapping[str, str]) -> Prepared:
        """Work out the edit, and refuse here what could not be written later. Nothing is written."""
        with self._told():
            path = self.real_path()
            self._ensure_writable(path)
            self._settle(path)
            data = read_real(path)
            if not data:
                hint = "put its text back; if it is meant to be new, write a comment into it"
                raise FlagTrouble(self.shown, "is empty, as if it had been cut off by accident", hint)
            return self._prepared(path, data, wanted, self._format.edit(data, wanted))

    def apply(self, prepared: Prepared) -> None:
        """Write a prepared edit and read it back; refused when the file or its links are not as they were then."""
        with self._told(), self._locked(prepared.real_path):
            self._recover(prepared.real_path)
            if self.real_path() != prepared.real_path:
                raise FlagTrouble(self.shown, "leads to another file than when this was planned", "plan again")
            digest = digest_of(read_real(prepared.real_path))
            if digest == digest_of(prepared.data):  # done before by a step that was cut off after it
                return
            if digest != prepared.digest:
                raise FlagTrouble(self.shown, "was changed by somebody else since this was planned", "plan again")
            self._write(prepared.real_path, prepared.data, prepared.digest)

    def undo(self, changes: Sequence[FlagChange]) -> Undone:
        """Give back what `changes` replaced, wherever the present value is still the one they wrote."""
        with self._told():
            path = self.real_path()
            with self._locked(path):
                self._recover(path)
                data = read_real(path)
                undone = self._format.undo(data, changes)
                self._write(path, undone.data, digest_of(data))
                return undone

    def force(self, wanted: Mapping[str, str]) -> Prepared:
        """Write the wanted values for an emergency: exactly if possible, else by rewriting the lines of the keys.

        What another process writes at the same time is kept; gives what was written.
        """
        with self._told(), contextlib.ExitStack() as stack:
            path = self.real_path()
            # A holder that is stopped or hangs must not keep the way back closed. Its temporary file is cleared away
            # below, so that it cannot rename an older text over ours when it wakes up.
            with contextlib.suppress(Locked, FileTrouble):
                stack.enter_context(self._locked(path))
            with contextlib.suppress(FileTrouble):  # what cannot be cleared up must not stop it either
                self._recover(path)
            for tries_left in reversed(range(FORCED_TRIES)):
                data = read_real(path)
                prepared = self._prepared(path, data, wanted, self._format.force(data, wanted))
                try:
                    self._write(path, prepared.data, prepared.digest)
                    break
                except FileTrouble:
                    if not tries_left or digest_of(read_real(path)) == prepared.digest:
                        raise
            return prepared

    def recover(self) -> None:
        """Clear away what an edit left that was killed; done by every edit too."""
        with self._told():
            path = self.real_path()
            with self._locked(path):
                self._recover(path)

    def by_hand(self, wanted: Mapping[str, str]) -> list[str]:
        """The lines that a person would write into the file."""
        return self._format.by_hand(wanted)

    @property
    def _format(self) -> Format:
        return FORMATS[self.kind]

    def _prepared(self, path: Path, data: bytes, wanted: Mapping[str, str], edit: Edit) -> Prepared:
        return Prepared(path, dict(wanted), edit.changes, edit.diff, edit.data, digest_of(data))

    def _ensure_writable(self, path: Path) -> None:
        (ensure_writable_in_place if self.in_place else ensure_replaceable)(path)

    def _settle(self, path: Path) -> None:
        """Repair what a write in place left, if it was cut off; the usual look takes no lock and writes nothing."""
        if is_kept(self._backup(path)):
            with self._locked(path):
                self._recover(path)

    def _recover(self, path: Path) -> None:
        clear_leftovers(path)
        backup = self._backup(path)
        if backup.parent.is_dir():
            clear_leftovers(backup)
        recover_in_place(path, backup)

    def _write(self, path: Path, data: bytes, digest: str) -> None:
        if digest_of(data) == digest:
            return
        if self.in_place:
            write_in_place(path, data, expected_digest=digest, backup=self._backup(path))
        else:
            replace_atomically(path, data, expected_digest=digest)
        if read_real(path) != data:
            raise FlagTrouble(self.shown, "reads differently from what was just written", "look at it by hand")

    def _backup(self, path: Path) -> Path:
        return self.state_folder / "in_place" / f"{digest_of(bytes(path))}.backup"

    @contextlib.contextmanager
    def _locked(self, path: Path) -> Iterator[None]:
        with file_locked(self.state_folder / "locks" / f"{digest_of(bytes(path))}.lock", wait=self.lock_wait):
            yield

    def _read_for_the_reason(self) -> Path:
        read_regular(self.project / self.place_path)
        raise FlagTrouble(self.shown, "is being moved about", "try again")

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Whatever is wrong with the file, under the path that the operator knows."""
        try:
            yield
        except FileTrouble as error:
            where = str(error.path) if error.path.is_relative_to(self.state_folder) else self.shown
            raise FlagTrouble(where, error.reason, error.hint) from error
        except EditRefused as error:
            raise FlagTrouble(
                self.shown, f"was not changed: {error}" if error.key else error.reason, error.hint
            ) from error
        except Locked as error:
            reason = f"is being written by {error.holder_text or 'another process'}"
            raise FlagTrouble(self.shown, reason, "try again in a moment") from error
