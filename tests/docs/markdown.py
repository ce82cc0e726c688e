"""The Markdown pages of the project, taken apart: fences, headings, links, and the command lines that stand in them."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.places import PROJECT

FENCE = re.compile(r"^```(?P<about>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(?P<text>[^`\n]+)`")
LINK = re.compile(r"\]\((?P<to>[^)\s]+)\)")
TYPED = re.compile(r"(?:^|[\s(])runbook (?P<words>[a-z-][^\n]*)")
OPERATORS = set(";|&<>()#")


@dataclass(frozen=True)
class Page:
    """One page. `name` is its path from the project's folder."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(PROJECT).as_posix()

    @property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    def fences(self, *words: str) -> Iterator[str]:
        """The bodies of the fences whose first line begins with these words."""
        for found in FENCE.finditer(self.text):
            if tuple(found["about"].split()[: len(words)]) == words:
                yield found["body"]

    @property
    def prose(self) -> str:
        """The page without its fences."""
        return FENCE.sub("", self.text)

    def command_lines(self) -> Iterator[str]:
        """What a reader is told to type after `runbook`, in fences of the shell and of YAML, and in inline code."""
        told = [*self.fences("sh"), *self.fences("yaml"), *(found["text"] for found in INLINE.finditer(self.prose))]
        for text in told:
            for found in TYPED.finditer(text):
                yield first_command(found["words"])

    def anchors(self) -> set[str]:
        """The places that a link can lead to."""
        heads = re.findall(r"^#+ (.+)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}

    def links(self) -> Iterator[str]:
        """Where its links lead, those out of the project left out."""
        for found in LINK.finditer(self.prose):
            if "://" not in found["to"]:
                yield found["to"]


def first_command(line: str) -> str:
    """The words of a shell line up to its first operator or comment."""
    words = shlex.shlex(line, posix=True, punctuation_chars=True)
    words.wordchars += "@%$=:[]"
    typed = itertools.takewhile(lambda word: not set(word) <= OPERATORS, words)
    return shlex.join(typed)


def pages() -> list[Page]:
    """Every page that a user reads."""
    return [Page(path) for path in (PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md")))]
