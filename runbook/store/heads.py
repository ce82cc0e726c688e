"""The head of each chain, kept beside the store, so that a tail cut off there is seen."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from runbook.store.base import Chain, StoreAway
from runbook.system.files import PRIVATE, FileTrouble, ensure_folder

_PLAIN_SERVICE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_PLAIN_ENVIRONMENT = re.compile(r"[a-z0-9][a-z0-9._]{0,63}")
_LENGTH = 256  # every head has this many bytes: one write within one disk sector replaces the one before


class KeptHead(msgspec.Struct, frozen=True, kw_only=True):
    """The last event of a chain when it was written: number, hash, and time in microseconds since the epoch."""

    number: int
    hash: str
    at: int


class _Written(msgspec.Struct, frozen=True):
    """A head as it stands in its file; `check` tells a half-written one from a changed chain."""

    head: KeptHead
    check: str


_DECODE = msgspec.json.Decoder(_Written).decode


def chain_slug(chain: Chain) -> str:
    """A file name for a chain: `SERVICE-ENV` for plain names, else with a digest, so that no two chains share one.

    Capitals are not plain: some file systems do not tell them apart. A dash in the environment is not either:
    `a-b` in `c` and `a` in `b-c` would meet.
    """
    service, environment = chain.service, chain.environment
    if _PLAIN_SERVICE.fullmatch(service) and _PLAIN_ENVIRONMENT.fullmatch(environment):
        return f"{service}-{environment}"
    cleaned = re.sub(r"[^A-Za-z0-9._-]", "_", f"{service[:40]}-{environment[:40]}").lstrip(".-")
    names = f"{_hexadecimal(service)} {_hexadecimal(environment)}".encode()
    return f"{cleaned}~{hashlib.sha256(names).hexdigest()[:16]}"


def _hexadecimal(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").hex()


def head_path(folder: Path, chain: Chain) -> Path:
    """Where the head of a chain is kept."""
    return folder / f"{chain_slug(chain)}.json"


def read_head(folder: Path, chain: Chain) -> KeptHead | None:
    """The head kept for a chain, or None when none is kept. Raises `StoreAway` when it cannot be read."""
    path = head_path(folder, chain)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as trouble:
        raise _damaged(path) from trouble
    head = _decoded(data)
    if head is None and data:
        raise _damaged(path)
    return head


def _damaged(path: Path) -> StoreAway:
    return StoreAway(
        f"the head kept beside the store cannot be read: {path}",
        "compare the last hash with the one printed in a report, then remove the file",
    )


def keep_head(folder: Path, chain: Chain, head: KeptHead, hash_of: Callable[[int], str | None]) -> None:
    """Keeps a newer head. Nothing is raised: an older head is sound, only less sharp.

    `hash_of` tells the hash of an event in the chain: a head that the chain contradicts, or one that cannot be read,
    stays as the evidence that it is. The file is written in place and not synced, since a rename over it costs half a
    commit (0.17 ms), and a head that is lost with the power is only an older one.
    """
    with contextlib.suppress(OSError, StoreAway, FileTrouble):
        descriptor = _open(folder, chain)
        try:
            data = os.read(descriptor, _LENGTH + 1)
            kept = _decoded(data)
            follows = kept is not None and kept.number < head.number and hash_of(kept.number) == kept.hash
            if follows or not data:  # an empty file was made by a process that was killed just then
                os.pwrite(descriptor, _encoded(head), 0)
        finally:
            os.close(descriptor)


def _encoded(head: KeptHead) -> bytes:
    return msgspec.json.encode(_Written(head, _check(head))).ljust(_LENGTH - 1) + b"\n"


def _decoded(data: bytes) -> KeptHead | None:
    """The head, or None where the bytes are not just those that were once written."""
    try:
        written = _DECODE(data)
    except (msgspec.MsgspecError, UnicodeError):
        return None
    return written.head if written.check == _check(written.head) else None


def _check(head: KeptHead) -> str:
    return hashlib.sha256(msgspec.json.encode(head)).hexdigest()[:16]


def _open(folder: Path, chain: Chain) -> int:
    path, flags = head_path(folder, chain), os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        ensure_folder(folder)
        descriptor = os.open(path, flags | os.O_CREAT, PRIVATE.file)
        os.fchmod(descriptor, PRIVATE.file)
        return descriptor
