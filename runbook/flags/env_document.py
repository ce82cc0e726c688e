"""An env file as its readers see it: which bindings are live, and where the text of each value stands."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from runbook.flags.bindings import bindings_of
from runbook.flags.changes import EditRefused
from runbook.flags.splices import NEWLINE

_UP_TO_EQUALS = re.compile(r"(?P<blank>\s*)(?P<export>export[^\S\r\n]+)?('[^']+'|[^=#\s]+)[^\S\r\n]*=")
_QUOTED = re.compile(r"""'(\\.|[^'\\])*'|"(\\.|[^"\\])*\"""", re.DOTALL)
_SPACE = re.compile(r"[^\S\r\n]*")
_SPACE_AND_COMMENT = re.compile(r"[^\S\r\n]*#")

# What dotenv for JavaScript takes for a binding: `=` or a colon and a space, then a value in one of three quotes, or
# up to the first `#`; white space before a quote and before the comment may hold line breaks.
_JAVASCRIPT = re.compile(
    r"""
    ^(?:[^\S\n]|\ufeff)* (?:export\s+)? (?P<key>[A-Za-z0-9_.-]+) (?:\s*=\s*? | :\s+?)
    (?P<value> \s*'(?:\\'|[^'])*' | \s*"(?:\\"|[^"])*" | \s*`(?:\\`|[^`])*` | [^\#\n]+ )?
    \s* (?:\#.*)? $
    """,
    re.MULTILINE | re.VERBOSE,
)


@dataclass(frozen=True)
class Assignment:
    """One live `KEY=value`.

    `start` and `end` bound the text of the value, quotes included; `key_start` is where the line's own text begins
    (before `export`). All are characters of the document's text. `needs_text` tells that an empty value takes quotes
    here: after a space its place would be lost, and before a comment some readers would take that for the value.
    """

    key: str
    value: str
    key_start: int
    start: int
    end: int
    line: int
    exported: bool
    needs_text: bool


@dataclass(frozen=True)
class Reading:
    """What one reader makes of one place: a value for a key, a bare key (no value), or a line it cannot read."""

    key: str | None
    value: str | None
    line: int


@dataclass(frozen=True)
class EnvDocument:
    """`text` is without the byte order mark, which is kept in `mark`; bytes that are not UTF-8 survive in it.

    `readings` are python-dotenv's; `assignments` those of them that set a value.
    """

    mark: bytes
    text: str
    is_utf8: bool
    assignments: tuple[Assignment, ...]
    readings: tuple[Reading, ...]

    def occurrences(self, key: str) -> list[Assignment]:
        """Every live assignment of `key`, in the order of the file."""
        return [assignment for assignment in self.assignments if assignment.key == key]

    def value_of(self, key: str) -> str | None:
        """The value that readers see: the last one; None where the key is not set."""
        found = self.occurrences(key)
        return found[-1].value if found else None

    def raw(self, assignment: Assignment) -> str:
        """The exact text of a value, quotes included."""
        return self.text[assignment.start : assignment.end]

    def encoded(self, text: str) -> bytes:
        """`text` as bytes of this file."""
        return self.mark + text.encode("utf-8", "surrogateescape")


def parse(data: bytes) -> EnvDocument:
    """Read an env file; raises `EditRefused` for what is not text."""
    mark, text, is_utf8 = _decoded(data)
    assignments: list[Assignment] = []
    readings: list[Reading] = []
    place, line = 0, 1
    for binding in bindings_of(text):
        if binding.key is not None and binding.value is not None:
            assignments.append(_located(text, place, line, binding.key, binding.value))
        if binding.key is not None or binding.error:
            readings.append(Reading(binding.key, binding.value, line + len(NEWLINE.findall(_leading(binding.string)))))
        place += len(binding.string)
        line += len(NEWLINE.findall(binding.string))
    return EnvDocument(mark, text, is_utf8, tuple(assignments), tuple(readings))


def read_as_javascript(text: str) -> tuple[Reading, ...]:
    """The same text as dotenv for JavaScript reads it."""
    text = NEWLINE.sub("\n", text)
    readings: list[Reading] = []
    line, counted = 1, 0
    for match in _JAVASCRIPT.finditer(text):
        line += text.count("\n", counted, match.start("key"))
        counted = match.start("key")
        readings.append(Reading(match["key"], _javascript_value(match["value"] or ""), line))
    return tuple(readings)


def _javascript_value(raw: str) -> str:
    value = raw.strip()
    quote = value[:1]
    if quote and quote in "'\"`" and len(value) > 1 and value.endswith(quote):
        value = value[1:-1]
    return value.replace("\\n", "\n").replace("\\r", "\r") if quote == '"' else value


def _decoded(data: bytes) -> tuple[bytes, str, bool]:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise EditRefused(
            "", None, "is written in UTF-16, which readers of env files do not understand", "save as UTF-8"
        )
    if b"\0" in data:
        raise EditRefused("", None, "is not a text file: it holds NUL bytes", "name another file")
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    try:
        return mark, data[len(mark) :].decode("utf-8"), True
    except UnicodeDecodeError:
        return mark, data[len(mark) :].decode("utf-8", "surrogateescape"), False


def _leading(string: str) -> str:
    return string[: len(string) - len(string.lstrip())]


def _located(text: str, place: int, line: int, key: str, value: str) -> Assignment:
    head = _UP_TO_EQUALS.match(text, place)
    if head is None:  # a parser that reads keys otherwise than the releases known
        raise EditRefused(key, line, "cannot be found in the text", "tell which release of python-dotenv is installed")
    start, end = _span(text, head.end(), value)
    return Assignment(
        key=key,
        value=value,
        key_start=head.end("blank"),
        start=start,
        end=end,
        line=line + len(NEWLINE.findall(head["blank"])),
        exported=head["export"] is not None,
        needs_text=start > head.end() or _SPACE_AND_COMMENT.match(text, end) is not None,
    )


def _span(text: str, after_equals: int, value: str) -> tuple[int, int]:
    """Where the text of a value stands. An empty one stands right behind the `=`, where the shell looks for it."""
    space = _SPACE.match(text, after_equals)
    start = space.end() if space else after_equals
    quoted = _QUOTED.match(text, start)
    if quoted:
        return quoted.span()
    return (start, start + len(value)) if value else (after_equals, after_equals)
