"""Workflow commands of GitHub: annotations, a group with every row, and what goes into the summary of the step.

Source: GitHub's reference of workflow commands. A step shows at most ten annotations of each type: the tenth then says
how many there are beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec import UnsetType

from runbook.show.document_rows import CheckRow, ProblemRow
from runbook.show.documents import Document
from runbook.show.formats.entries import (
    MARKS,
    NO,
    UNKNOWN,
    WARNING,
    Entry,
    counts_in_words,
    entries_or_verdict,
    heading_of,
    next_of,
)
from runbook.show.formats.markdown import markdown
from runbook.system.harmless import harmless

MOST = 10  # annotations of a type that a step shows
LONGEST_SUMMARY = 1024 * 1024  # bytes of a step's summary
_COMMAND = re.compile(r"::|##\[")  # what a runner obeys at the beginning of a line, or anywhere in it


def github(document: Document) -> str:
    """The document as the output of a step."""
    entries = entries_or_verdict(document)
    lines = [f"::group::{_data(heading_of(document))}", *map(_quiet, _rows(document, entries)), "::endgroup::"]
    lines += _annotations("error", [one for one in entries if one.outcome in (NO, UNKNOWN)])
    lines += _annotations("warning", [one for one in entries if one.outcome == WARNING])
    if document.verdict == "go":
        lines.append(f"::notice title={_property(heading_of(document))}::{_data(document.message)}")
    return "\n".join(lines) + "\n"


def repository_of(project: Path, environment: Mapping[str, str]) -> Path:
    """The folder that the runner takes paths from: its workspace where that holds the project, else the nearest folder
    upwards with `.git` in it, else the project itself.
    """
    named = environment.get("GITHUB_WORKSPACE")
    workspace = Path(named).resolve() if named else None
    if workspace is not None and project.is_relative_to(workspace):
        return workspace
    return next((folder for folder in (project, *project.parents) if (folder / ".git").exists()), project)


@dataclass(frozen=True)
class Checkout:
    """Where a project lies in its repository."""

    project: Path
    repository: Path

    def place(self, document: Document) -> None:
        """Write the paths of a document's rows as the runner wants them: from the repository's folder on."""
        for rows in (document.checks, document.tests):
            self._rows([] if isinstance(rows, UnsetType) else rows)
        self._rows([] if isinstance(document.problems, UnsetType) else document.problems)

    def _rows(self, rows: Iterable[CheckRow | ProblemRow]) -> None:
        for row in rows:
            if row.file:
                path = self.project / row.file
                row.file = str(path.relative_to(self.repository)) if path.is_relative_to(self.repository) else row.file
            if isinstance(row, CheckRow):
                self._rows(row.checks)


def summary(document: Document, room: int = LONGEST_SUMMARY) -> str:
    """The Markdown of the step's summary, of at most `room` bytes; empty where there is no room for any of it."""
    text = markdown(document) + "\n"
    return text if len(text.encode()) <= room else ""


def _rows(document: Document, entries: list[Entry]) -> Iterator[str]:
    yield harmless(document.message)
    for entry in entries:
        yield entry.line_of_text
        if not entry.holds:
            yield from (f"    {line}" for line in entry.told())
    yield counts_in_words(entries)
    yield from (f"next: {command}" for command in next_of(document))


def _quiet(line: str) -> str:
    """A line in which nothing is a command to the runner."""
    return _COMMAND.sub(lambda found: " ".join(found[0]), harmless(line))


def _annotations(level: str, entries: list[Entry]) -> Iterator[str]:
    alone = entries if len(entries) <= MOST else entries[: MOST - 1]
    for entry in alone:
        yield f"::{level} {_properties(entry)}::{_data(_message(entry))}"
    rest = entries[len(alone) :]
    if rest:
        told = "\n".join(f"{entry.title}: {entry.said}".rstrip(": ") for entry in rest)
        yield f"::{level} title={len(rest)} more::{_data(told)}"


def _properties(entry: Entry) -> str:
    place = {"file": entry.file, "line": entry.line, "col": entry.column} if entry.file else {}
    told = {**place, "title": entry.title}
    return ",".join(f"{name}={_property(str(value))}" for name, value in told.items() if value not in (None, ""))


def _message(entry: Entry) -> str:
    wanted = f" (wanted {entry.expected})" if entry.expected else ""
    head = f"{'unknown: ' if entry.mark == MARKS[UNKNOWN] else ''}{entry.said}{wanted}" or entry.title
    return "\n".join([head or entry.title, *(line for line in entry.told() if line != entry.said)])


def _data(text: str) -> str:
    """Text after the second `::`, escaped as the runner reads it back; the older form of a command is broken up."""
    shown = harmless(text, lines=True).replace("##[", "## [")
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A property's value, in which the colon and the comma are escaped too."""
    return _data(harmless(text)).replace(":", "%3A").replace(",", "%2C")
