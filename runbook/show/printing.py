"""Printing a page: on a terminal by rich, elsewhere as plain text; tables by rich or tabulate; Markdown.

An error of the output (a closed terminal, a full disk, a reader that went away) never stops the work.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, TextIO

from runbook.show.page import Line, Page, Table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

NARROW = 20  # columns below which nothing is laid out any more


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
            stream.write(as_markdown(page))
        elif colour:
            _draw(page, stream)
        else:
            stream.write(as_plain(page))
        stream.flush()


def _draw(page: Page, stream: TextIO) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=False)
    for block in page.blocks:
        if isinstance(block, Table):
            _draw_table(block, console)
            continue
        text = Text()
        for span in block.spans:
            text.append(span.text, style=span.style or None)
        for number, row in enumerate(_wrapped(block, text, console)):
            if number:
                row.pad_left(min(block.indent, console.width // 2))
            console.print(row, no_wrap=True, overflow="ignore", crop=False)


def _wrapped(line: Line, text: Text, console: Console) -> list[Text]:
    width = max(NARROW, console.width)
    if text.cell_len <= width:
        return [text]
    first, *_ = text.wrap(console, width)
    rest = text[len(first.plain) :]
    while rest.plain.startswith(" "):
        rest = rest[1:]
    return [first, *rest.wrap(console, max(NARROW, width - min(line.indent, width // 2)))]


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
    """Write text to standard output; an output error is swallowed."""
    target = sys.stdout if stream is None else stream
    with contextlib.suppress(OSError, ValueError):
        target.write(text)
        target.flush()
