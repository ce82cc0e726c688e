"""The figures as a page of the documentation."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure

OPENING = """\
# How fast it is

Written by `make bench`; no test asserts a time. Every figure is a ratio of two medians of one series, in which both
sides took turns, since the same machine is fast in one minute and slow in the next. The base is a Python that does
nothing, of the same virtual environment: a command cannot be faster than that.

"""
CLOSING = """
A ratio of 9 beside the base means nine times the start of the interpreter. Targets stand for this machine and for any
other alike; a row without one is shown for its own sake.

Many checks are asked on one host, 64 at a time on both sides, and each takes one field out of a JSON document; curl's
side ends with `jq`, which takes it out of all of them. Our side reads the playbook, judges each answer and shows a row
for it; the start is counted.

What keeps the start short: a command's module is imported when the command is chosen; httpx, asyncio, Jinja,
questionary and the drawing part of rich are imported by the functions that need them. A test looks at what `--version`,
`--help`, `status` and completion import (`tests/house/test_start.py`).
"""


def write_page(path: Path, figures: Sequence[Figure]) -> None:
    """Writes the page anew."""
    rows = ["| what | beside | ratio | median | target | holds |", "|---|---|---:|---:|---:|---|"]
    rows += [_row(one) for one in figures]
    path.write_text(OPENING + machine() + "\n\n" + "\n".join(rows) + "\n" + CLOSING, "utf-8")


def _row(one: Figure) -> str:
    target = "" if one.target is None else f"{one.target:g}"
    return f"| {one.what} | {one.beside} | {one.ratio:.2f} | {one.measure} | {target} | {one.holds} |"


def machine() -> str:
    """What the figures were taken on, in words that name nobody's machine."""
    name = platform.system()
    if name == "Linux":
        name = platform.freedesktop_os_release().get("PRETTY_NAME", name)
    return (
        f"Taken on {name}, {os.cpu_count()} cores, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}."
    )
