"""Files of this machine: read within limits, written whole or not at all, private where they are ours.

A file that belongs to the operator is edited through `runbook.system.replacement`, which stands on this one.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024
BLOCK = 256 * 1024


class FileTrouble(Exception):  # noqa: N818 - it is told, not a fault of ours
    """A file could not be read or written as wanted; what it held before still stands.

    `reason` continues a sentence that begins with the path ("is a folder"); `hint` is the next thing to do.
    """

    def __init__(self, path: Path, reason: str, hint: str = "") -> None:
        super().__init__(f"{path} {reason}" + (f"; {hint}" if hint else ""))
        self.path = path
        self.reason = reason
        self.hint = hint


@dataclass(frozen=True)
class Modes:
    """Permissions of what the tool keeps for itself; set on the open file, so that the umask has no say."""

    file: int
    folder: int


PRIVATE = Modes(file=0o600, folder=0o700)

_REASONS = {
    errno.ENOENT: ("is not there", "create it, or correct the path"),
    errno.ENOTDIR: ("lies under something that is not a folder", "correct the path"),
    errno.EISDIR: ("is a folder", "name a file"),
    errno.EACCES: ("may not be used by this user", "look at its owner and mode with: ls -l"),
    errno.EPERM: ("may not be changed by this user, or is marked immutable", "look at it with: ls -l, lsattr"),
    errno.EROFS: ("lies on a file system that is read-only", "mount it writable"),
    errno.ENOSPC: ("does not fit: its file system is full", "free some space; df -h shows how much there is"),
    errno.EDQUOT: ("does not fit: the quota is used up", "free some space, or have the quota raised"),
    errno.EFBIG: ("does not fit under the limit for file sizes", "raise it with: ulimit -f unlimited"),
    errno.EIO: ("could not be read or written: the disk reports an error", "look at the kernel log with: dmesg"),
    errno.EMFILE: ("could not be opened: too many files are open", "raise the limit with: ulimit -n 1024"),
    errno.ENFILE: ("could not be opened: the machine has too many open files", "end what holds them"),
    errno.ENOMEM: ("could not be used: memory is short", "free some memory"),
    errno.ELOOP: ("is a link where a file is expected", "name the file that the link points to"),
    errno.ENAMETOOLONG: ("has a name that is too long", "use a shorter path"),
    errno.ETXTBSY: ("is a program that runs just now", "name another file"),
}


def trouble(path: Path, error: OSError | ValueError) -> FileTrouble:
    """What the system said about `path`, in the operator's words."""
    if isinstance(error, ValueError):
        return FileTrouble(path, "has a name that no file can have", "correct the path")
    reason, hint = _REASONS.get(error.errno or 0, (f"could not be used: {error.strerror or error}", ""))
    return FileTrouble(path, reason, hint)


@contextlib.contextmanager
def told_in_words(path: Path) -> Iterator[None]:
    """Turn what the system refuses about `path` into a `FileTrouble`."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise trouble(path, error) from error


def digest_of(data: bytes) -> str:
    """The hexadecimal SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def read_regular(path: Path, limit: int = 5 * MIB) -> bytes:
    """All bytes of a regular file of at most `limit` bytes; a link is followed.

    A FIFO or device is refused without waiting for it, as are a missing or unreadable file and a folder.
    Raises `FileTrouble`.
    """
    with told_in_words(path):
        ensure_regular(path, path.stat())  # before the opening, which alone may already do something to a device
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            ensure_regular(path, os.fstat(descriptor))
            return read_open(descriptor, path, limit)
        finally:
            os.close(descriptor)


def ensure_regular(path: Path, status: os.stat_result) -> None:
    """Raise `FileTrouble` unless `status` is that of a regular file."""
    kinds: tuple[tuple[Callable[[int], bool], str], ...] = (
        (stat.S_ISDIR, "is a folder"),
        (stat.S_ISLNK, "is a link"),
        (stat.S_ISFIFO, "is a named pipe"),
        (stat.S_ISSOCK, "is a socket"),
        (stat.S_ISCHR, "is a device"),
        (stat.S_ISBLK, "is a device"),
    )
    for is_kind, reason in kinds:
        if is_kind(status.st_mode):
            raise FileTrouble(path, f"{reason}, not a file", "name a regular file")


