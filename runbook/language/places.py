"""Places in a text, and the problems found there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Place:
    """Where something stands: a file, a line and a column (both from 1), and how many characters are meant."""

    file: str
    line: int
    column: int
    width: int = 1

    def moved(self, characters: int, width: int = 1) -> Place:
        """The place `characters` further to the right on the same line."""
        return Place(self.file, self.line, self.column + characters, max(1, width))

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: what, where, and what to do about it. `level` is `error` or `warning`."""

    message: str
    place: Place | None = None
    hint: str = ""
    level: str = "error"

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.message}" + (f" ({self.hint})" if self.hint else "")


class TextError(ValueError):
    """A text that is wrong: what, where in it (characters from 0), and what was probably meant."""

    def __init__(self, message: str, start: int = 0, width: int = 1, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.width = max(1, width)
        self.hint = hint


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean NAME?`, or an empty string when nothing known is close to `word`."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else ""
