"""What a kind of check was tried against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tried:
    """The tests of a kind, and the real thing that they run it against."""

    tests: str
    peer: str
