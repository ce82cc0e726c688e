"""Writing what a command prints into the file of `-o`: whole or not at all, so that a reader never sees half of it."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

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
