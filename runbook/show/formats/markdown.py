"""Markdown for a comment on a change: the verdict, a table of the rows, and below it what does not hold and why."""

from __future__ import annotations

from collections.abc import Iterator

from runbook.show.documents import Document
from runbook.show.formats.entries import (
    WARNING,
    Entry,
    counts_in_words,
    entries_of,
    heading_of,
    next_of,
)
from runbook.system.harmless import harmless, harmless_markdown

MOST_ROWS = 150
LONGEST_CELL, LONGEST = 300, 60_000  # characters; a comment may have 65,536


def markdown(document: Document) -> str:
    """The document as Markdown, of at most about 60,000 characters."""
    word, *rest = heading_of(document).split(" · ")
    lines = [f"**{word}** · {' · '.join(harmless_markdown(part) for part in rest)}", ""]
    lines += [harmless_markdown(harmless(document.message, limit=1000)), ""]
    entries = entries_of(document)
    shown = _shown(entries)
    if shown:
        lines += ["| | check | seen | wanted |", "|---|---|---|---|", *map(_row, shown), ""]
    if len(shown) < len(entries):
        lines += [f"{len(entries) - len(shown)} more are not shown.", ""]
    if entries:
        lines += [counts_in_words(entries), ""]
    room = LONGEST - sum(len(line) + 1 for line in lines)
    for line in _told(shown):
        room -= len(line) + 1
        if room < 0:
            break
        lines.append(line)
    commands = [harmless(command).replace("```", "` ` `") for command in next_of(document)]
    while lines[-1] == "":
        lines.pop()
    lines += ["", "Next:", "", "```text", *commands, "```"] if commands else []
    return "\n".join(lines).rstrip("\n") + "\n"


def _shown(entries: list[Entry]) -> list[Entry]:
    """The rows that find room: those that do not hold before the others."""
    if len(entries) <= MOST_ROWS:
        return entries
    return [*(one for one in entries if not one.holds), *(one for one in entries if one.holds)][:MOST_ROWS]


def _row(entry: Entry) -> str:
    warns = " (warn)" if entry.outcome == WARNING else ""
    place = f"{entry.place} " if entry.kind == "problem" else ""
    cells = (entry.mark, f"{place}{entry.title}{warns}", entry.said, entry.expected)
    return "| " + " | ".join(harmless_markdown(harmless(cell, limit=LONGEST_CELL)) for cell in cells) + " |"


def _told(entries: list[Entry]) -> Iterator[str]:
    for entry in entries:
        told = [] if entry.holds else entry.told()
        if told:
            yield f"- **{harmless_markdown(harmless(entry.title, limit=LONGEST_CELL))}**"
            yield from (f"  - {harmless_markdown(harmless(line, limit=LONGEST_CELL))}" for line in told)
