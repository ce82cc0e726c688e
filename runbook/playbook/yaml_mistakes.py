"""The parser's complaints in an operator's words."""

from __future__ import annotations

from typing import Any

import yaml

from runbook.language.places import Place
from runbook.playbook.reading import Reading

# What the parser says (in C, and in Python where it differs), what that means, and whether the start of the
# surrounding part is the better place to point at. The first row whose words occur counts.
MEANINGS = (
    ("found unexpected end of stream", "a quote is opened here and never closed", "", True),
    ("expected ',' or ']'", "a '[' is opened here and not closed", "close it, or put a comma between the items", True),
    ("expected ',' or '}'", "a '{' is opened here and not closed", "close it, or put a comma between the keys", True),
    (
        "mapping values are not allowed",
        "a ': ' cannot stand here",
        "quote the text it is in, or mend the indentation",
        False,
    ),
    (
        "block sequence entries are not allowed",
        "a list cannot begin here",
        "begin it in a line of its own, or put the value in quotes",
        False,
    ),
    ("could not find expected ':'", "a key without ': ' behind it", "", True),
    (
        "expected '-' indicator",
        "a list ends in something that is no item",
        "mend the indentation, or begin with '- '",
        False,
    ),
    ("expected key", "a key was expected here", "mend the indentation or the quotes", False),
    ("expected <block end>", "a key was expected here", "mend the indentation or the quotes", False),
    ("node content", "a value was expected here", "a bracket is not closed, or one too many", False),
    (
        "unknown escape",
        "an unknown \\ escape inside double quotes",
        "double the backslash, or use single quotes",
        False,
    ),
    ("tag handle", "a tag is not part of the language", "quote the text", False),
    (
        "comment or line break",
        "'>' and '|' at the start of a value begin a block of text",
        "put the value in quotes",
        True,
    ),
    ("incompatible YAML", "this is another version of YAML", "delete the line %YAML", False),
)
STARTS = {
    "\t": ("a tab cannot indent", "use spaces"),
    "%": ("a value cannot begin with '%'", "put it in quotes"),
    "@": ("a value cannot begin with '@'", "put it in quotes"),
    "`": ("a value cannot begin with '`'", "put it in quotes"),
}


def explain(error: yaml.YAMLError, text: str, reading: Reading) -> None:
    """Note one problem for a text that is no YAML, at the place where the mistake most likely is."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = str(getattr(error, "problem", "") or "")
    if "cannot start any token" in said and mark is not None:
        character = character_at(text, mark)
        usual = (f"a value cannot begin with '{character}'", "put it in quotes")
        message, hint = STARTS.get(character, usual)
        reading.wrong(place_of(mark, text, reading.file), f"this is no YAML: {message}", hint)
        return
    for words, message, hint, at_start in MEANINGS:
        if words in said:
            start = getattr(error, "context_mark", None)
            where = start if at_start and start is not None else mark
            reading.wrong(place_of(where, text, reading.file), f"this is no YAML: {message}", hint)
            return
    reading.wrong(place_of(mark, text, reading.file), f"this is no YAML: {said or 'it cannot be read'}")


def lines_of(text: str) -> list[str]:
    """The lines as editors count them, without their ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def character_at(text: str, mark: Any) -> str:
    lines = lines_of(text)
    line = lines[mark.line] if mark.line < len(lines) else ""
    return line[mark.column : mark.column + 1]


def place_of(mark: Any, text: str, file: str) -> Place:
    """The parser's mark as a place; behind the end it is the end of the last line that is not empty."""
    lines = lines_of(text)
    if mark is None:
        return Place(file, 1, 1)
    rest = [number for number, line in enumerate(lines) if line.strip()]
    last = rest[-1] if rest else 0
    if mark.line > last:
        return Place(file, last + 1, len(lines[last]) or 1)
    return Place(file, mark.line + 1, mark.column + 1)
