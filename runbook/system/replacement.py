"""The operator's files, changed whole or not at all: by renaming a new file over the old one, or in place.

Every step is taken relative to the open folder, and no link is followed, so that a path that is swapped for another
after it was planned leads nowhere else.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from runbook.system.files import (
    BLOCK,
    MIB,
    FileTrouble,
    digest_of,
    ensure_regular,
    read_open,
    sync,
    temporary_name,
    told_in_words,
    write_all,
)

LIMIT = 5 * MIB


def replace_atomically(path: Path, data: bytes, *, expected_digest: str | None) -> None:
    """Put `data` in the place of the file at `path`, keeping its mode, owner and extended attributes.

    `path` is a real path (no link in it); the caller holds the lock. The new bytes are on the disk and have been read
    back before the rename, and the old file is read once more right before it: unless its digest is `expected_digest`
    (None: whatever it holds), nothing is changed. Raises `FileTrouble`; then the old file stands untouched and no
    other file is left.
    """
    with told_in_words(path), opened_folder(path) as folder:
        like = check_replaceable(path, folder)
        temporary = temporary_name(path.name)
        try:
            _write_beside(folder, temporary, data, like, path)
            _ensure_unchanged(folder, path, expected_digest)
            _rename(folder, temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            raise
        sync(folder)


def read_real(path: Path, limit: int = LIMIT) -> bytes:
    """All bytes of a regular file at a real path; a link anywhere in it is refused. Raises `FileTrouble`."""
    with told_in_words(path), opened_folder(path) as folder:
        return _read(folder, path, limit)


def ensure_replaceable(path: Path) -> None:
    """Raise `FileTrouble` if `replace_atomically` would be refused as things are; changes nothing."""
    with told_in_words(path), opened_folder(path) as folder:
        check_replaceable(path, folder)


def clear_leftovers(path: Path) -> list[str]:
    """Remove temporary files that an edit of `path` left when it was killed; the caller holds the lock.

    Gives the names that were removed. What cannot be removed is left: it harms nobody.
    """
    ours = re.compile(re.escape(temporary_name(path.name)[:-8]) + r"[0-9a-f]{8}")
    removed: list[str] = []
    with told_in_words(path), opened_folder(path) as folder:
        for name in filter(ours.fullmatch, os.listdir(folder)):  # noqa: PTH208 (relative to the open folder)
            with contextlib.suppress(OSError):
                if stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                    os.unlink(name, dir_fd=folder)
                    removed.append(name)
        if removed:
            sync(folder)
    return sorted(removed)


@contextlib.contextmanager
def opened_folder(path: Path) -> Iterator[int]:
    """The open folder of a real path, reached part by part without following a link."""
    if not path.is_absolute() or ".." in path.parts:
        raise FileTrouble(path, "is not a real path", "resolve it first")
    passing = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    folder = os.open("/", passing)
    try:
        for part in path.parent.parts[1:]:
            below = os.open(part, passing, dir_fd=folder)
            os.close(folder)
            folder = below
        listing = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    finally:
        os.close(folder)
    try:
        yield listing
    finally:
        os.close(listing)


def check_replaceable(path: Path, folder: int) -> os.stat_result:
    """The status of the file at `path`, if it may be replaced in its open folder; else raises `FileTrouble`."""
    status = os.stat(path.name, dir_fd=folder, follow_symlinks=False)
    ensure_writable(path, folder, status)
    if _is_mounted(path):
        raise _mounted(path)
    if status.st_nlink > 1:
        reason = f"has {status.st_nlink} names (hard links), and a new file would take the place of only one"
        raise FileTrouble(path, reason, "declare `write: in_place` for it in the playbook, or make it one file")
    if not os.access(".", os.W_OK | os.X_OK, dir_fd=folder, effective_ids=_EFFECTIVE):
        reason = "lies in a folder in which this user may not write"
        raise FileTrouble(path, reason, f"look at it with: ls -ld {path.parent}; or declare `write: in_place`")
    if status.st_uid != os.geteuid() and os.geteuid() != 0:
        reason = "belongs to another user, and a new file in its place would not"
        raise FileTrouble(path, reason, "run as its owner, or declare `write: in_place` for it in the playbook")
    return status


def ensure_writable(path: Path, folder: int, status: os.stat_result) -> None:
    """Raise `FileTrouble` unless this is a regular file that this user may write.

    A file without any write bit is refused to root too: somebody meant it to stay as it is.
    """
    ensure_regular(path, status)
    if not status.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        raise FileTrouble(path, "is read-only", f"if it is meant to change: chmod u+w {path}")
    if not os.access(path.name, os.W_OK | os.R_OK, dir_fd=folder, effective_ids=_EFFECTIVE):
        if os.fstatvfs(folder).f_flag & os.ST_RDONLY:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        raise FileTrouble(path, "may not be written by this user", "look at it with: ls -l, lsattr")


_EFFECTIVE = os.access in os.supports_effective_ids


def _write_beside(folder: int, name: str, data: bytes, like: os.stat_result, path: Path) -> None:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, 0o600, dir_fd=folder)
    try:
        _dress(descriptor, folder, like, path)
        write_all(descriptor, data)
        sync(descriptor)
        if digest_of(_from_start(descriptor)) != digest_of(data):
            raise FileTrouble(path, "was not replaced: the new file read back differently", "look at: dmesg")
    finally:
        os.close(descriptor)


def _from_start(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return b"".join(iter(lambda: os.read(descriptor, BLOCK), b""))


def _dress(descriptor: int, folder: int, like: os.stat_result, path: Path) -> None:
    """Owner first (a change of owner clears bits of the mode), then attributes (an ACL is one), the mode last."""
    own = os.fstat(descriptor)
    if (own.st_uid, own.st_gid) != (like.st_uid, like.st_gid):
        try:
            os.fchown(descriptor, like.st_uid, like.st_gid)
        except PermissionError as error:
            reason = "belongs to an owner or group that this user cannot give to a new file"
            hint = "run as its owner, or declare `write: in_place` for it in the playbook"
            raise FileTrouble(path, reason, hint) from error
    _copy_attributes(path.name, folder, descriptor)
    os.fchmod(descriptor, stat.S_IMODE(like.st_mode))


def _copy_attributes(name: str, folder: int, descriptor: int) -> None:
    if not hasattr(os, "listxattr"):  # Linux alone has them in Python
        return
    source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        with contextlib.suppress(OSError):
            for attribute in os.listxattr(source):
                with contextlib.suppress(OSError):  # some belong to the system, and it sets them itself
                    os.setxattr(descriptor, attribute, os.getxattr(source, attribute))
    finally:
        os.close(source)


def _ensure_unchanged(folder: int, path: Path, expected_digest: str | None) -> None:
    if expected_digest is not None and digest_of(_read(folder, path, LIMIT)) != expected_digest:
        raise changed_meanwhile(path)


def changed_meanwhile(path: Path) -> FileTrouble:
    """The refusal for a file that somebody else wrote between our reading and our writing."""
    return FileTrouble(path, "was changed by somebody else meanwhile, and was let alone", "look at it, then try again")


def _read(folder: int, path: Path, limit: int) -> bytes:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    ensure_regular(path, os.stat(path.name, dir_fd=folder, follow_symlinks=False))
    descriptor = os.open(path.name, flags, dir_fd=folder)
    try:
        ensure_regular(path, os.fstat(descriptor))
        return read_open(descriptor, path, limit)
    finally:
        os.close(descriptor)


def _rename(folder: int, temporary: str, path: Path) -> None:
    try:
        os.rename(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        raise _mounted(path) from error


def _mounted(path: Path) -> FileTrouble:
    reason = "is mounted by itself (as containers do with one file), so no new file can take its place"
    return FileTrouble(path, reason, "declare `write: in_place` for it in the playbook")


def _is_mounted(path: Path) -> bool:
    """Whether the file itself is a mount point. The device number does not tell; the kernel's table of mounts does."""
    with contextlib.suppress(OSError):
        lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
        points = (line.split(b" ")[4] for line in lines if line.count(b" ") > 4)
        return os.fsencode(path) in (re.sub(rb"\\([0-7]{3})", _octal, point) for point in points)
    return False


def _octal(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 8)])
