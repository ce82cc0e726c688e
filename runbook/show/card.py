"""A screen that has to fit: lines with a word in a column of their own, of which the spare ones make room."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.show.page import Line, Page, Span

COLUMNS = 80
INDENT = 13  # where the text stands behind its word


@dataclass(frozen=True)
class Part:
    """One line. Of those that do not fit, the one with the highest `spare` is left out first; 0 always stays."""

    line: Line
    spare: int


class Card:
    """Lines in their order, at most `lines` of them on a terminal of 80 columns as far as there are spare ones."""

    def __init__(self, lines: int) -> None:
        self._parts: list[Part] = []
        self._lines = lines

    def add(self, lead: str, *parts: str | Span, spare: int = 0, typed: bool = False) -> None:
        """A line that begins with a word in a column of its own."""
        self.line(f"  {lead:<{INDENT - 3}} ", *parts, indent=INDENT, spare=spare, typed=typed)

    def line(self, *parts: str | Span, indent: int = 0, spare: int = 0, typed: bool = False) -> None:
        """A line as it is."""
        page = Page()
        page.line(*parts, indent=indent, typed=typed)
        self._parts += [Part(block, spare) for block in page.blocks if isinstance(block, Line)]

    def onto(self, page: Page) -> None:
        """Put what fits onto a page."""
        parts = list(self._parts)
        while sum(part.line.height(COLUMNS) for part in parts) > self._lines:
            spare = max(part.spare for part in parts)
            if spare == 0:
                break
            parts.remove(next(part for part in reversed(parts) if part.spare == spare))
        page.blocks += [part.line for part in parts]
