"""A page: what a command shows, as lines and tables, before it is known where it is shown.

Every screen is written once, as a page; the terminal, plain text and Markdown are three ways to print it. Colour only
repeats what the words say. Text from elsewhere is made harmless here, at the one way in.
"""

from __future__ import annotations

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
        """A row: a mark in a column of its own, the title, what was seen."""
        text = title.ljust(width) if any(details) else title
        told = "  ".join(detail for detail in details if detail)
        self.line(
            "  " + " " * (2 - len(mark)), Span(mark, STYLES.get(mark, "")), f"  {text}" + (f"  {told}" if told else ""),
            indent=6,
        )  # fmt: skip

    def under(self, text: str, style: str = "dim") -> None:
        """A line that belongs to the row above."""
        self.line("      ", Span(text, style), indent=6)

    def remedy(self, text: str) -> None:
        """What to do about the row above."""
        self.line("      ", Span(f"do: {text}", "bold"), indent=6, typed=True)

    def next(self, *commands: str, label: str = "Next") -> None:
        """The end of a screen: what to type."""
        for number, command in enumerate(commands):
            lead = f"{label}: " if number == 0 else " " * (len(label) + 2)
            self.line(Span(lead, "bold"), command, indent=len(lead), typed=True)

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


def columns(titles: Iterable[str], *, least: int = 20, most: int = 34) -> int:
    """How wide the column of titles should be."""
    return max(least, min(most, max((len(title) for title in titles), default=0)))
