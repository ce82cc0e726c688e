"""Writing into a file that cannot be replaced (`write: in_place`), with a record that can undo a torn write.

Old and new bytes are on the disk, in a private file, before the first byte changes. If the tool is killed half-way,
the file holds some bytes of each; that is recognised, and the old bytes are put back.
"""

from __future__ import annotations

import contextlib
import os
from itertools import zip_longest
from pathlib import Path

import msgspec

from runbook.system.files import (
    FileTrouble,
    digest_of,
    ensure_regular,
    read_open,
    read_regular,
    sync,
    told_in_words,
    write_all,
    write_private,
)
from runbook.system.replacement import LIMIT, changed_meanwhile, ensure_writable, opened_folder


class Backup(msgspec.Struct, frozen=True):
    """What stands in the private file while a write is under way."""

    path: str
    old: bytes
    new: bytes


def ensure_writable_in_place(path: Path) -> None:
    """Raise `FileTrouble` if `write_in_place` would be refused as things are; changes nothing."""
    with told_in_words(path), opened_folder(path) as folder:
        ensure_writable(path, folder, os.stat(path.name, dir_fd=folder, follow_symlinks=False))


def write_in_place(path: Path, data: bytes, *, expected_digest: str | None, backup: Path) -> None:
    """Overwrite the file at the real path `path`; the caller holds the lock and has called `recover_in_place`.

    `backup` is the private file that holds old and new bytes until the new ones are on the disk. Raises `FileTrouble`:
    when the file's digest is not `expected_digest` nothing is changed; when the write fails, the old bytes are put
    back, and `backup` stays for `recover_in_place`.
    """
    with told_in_words(path), opened_folder(path) as folder:
        ensure_writable(path, folder, os.stat(path.name, dir_fd=folder, follow_symlinks=False))
        descriptor = _open(path, folder)
        try:
            old = read_open(descriptor, path, LIMIT)
            if expected_digest is not None and digest_of(old) != expected_digest:
                raise changed_meanwhile(path)
            write_private(backup, msgspec.msgpack.encode(Backup(str(path), old, data)))
            _overwrite_or_put_back(descriptor, path, old, data)
            backup.unlink()
        finally:
            os.close(descriptor)


def is_kept(backup: Path) -> bool:
    """Whether a write is under way or was cut off, as far as this user may know."""
    with contextlib.suppress(OSError):
        return backup.exists()
    return False


def recover_in_place(path: Path, backup: Path) -> bool:
    """Put the old bytes back if a write was cut off half-way; the caller holds the lock.

    True if the file was torn and is whole again. A file that holds the old or the new bytes is let alone; so is, with
    a `FileTrouble`, one that holds something else. `backup` is removed unless that happens.
    """
    if not backup.exists():
        return False
    kept = _read_backup(backup)
    with told_in_words(path), opened_folder(path) as folder:
        descriptor = _open(path, folder)
        try:
            present = read_open(descriptor, path, LIMIT)
            torn = present not in (kept.old, kept.new)
            if torn and not _is_mixture(present, kept):
                hint = f"repair it by hand; the bytes before the cut-off write are in {backup}"
                raise FileTrouble(path, "was changed by somebody else after a write that was cut off", hint)
            if torn:
                _overwrite(descriptor, kept.old)
        finally:
            os.close(descriptor)
    with told_in_words(backup):
        backup.unlink()
    return torn


def _read_backup(backup: Path) -> Backup:
    try:
        return msgspec.msgpack.decode(read_regular(backup, limit=3 * LIMIT), type=Backup)
    except msgspec.DecodeError as error:
        raise FileTrouble(backup, "cannot be understood as the record of a write", "move it away") from error


def _open(path: Path, folder: int) -> int:
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    descriptor = os.open(path.name, flags, dir_fd=folder)
    try:
        ensure_regular(path, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _overwrite_or_put_back(descriptor: int, path: Path, old: bytes, data: bytes) -> None:
    try:
        _overwrite(descriptor, data)
        if _from_start(descriptor, path) != data:
            raise FileTrouble(path, "read back differently after it was written", "look at: dmesg")
    except BaseException:
        with contextlib.suppress(OSError):  # the record stays, and the next look tries again
            _overwrite(descriptor, old)
        raise


def _overwrite(descriptor: int, data: bytes) -> None:
    """No truncation first: the blocks that the file has are kept, so that putting back needs no new space."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    write_all(descriptor, data)
    os.ftruncate(descriptor, len(data))
    sync(descriptor)


def _from_start(descriptor: int, path: Path) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return read_open(descriptor, path, LIMIT)


def _is_mixture(present: bytes, kept: Backup) -> bool:
    """Whether every byte is the old or the new one of its place: what a write leaves that was cut off."""
    if not min(len(kept.old), len(kept.new)) <= len(present) <= max(len(kept.old), len(kept.new)):
        return False
    places = zip_longest(present, kept.old[: len(present)], kept.new[: len(present)])
    return all(byte in (old, new) for byte, old, new in places)
