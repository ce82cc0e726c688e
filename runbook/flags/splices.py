"""Cutting pieces of a text out and putting others in their place; and the lines that this changes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

NEWLINE = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Splice:
    """Characters `start` to `end` of a text become `new`. `lines`: whole lines come or go, not a part of one."""

    start: int
    end: int
    new: str
    lines: bool = False


def spliced(text: str, cuts: Iterable[Splice]) -> str:
    """`text` with every cut made. Cuts do not overlap; those at one place keep the order in which they are given."""
    parts: list[str] = []
    place = 0
    for cut in sorted(cuts, key=lambda one: one.start):
        parts += [text[place : cut.start], cut.new]
        place = cut.end
    return "".join([*parts, text[place:]])


def lines_changed(text: str, cuts: Iterable[Splice]) -> tuple[str, ...]:
    """The lines that cuts change, in the order of the text: `- ` before what was, `+ ` before what will be."""
    shown: list[str] = []
    for cut in sorted(cuts, key=lambda one: one.start):
        start, end = (cut.start, cut.end) if cut.lines else line_around(text, cut.start, cut.end)
        after = text[start : cut.start] + cut.new + text[cut.end : end]
        shown += [f"- {_printable(line)}" for line in NEWLINE.split(text[start:end]) if line]
        shown += [f"+ {_printable(line)}" for line in NEWLINE.split(after) if line]
    return tuple(shown)


def line_around(text: str, start: int, end: int) -> tuple[int, int]:
    """The beginning of the line of `start` and the end of that of `end`, without its line break."""
    before = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    after = NEWLINE.search(text, end)
    return before, after.start() if after else len(text)


def _printable(line: str) -> str:
    """Bytes that are not UTF-8 become backslash escapes."""
    return line.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
