"""Delivering an answer: as a page on the terminal, as text, as Markdown, or as one JSON document."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.cli.mistyped import Mistyped
from runbook.cli.options import Format, Shared
from runbook.show.answer import Answer
from runbook.show.formats.status import nagios_status
from runbook.show.page import Line, Page, Span, pasteable
from runbook.show.printing import as_markdown, as_plain, print_page, wants_colour, write_text
from runbook.system.clock import rfc3339
from runbook.system.refusals import Exit, Refusal

if TYPE_CHECKING:
    from runbook.show.documents import Document

# The formats in which standard output holds one document whatever happens, also for a refusal.
DOCUMENTS = (Format.JSON, Format.JUNIT, Format.TAP, Format.NAGIOS, Format.PROMETHEUS, Format.GITHUB)
COMMAND = re.compile(r"runbook [a-z][^,;]*?(?=,|;|  |$)")
# What a terminal would obey or hide: C1, zero-width, line separators, bidirectional marks. JSON can spell them out.
OBEYED = re.compile("[\\x7f-\\x9f\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]")


def of_refusal(refusal: Refusal) -> Answer:
    """What is refused, why, and what to type next."""
    page = Page()
    page.line(Span(refusal.message, "bold red" if refusal.exit is not Exit.UNKNOWN else "bold yellow"))
    for problem in refusal.problems:
        page.line(f"  {problem}", indent=4)
    page.next(*refusal.next_steps)
    from runbook.show.rows import problem_rows

    return Answer(
        refusal.exit,
        refusal.message,
        page,
        lists={"problems": problem_rows(refusal.problems), "next": [pasteable(step) for step in refusal.next_steps]},
        refused=True,
        mistyped=refusal.options if isinstance(refusal, Mistyped) else (),
    )


def deliver(answer: Answer, shared: Shared, name: str, started: float, seconds: float) -> int:
    """Print the answer; standard output is data, standard error is talk. Gives the exit status."""
    with_choices(answer, shared)
    whole = shared.format in DOCUMENTS
    if whole or (shared.format is Format.MARKDOWN and answer.judged):
        document = document_of(answer, name, started, seconds)
        text: str | None = _rendered(shared.format, document)
        status = _status(answer, shared.format, document)
    else:
        text, status = _as_text(answer, shared.format), int(answer.exit)
    if shared.output is not None and "path" not in answer.lists and (not answer.refused or whole):
        written = _to_file(text if text is not None else as_plain(answer.page), shared.output)
        return status if written else _unwritten(answer, shared.format)
    stream = sys.stderr if answer.refused and text is None else sys.stdout
    if text is not None:
        write_text(text)
    elif not (shared.quiet and answer.exit is Exit.GO):
        colour = shared.format is Format.TABLE and wants_colour(stream, shared.no_color)
        print_page(answer.page, stream, colour=colour)
    return status


def _as_text(answer: Answer, wanted: Format) -> str | None:
    """The answer as text; None where it is a page."""
    if answer.text is not None:
        return answer.text
    return as_markdown(answer.page) if wanted is Format.MARKDOWN else None


def _rendered(wanted: Format, document: Document) -> str:
    """The document in a format of `show.formats`: the module and its function are called as the format is."""
    if wanted is Format.JSON:
        return as_json(document)
    if wanted is Format.GITHUB:
        _place_in_repository(document)
        _add_to_summary(document)
    module = importlib.import_module(f"runbook.show.formats.{wanted.value}")
    text: str = getattr(module, wanted.value)(document)
    return text


def _place_in_repository(document: Document) -> None:
    from runbook.show.formats.github import Checkout, repository_of
    from runbook.system.project import find_project

    with contextlib.suppress(Refusal, OSError):  # without a project there is no path of one
        project = find_project(os.environ).root
        Checkout(project, repository_of(project, os.environ)).place(document)


def _status(answer: Answer, wanted: Format, document: Document) -> int:
    if wanted is not Format.NAGIOS:
        return int(answer.exit)
    from runbook.show.formats.nagios import status_of

    return status_of(document, answer.exit)


def _unwritten(answer: Answer, wanted: Format) -> int:
    """The exit status where the file could not be written: nobody may take it for a go."""
    if wanted is Format.NAGIOS:
        return nagios_status(Exit.USAGE)
    return int(Exit.USAGE if answer.exit is Exit.GO else answer.exit)


def _add_to_summary(document: Document) -> None:
    """Append to the summary of the step where the runner names its file; what does not fit is left out."""
    named = os.environ.get("GITHUB_STEP_SUMMARY")
    if not named:
        return
    from runbook.cli.output_file import append_within
    from runbook.show.formats.github import LONGEST_SUMMARY, summary

    with contextlib.suppress(OSError):  # the annotations say the same
        append_within(Path(named), summary(document), LONGEST_SUMMARY)


def with_choices(answer: Answer, shared: Shared) -> None:
    """Give the commands that an answer ends with the `-p` and `-e` that were typed, so that they can be pasted."""
    choices = (("-p", shared.playbook), ("-e", shared.env))
    typed = [(name, value) for name, value in choices if value and name not in answer.mistyped]
    if not typed:
        return

    def whole(command: str) -> str:
        if " -e " in command:
            return command
        missing = [f"{name} {shlex.quote(value)}" for name, value in typed if f" {name} " not in command]
        return " ".join([command.rstrip(), *missing])

    def added(text: str) -> str:
        return COMMAND.sub(lambda found: whole(found[0]), text)

    for number, block in enumerate(answer.page.blocks):
        if isinstance(block, Line) and block.typed:
            spans = tuple(replace(span, text=added(span.text)) for span in block.spans)
            answer.page.blocks[number] = replace(block, spans=spans)
    if "next" in answer.lists:
        answer.lists["next"] = [added(text) for text in answer.lists["next"]]


def document_of(answer: Answer, name: str, started: float, seconds: float) -> Document:
    """The one document of an answer, which every format is made from."""
    from runbook.show.documents import Document

    return Document(
        command=name,
        service=answer.service,
        environment=answer.environment,
        verdict=answer.exit.verdict,  # type: ignore[arg-type]
        exit_reason=answer.exit.reason,  # type: ignore[arg-type]
        message=answer.message,
        started_at=rfc3339(started),
        duration_ms=round(seconds * 1000, 3),
        **answer.lists,
    )


def as_json(document: Document) -> str:
    """The one JSON document, with a newline at its end."""
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
    return OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def _to_file(text: str, path: Path) -> bool:
    from runbook.cli.output_file import write_whole

    try:
        write_whole(path, text)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        print_page(of_refusal(Refusal(f"{path}: {why}")).page, sys.stderr, colour=False)
        return False
    return True