def read_open(descriptor: int, path: Path, limit: int) -> bytes:
    """Read an open regular file from where it stands to its end; more than `limit` bytes are refused."""
    size = os.fstat(descriptor).st_size
    parts: list[bytes] = []
    seen = 0
    while size <= limit and seen <= limit:
        part = os.read(descriptor, BLOCK)
        if not part:
            return b"".join(parts)
        parts.append(part)
        seen += len(part)
    raise FileTrouble(path, f"is too large: {max(size, seen)} bytes, at most {limit} are read", "name another file")


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte. One call may take only a part, and a full tmpfs then reports no error until the next call."""
    rest = memoryview(data)
    while rest:
        written = os.write(descriptor, rest)
        if written == 0:
            raise OSError(errno.EIO, "nothing more was written")
        rest = rest[written:]


def sync(descriptor: int) -> None:
    """Bring an open file or folder to the disk itself. An error means: not saved; a second try would not see it."""
    import fcntl

    full = getattr(fcntl, "F_FULLFSYNC", None)  # on macOS fsync alone stops at the drive's cache
    if full is not None:
        with contextlib.suppress(OSError):  # some file systems there know only fsync
            fcntl.fcntl(descriptor, full)
            return
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Bring the names in `folder` to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def temporary_name(name: str) -> str:
    """A new hidden name beside `name`: `.NAME.runbook-` and eight digits, short enough for every file system."""
    kept = os.fsdecode(os.fsencode(name)[:200])
    return f".{kept}.runbook-{secrets.token_hex(4)}"


def ensure_folder(path: Path, modes: Modes = PRIVATE) -> None:
    """Make `path` and what is missing above it, durably, each for the owner alone. Raises `FileTrouble`."""
    missing: list[Path] = []
    with told_in_words(path):
        folder = path.absolute()
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for folder in reversed(missing):
            with contextlib.suppress(FileExistsError):  # another process was faster
                folder.mkdir(mode=modes.folder)
                folder.chmod(modes.folder)
                sync_folder(folder.parent)
        if not path.is_dir():
            raise FileTrouble(path, "is not a folder", "move it away")


def write_private(path: Path, data: bytes, modes: Modes = PRIVATE) -> None:
    """Write a file of our own, whole or not at all, and bring it to the disk. Raises `FileTrouble`.

    The folder is made as needed. A link or file at `path` is replaced; a reader sees the old bytes or the new.
    """
    ensure_folder(path.parent, modes)
    temporary = path.with_name(temporary_name(path.name))
    with told_in_words(path):
        try:
            _write_new(temporary, data, modes)
            temporary.rename(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def _write_new(path: Path, data: bytes, modes: Modes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, modes.file)
    try:
        os.fchmod(descriptor, modes.file)
        write_all(descriptor, data)
        sync(descriptor)
    finally:
        os.close(descriptor)


def append_durably(path: Path, data: bytes, modes: Modes = PRIVATE, *, create: bool = True) -> None:
    """Append to a file of our own and bring it to the disk; folder and file are made as needed. Raises `FileTrouble`.

    Without `create` the file has to be there: `FileNotFoundError` tells that somebody took it away.

    When not all of `data` can be written, what was written of it is taken back.
    """
    if create:
        ensure_folder(path.parent, modes)
    elif not path.exists():
        raise FileNotFoundError(path)
    with told_in_words(path):
        descriptor, is_new = _open_to_append(path, modes, create)
        try:
            before = os.fstat(descriptor).st_size
            try:
                write_all(descriptor, data)
            except OSError:
                os.ftruncate(descriptor, before)
                if is_new:
                    path.unlink(missing_ok=True)
                raise
            sync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            sync_folder(path.parent)


def _open_to_append(path: Path, modes: Modes, create: bool) -> tuple[int, bool]:
    flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor, is_new = os.open(path, flags, modes.file), False
    except FileNotFoundError:
        if not create:
            raise
        descriptor, is_new = os.open(path, flags | os.O_CREAT, modes.file), True
    try:
        ensure_regular(path, os.fstat(descriptor))
        if is_new:
            os.fchmod(descriptor, modes.file)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, is_new
