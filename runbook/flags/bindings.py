"""The bindings of an env file in order, just as python-dotenv finds them, and many times faster on ordinary lines.

python-dotenv takes about 0.1 ms a line. Most lines of real files are a comment, blank, or `KEY=value` with no backslash
in its quotes; they end where their line ends whatever stands around them, and are read here. The rest is given to it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import NamedTuple

from dotenv.parser import Reader, parse_binding, parse_stream

# Printable ASCII and tabs only: other white space is left to python-dotenv.
_NOTHING = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?:\r\n|\n|\r(?!\n))")
_PLAIN = re.compile(
    r"[ \t]*(?:export[ \t]+)?(?P<key>(?!export[ \t])[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*"
    r"(?P<value>[!$-&(-~][\t -~]*)?(?:\r\n|\n|\r(?!\n))"
)
_QUOTED = re.compile(
    r"[ \t]*(?:export[ \t]+)?(?P<key>(?!export[ \t])[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*"
    r"(?:'(?P<single>[\t -&(-\[\]-~]*)'|\"(?P<double>[\t !#-\[\]-~]*)\")[ \t]*(?:#[^\r\n]*)?(?:\r\n|\n|\r(?!\n))"
)
_COMMENT = re.compile(r"\s+#.*")
WINDOW = 8192  # characters that one binding is looked for in, before the whole rest is


class Binding(NamedTuple):
    """One stretch of the text: a binding with its value (None: a bare key), an unreadable line, or nothing at all."""

    key: str | None
    value: str | None
    string: str
    error: bool


def bindings_of(text: str) -> Iterator[Binding]:
    """Every stretch of `text`, in order and without gaps."""
    if "\ufeff" in text:  # python-dotenv drops one at the beginning of what it is given
        yield from _rest(text, 0)
        return
    place = 0
    while place < len(text):
        if (nothing := _NOTHING.match(text, place)) is not None:
            binding = Binding(None, None, nothing[0], False)
        elif (plain := _PLAIN.match(text, place)) is not None:
            value = _COMMENT.sub("", plain["value"] or "").rstrip()
            binding = Binding(plain["key"], value, plain[0], False)
        elif (quoted := _QUOTED.match(text, place)) is not None:
            value = quoted["single"] if quoted["single"] is not None else quoted["double"]
            binding = Binding(quoted["key"], value, quoted[0], False)
        else:
            within = _within_window(text, place)
            if within is None:  # longer than the window, or unreadable: the rest in one go, so that it stays linear
                yield from _rest(text, place)
                return
            binding = within
        yield binding
        place += len(binding.string)


def _within_window(text: str, place: int) -> Binding | None:
    window = text[place : place + WINDOW]
    found = parse_binding(Reader(io.StringIO(window, newline="")))
    string = found.original.string
    whole = len(string) < len(window) or place + len(window) == len(text)
    return Binding(found.key, found.value, string, found.error) if whole and not found.error else None


def _rest(text: str, place: int) -> Iterator[Binding]:
    for found in parse_stream(io.StringIO(text[place:], newline="")):
        yield Binding(found.key, found.value, found.original.string, found.error)
