"""Delivering an answer: as a page on the terminal, as text, as Markdown, or as one JSON document."""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import replace
from pathlib import Path

from runbook.cli.options import Format, Shared
from runbook.show.answer import Answer
from runbook.show.page import Line, Page, Span, pasteable
from runbook.show.printing import as_markdown, as_plain, print_page, wants_colour, write_text
from runbook.system.clock import rfc3339
from runbook.system.refusals import Exit, Refusal

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
    )


def deliver(answer: Answer, shared: Shared, name: str, started: float, seconds: float) -> int:
    """Print the answer; standard output is data, standard error is talk. Gives the exit status."""
    with_choices(answer, shared)
    if shared.format is Format.JSON:
        text = as_json(answer, name, started, seconds)
    elif answer.text is not None:
        text = answer.text
    elif shared.format is Format.MARKDOWN:
        text = as_markdown(answer.page)
    else:
        text = None
    stream = sys.stderr if answer.refused and text is None else sys.stdout
    wanted = shared.output is not None and "path" not in answer.lists
    if wanted and shared.output is not None and (not answer.refused or shared.format is Format.JSON):
        return _to_file(answer, text if text is not None else as_plain(answer.page), shared.output)
    if text is not None:
        write_text(text)
    elif not (shared.quiet and answer.exit is Exit.GO):
        colour = shared.format is Format.TABLE and wants_colour(stream, shared.no_color)
        print_page(answer.page, stream, colour=colour)
    return int(answer.exit)


def with_choices(answer: Answer, shared: Shared) -> None:
    """Give the commands that an answer ends with the `-p` and `-e` that were typed, so that they can be pasted."""
    typed = (("-p", shared.playbook), ("-e", shared.env))
    options = " ".join(f"{option} {shlex.quote(value)}" for option, value in typed if value)
    if not options:
        return

    def added(text: str) -> str:
        return COMMAND.sub(lambda found: found[0] if " -e " in found[0] else f"{found[0].rstrip()} {options}", text)

    for number, block in enumerate(answer.page.blocks):
        if isinstance(block, Line) and block.typed:
            spans = tuple(replace(span, text=added(span.text)) for span in block.spans)
            answer.page.blocks[number] = replace(block, spans=spans)
    if "next" in answer.lists:
        answer.lists["next"] = [added(text) for text in answer.lists["next"]]


def as_json(answer: Answer, name: str, started: float, seconds: float) -> str:
    """The one JSON document, with a newline at its end."""
    import msgspec

    from runbook.show.documents import Document

    document = Document(
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
    text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
    return OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def _to_file(answer: Answer, text: str, path: Path) -> int:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        print_page(of_refusal(Refusal(f"{path}: {error.strerror}")).page, sys.stderr, colour=False)
        return int(Exit.USAGE) if answer.exit is Exit.GO else int(answer.exit)
    return int(answer.exit)
