"""An answer: what a command found or did, before it is printed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from runbook.show.page import Page
from runbook.system.refusals import Exit


@dataclass
class Answer:
    """The one result of every command. `lists` go into the JSON document under their names (see `show.documents`).

    `text` replaces the page where a command's output is a document of its own (a schema, a report, a script).
    `refused` tells that it is no result but a refusal, which is talk. `judged`: it ends with rows that hold or do not,
    so that Markdown is a table of them. `mistyped` are options whose value is wrong: what is to be typed next leaves
    them out.
    """

    exit: Exit
    message: str
    page: Page = field(default_factory=Page)
    service: str | None = None
    environment: str | None = None
    lists: dict[str, Any] = field(default_factory=dict)
    text: str | None = None
    refused: bool = False
    judged: bool = False
    mistyped: tuple[str, ...] = ()
