"""A page: what a command shows, as lines and tables, before it is known where it is shown.

Every screen is written once, as a page; the terminal, plain text and Markdown are three ways to print it. Colour only
repeats what the words say. Text from elsewhere is made harmless here, at the one way in.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from runbook.judge.verdicts import Status
from runbook.system.harmless import harmless

MARKS = {
    Status.PASS: "ok",
    Status.FAIL: "NO",
    Status.UNKNOWN: "??",
    Status.SKIPPED: "--",
    Status.WAIVED: "~",
}
LEAST_COLUMN = 20  # of titles
STYLES = {
    "ok": "green",
    "NO": "bold red",
    "??": "yellow",
    "--": "dim",
    "~": "cyan",
    "GO": "bold green",
    "NO-GO": "bold red",
    "UNKNOWN": "bold yellow",
    "FAILED": "bold red",
    "SAFE": "bold green",
    "UNSAFE": "bold white on red",
    "SERVICE DOWN": "bold white on red",
    "CUT OFF": "bold red",
    "STALE": "bold yellow",
    "HELD": "bold yellow",
}


@dataclass(frozen=True)
class Span:
    """A piece of a line. `style` is a rich style; an empty one is plain."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Line:
    """One line. `indent` is how far what does not fit is moved in on the next line; `typed`: it says what to type."""

    spans: tuple[Span, ...]
    indent: int = 0
    typed: bool = False

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)

    def height(self, columns: int = 80) -> int:
        """How many lines of a terminal it takes, broken between words."""
        taken, used = 1, 0
        for word in re.findall(r"\s*\S+", self.text):
            width = cells(word)
            if used and used + width > columns:
                taken, used, width = taken + 1, min(self.indent, columns // 2), cells(word.lstrip())
            room = max(1, columns - used)
            taken += max(0, -(-(width - room) // max(1, columns - self.indent)))
            used = used + width if width <= room else columns
        return taken


@dataclass(frozen=True)
class Table:
    """Columns with a heading each."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass
class Page:
    """Lines and tables in order. Every method makes its text harmless."""

    blocks: list[Line | Table] = field(default_factory=list)

    def line(self, *parts: str | Span, indent: int = 0, typed: bool = False) -> None:
        """A line of texts and spans."""
        spans = tuple(
            Span(harmless(part)) if isinstance(part, str) else Span(harmless(part.text), part.style) for part in parts
        )
        self.blocks.append(Line(spans, indent, typed))

    def verdict(self, word: str, *rest: str) -> None:
        """The first line of a screen: the verdict in words, then what it is about."""
        self.line(Span(word, STYLES.get(word, "bold")), *(f"  {part}" for part in rest if part), indent=2)

    def mark(self, mark: str, title: str, *details: str, width: int = 0) -> None:
        """A row: a mark in a column of its own, the title, what was seen.

        What was seen by a title that is longer than its column stands in its place on the next line.
        """
        told = "  ".join(detail for detail in details if detail)
        lead, text = "  " + " " * (2 - len(mark)), title.ljust(width) if told else title
        below = bool(told) and width >= LEAST_COLUMN and cells(title) > width
        self.line(
            lead, Span(mark, STYLES.get(mark, "")), f"  {text}" + (f"  {told}" if told and not below else ""), indent=6
        )
        if below:
            self.line(" " * (width + 8), told, indent=width + 8)

    def under(self, text: str, style: str = "dim") -> None:
        """A line that belongs to the row above."""
        self.line("      ", Span(text, style), indent=6)

    def remedy(self, text: str) -> None:
        """What to do about the row above."""
        self.line("      ", Span(f"do: {pasteable(text)}", "bold"), indent=6, typed=True)

    def next(self, *commands: str, label: str = "Next") -> None:
        """The end of a screen: what to type. What is said behind a command (two blanks) becomes a comment of the shell,
        so that the whole line can be pasted."""
        for number, command in enumerate(commands):
            lead = f"{label}: " if number == 0 else " " * (len(label) + 2)
            self.line(Span(lead, "bold"), pasteable(command), indent=len(lead), typed=True)

    def height(self) -> int:
        """How many lines of a terminal its lines take; tables are not counted."""
        return sum(block.height() for block in self.blocks if isinstance(block, Line))

    def blank(self) -> None:
        self.blocks.append(Line(()))

    def table(self, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """A table of texts."""
        made = tuple(tuple(harmless("" if cell is None else str(cell)) for cell in row) for row in rows)
        self.blocks.append(Table(tuple(headers), made))

    def text(self, text: str) -> None:
        """Text as it is, line by line (a report, a script)."""
        for line in text.splitlines():
            self.line(line)


def pasteable(command: str) -> str:
    """A command with what is said about it behind `#`; any other text as it is."""
    typed, blanks, why = command.partition("  ")
    return (
        f"{typed}  # {why.strip()}"
        if blanks and typed.startswith("runbook ") and not typed.endswith("then")
        else command
    )


def columns(titles: Iterable[str], *, least: int = LEAST_COLUMN, most: int = 40) -> int:
    """How wide the column of titles should be; a longer title has a line of its own."""
    return max(least, min(most, max((cells(title) for title in titles), default=0)))


def cells(text: str) -> int:
    """How many columns of a terminal a text takes: wide letters take two."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else not unicodedata.combining(one) for one in text)


def in_columns(left: str, right: str, width: int = 78) -> str:
    """Two texts on one line, the right one at its end where there is room."""
    return left + " " * max(2, width - cells(left) - cells(right)) + right


def shortened(text: str, most: int) -> str:
    """A text of others, made harmless, on at most so many columns."""
    shown = harmless(text, limit=most)
    while cells(shown) > most:
        shown = shown[:-2] + "…"
    return shown
