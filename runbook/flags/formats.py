"""The formats of flag files. A new one is a module with these functions and a row in `FORMATS`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from runbook.flags import env, env_by_force
from runbook.flags.changes import Edit, FlagChange, Undone


class Format(Protocol):
    """Flags in the bytes of one kind of file. Each function raises `EditRefused` when it cannot be exact."""

    def values(self, data: bytes, keys: Iterable[str]) -> dict[str, str | None]:
        """What readers see for each key; None for a key that is not there."""
        ...

    def edit(self, data: bytes, wanted: Mapping[str, str]) -> Edit:
        """Give each key its wanted value and leave every other byte."""
        ...

    def undo(self, data: bytes, changes: Sequence[FlagChange]) -> Undone:
        """Give back what `changes` replaced, wherever it is still what they wrote."""
        ...

    def force(self, data: bytes, wanted: Mapping[str, str]) -> Edit:
        """Give each key its wanted value, exactly if possible; for an emergency."""
        ...

    def by_hand(self, wanted: Mapping[str, str]) -> list[str]:
        """The lines that a person would write into the file."""
        ...


class EnvFormat:
    """`KEY=value`, a line each."""

    values = staticmethod(env.values)
    edit = staticmethod(env.edit)
    undo = staticmethod(env.undo)
    force = staticmethod(env_by_force.force)
    by_hand = staticmethod(env_by_force.by_hand)


FORMATS: dict[str, Format] = {"env": EnvFormat()}
