"""A problem shown where it stands: the line, a caret under the place, and what was probably meant."""

from __future__ import annotations

import unicodedata

from runbook.language.places import Place, Problem
from runbook.playbook.source import LINE_END
from runbook.system.harmless import harmless

WIDEST = 100
BEFORE = 60
CUT = "..."


def excerpt(problem: Problem, text: str, widest: int = WIDEST) -> list[str]:
    """The line of a problem with its number, and below it carets and the hint; a problem without a place has its hint.

    `text` is the text of the file in which it stands. Control characters are shown, not sent to the terminal, and a
    long line is cut around the caret to `widest` columns.
    """
    lines = LINE_END.split(text)
    if problem.place is None or not 1 <= problem.place.line <= len(lines):
        return [f"      | {harmless(problem.hint)}"] if problem.hint else []
    line, column, width = cut(lines[problem.place.line - 1], problem.place, widest)
    carets = " " * shown_width(line[:column]) + "^" * max(1, shown_width(line[column : column + width]))
    hint = f" {harmless(problem.hint)}" if problem.hint else ""
    return [f"{problem.place.line:>5} | {visible(line)}".rstrip(), f"      | {carets}{hint}".rstrip()]


def cut(line: str, place: Place, widest: int) -> tuple[str, int, int]:
    """The part of the line around the place, the place's column in it (from 0), and its width."""
    column, width = place.column - 1, place.width
    if len(line) <= widest:
        return line, column, width
    start = max(0, min(column - BEFORE, len(line) - widest))
    before = CUT if start else ""
    after = CUT if start + widest < len(line) else ""
    shown = before + line[start : start + widest] + after
    return shown, column - start + len(before), min(width, start + widest - column)


def visible(text: str) -> str:
    """The text as a terminal may have it; a tab is one space, so that carets stand where they should."""
    return harmless(text.replace("\t", " "))


def shown_width(text: str) -> int:
    """How many columns a text takes on a terminal."""
    return sum(columns(character) for character in visible(text))


def columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
