"""Printing a page: on a terminal by rich, elsewhere as plain text; tables by rich or tabulate; Markdown.

An error of the output (a closed terminal, a full disk, a reader that went away) never stops the work.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from runbook.show.page import Line, Page, Table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


def wants_colour(stream: TextIO, no_color: bool) -> bool:
    """Whether to draw with rich: on a terminal that can, unless NO_COLOR or `--no-color` is given."""
    if no_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return is_terminal(stream)


def is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # it was closed
        return False


def print_page(page: Page, stream: TextIO, *, colour: bool, markdown: bool = False) -> None:
    """Print a page; output errors end the printing, not the command."""
    with contextlib.suppress(OSError, ValueError):
        if markdown:
            write_text(as_markdown(page), stream)
        else:
            write_text(as_drawn(page, stream) if colour else as_plain(page), stream)


def as_drawn(page: Page, stream: TextIO) -> str:
    """The page as rich draws it for this terminal: its width and its colours.

    It is drawn in memory and written by us, since rich ends the process where the reader went away.
    """
    from rich.console import Console
    from rich.text import Text

    like = Console(file=stream)
    drawn = io.StringIO()
    console = Console(
        file=drawn,
        width=like.width,
        force_terminal=True,
        color_system=like.color_system or "auto",  # type: ignore[arg-type]
        highlight=False,
        markup=False,
        emoji=False,
    )
    for block in page.blocks:
        if isinstance(block, Table):
            _draw_table(block, console)
            continue
        text = Text()
        for span in block.spans:
            text.append(span.text, style=span.style or None)
        for number, row in enumerate(_wrapped(block, text, console.width)):
            if number:
                row.pad_left(min(block.indent, console.width // 2))
            console.print(row, no_wrap=True, overflow="ignore", crop=False)
    return drawn.getvalue()


def _wrapped(line: Line, text: Text, columns: int) -> list[Text]:
    """The text over as many lines as it needs; `columns` are the terminal's."""
    from rich.console import Console

    if text.cell_len <= columns:
        return [text]
    measure = Console(file=io.StringIO(), width=columns)
    first, *_ = text.wrap(measure, columns)
    rest = text[len(first.plain) :]
    while rest.plain.startswith(" "):
        rest = rest[1:]
    return [first, *rest.wrap(measure, max(1, columns - min(line.indent, columns // 2)))]


def _draw_table(table: Table, console: Console) -> None:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for header in table.headers:
        drawn.add_column(Text(header), overflow="fold")
    for row in table.rows:
        drawn.add_row(*(Text(cell) for cell in row))
    console.print(drawn)


def as_plain(page: Page) -> str:
    """The page as text without colour; tables by tabulate."""
    parts = []
    for block in page.blocks:
        if isinstance(block, Table):
            from tabulate import tabulate

            parts.append(
                tabulate(block.rows, headers=list(block.headers), tablefmt="plain", disable_numparse=True) + "\n"
            )
        else:
            parts.append(block.text.rstrip() + "\n")
    return "".join(parts)


def as_markdown(page: Page) -> str:
    """The page as Markdown: tables as tables, the lines between them as a fenced block."""
    from runbook.system.harmless import harmless_markdown

    parts: list[str] = []
    fenced: list[str] = []

    def close() -> None:
        text = "\n".join(fenced).strip("\n")
        if text:
            parts.append(f"```text\n{text.replace('```', '` ` `')}\n```\n")
        fenced.clear()

    for block in page.blocks:
        if isinstance(block, Table):
            from tabulate import tabulate

            close()
            rows = [[harmless_markdown(cell) for cell in row] for row in block.rows]
            parts.append(tabulate(rows, headers=list(block.headers), tablefmt="github", disable_numparse=True) + "\n")
        else:
            fenced.append(block.text.rstrip())
    close()
    return "\n".join(parts)


def write_text(text: str, stream: TextIO | None = None) -> None:
    """Write text, to standard output by default. An output error is swallowed; a character that the stream's encoding
    lacks becomes its escape.
    """
    target = sys.stdout if stream is None else stream
    encoding = getattr(target, "encoding", None) or "utf-8"
    with contextlib.suppress(OSError, ValueError):
        target.write(text.encode(encoding, "backslashreplace").decode(encoding))
        target.flush()
