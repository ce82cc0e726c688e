"""Versions, and what is asked of them: `>= 0.1`, or several such parts joined by commas."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Version = tuple[int, ...]

_COMPARED: Mapping[str, Callable[[Version, Version], bool]] = {
    ">=": lambda ours, wanted: ours >= wanted,
    "<=": lambda ours, wanted: ours <= wanted,
    ">": lambda ours, wanted: ours > wanted,
    "<": lambda ours, wanted: ours < wanted,
    "==": lambda ours, wanted: ours == wanted,
}
_PART = re.compile(r"\s*(>=|<=|==|>|<)\s*([0-9]{1,6}(?:\.[0-9]{1,6}){0,3})\s*")


class VersionError(ValueError):
    """A text that asks for no version; the message is the part that cannot be read."""


def version_fits(ours: str, wanted: str) -> bool:
    """Whether our version is one of those that are wanted. Raises VersionError for what names none."""
    parts = []
    for text in wanted.split(","):
        found = _PART.fullmatch(text)
        if not found:
            raise VersionError(text.strip())
        parts.append((found[1], version_of(found[2])))
    return all(_COMPARED[sign](version_of(ours), version) for sign, version in parts)


def version_of(text: str) -> Version:
    """A version as numbers, padded so that 0.1 and 0.1.0 are equal."""
    numbers = [int(part) for part in re.findall(r"[0-9]+", text)[:4]]
    return tuple(numbers + [0] * (4 - len(numbers)))
