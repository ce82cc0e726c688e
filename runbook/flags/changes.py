"""What an edit of a flag file is, whatever the format: changes that the journal keeps, and refusals."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec


class FlagChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One key that an edit changes, with all that its undo needs.

    `old` is the value as readers saw it, None where the key was missing. `old_raw` is the exact text of each live
    value, quotes included, in the order of the file. `appended` is the exact text added at the end for a missing key.
    """

    key: str
    old: str | None
    new: str
    old_raw: tuple[str, ...] = ()
    appended: str = ""


@dataclass(frozen=True)
class Edit:
    """An edit in memory: the new bytes, what changed, and the file's own lines before (`- `) and after (`+ `)."""

    data: bytes
    changes: tuple[FlagChange, ...]
    diff: tuple[str, ...]


@dataclass(frozen=True)
class Undone:
    """An undo in memory or on the disk.

    `restored` are the keys that hold what they held before; `left` are keys with their present value (None: missing)
    that somebody else has changed since, and that were therefore let alone.
    """

    data: bytes
    restored: tuple[str, ...]
    left: tuple[tuple[str, str | None], ...]
    diff: tuple[str, ...]


class EditRefused(Exception):  # noqa: N818 - it is told, not a fault of ours
    """An edit would not be exact. `line` counts from 1; None where the whole file or a missing key is meant."""

    def __init__(self, key: str, line: int | None, reason: str, hint: str = "") -> None:
        where = f" (line {line})" if line else ""
        super().__init__(f"{key}{where} {reason}" if key else reason)
        self.key = key
        self.line = line
        self.reason = reason
        self.hint = hint


class FlagTrouble(Exception):  # noqa: N818 - it is told, not a fault of ours
    """A flag file could not be read or changed as wanted. `path` is written as in the playbook.

    `reason` continues a sentence that begins with the path; `hint` is the next thing to do.
    """

    def __init__(self, path: str, reason: str, hint: str = "") -> None:
        super().__init__(f"{path} {reason}" + (f"; {hint}" if hint else ""))
        self.path = path
        self.reason = reason
        self.hint = hint
