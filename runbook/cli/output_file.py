"""Writing what a command prints into the file of `-o`: whole or not at all, so that a reader never sees half of it."""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import stat
from pathlib import Path

from runbook.system.refusals import Refusal

READABLE = 0o644  # a collector that runs as another user reads it


def write_whole(path: Path, text: str) -> None:
    """Put `text` at `path` in one step; a link stays and its target is replaced. Raises `OSError`.

    What is no file (`/dev/stdout`, a pipe) is written as it stands, as is a file in a folder where nothing new can be
    made. A file that was there keeps its mode.
    """
    body = text.encode("utf-8", "backslashreplace")
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG | (READABLE & ~_umask())
    if not stat.S_ISREG(mode) or path.absolute().parts[1] in ("dev", "proc"):
        path.write_bytes(body)
        return
    real = path.resolve()
    beside = real.with_name(f".{real.name[:200]}.{secrets.token_hex(4)}")
    try:
        _write_new(beside, body, stat.S_IMODE(mode))
        beside.rename(real)
    except PermissionError:
        beside.unlink(missing_ok=True)
        real.write_bytes(body)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def refuse_unwritable(path: Path) -> None:
    """Raises `Refusal` where `write_whole` could not write at `path`, so that nothing is looked at for it in vain."""
    try:
        folder = path.resolve().parent
        named, may_make = shlex.quote(str(folder)), os.access(folder, os.W_OK | os.X_OK)
        if path.is_dir():
            raise _unwritable(path, "this is a folder", f"name a file in it: -o {shlex.quote(str(path / 'answer'))}")
        if path.exists():
            if not os.access(path, os.W_OK) and not (path.is_file() and may_make):
                raise _unwritable(path, "this user may not write it", f"ls -l {shlex.quote(str(path))}")
        elif not folder.is_dir():
            raise _unwritable(path, f"there is no folder {folder}", f"mkdir -p {named}")
        elif not may_make:
            raise _unwritable(path, f"this user may make nothing in {folder}", f"ls -ld {named}")
    except (OSError, RuntimeError, ValueError) as trouble:  # a link to itself, a NUL, a name that is too long
        why = trouble.strerror if isinstance(trouble, OSError) and trouble.strerror else str(trouble)
        raise _unwritable(path, why.lower(), "name a file that can be written: -o answer") from None


def _unwritable(path: Path, why: str, remedy: str) -> Refusal:
    return Refusal(f"-o {path}: {why}; nothing was looked at", next_steps=[remedy])


def append_within(path: Path, text: str, limit: int) -> bool:
    """Append `text` where the file stays within `limit` bytes; whether it was. Raises `OSError`."""
    body = text.encode("utf-8", "backslashreplace")
    with path.open("ab") as file:
        if file.tell() + len(body) > limit:
            return False
        file.write(body)
    return True


def _write_new(path: Path, body: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(body)


def _umask() -> int:
    """The mask of this process, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
