"""Where in a query a `${...}` stands, and the bound parameter that takes its place."""

from __future__ import annotations

import re
from collections.abc import Callable

from runbook.language.substitution import Reference, Template
from runbook.system.secrets import VariableTrouble

_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,17})(\.\d{1,17})?\Z")
_TOKEN = re.compile(r"'|\"|`|\[|\$[A-Za-z_]*\$|--|/\*")
_CLOSING = {"'": "'", '"': '"', "`": "`", "[": "]", "--": "\n", "/*": "*/"}
_PLACES = {'"': "a quoted name", "`": "a quoted name", "[": "a quoted name", "--": "a comment", "/*": "a comment"}
# What is no code: where it begins and ends, as the lexers of the two have it (PostgreSQL: scan.l; MySQL: sql_lex.cc).
_POSTGRES = re.compile(
    r"""(?P<text> (?<![\w$])[eE]'(?:[^'\\]|\\.|'')*+(?:'|\Z) | '(?:[^']|'')*+(?:'|\Z)
    | (?<![\w$])(?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?:(?P=tag)|\Z) )
    | (?P<name>"[^"]*(?:"|\Z)) | (?P<line>--[^\r\n]*) | (?P<nesting>/\*)""",
    re.VERBOSE | re.DOTALL,
)
_MYSQL = re.compile(
    r"""(?P<text> '(?:[^'\\]|\\.|'')*+(?:'|\Z) | "(?:[^"\\]|\\.|"")*+(?:"|\Z) )
    | (?P<name>`[^`]*(?:`|\Z)) | (?P<line>\#[^\n]*|--(?=[\s\x00-\x1f]|\Z)[^\n]*) | (?P<block>/\*.*?(?:\*/|\Z))""",
    re.VERBOSE | re.DOTALL,
)
_NESTED = re.compile(r"/\*|\*/")

Bound = str | int | float


class _Query:
    """A query while it is built: its text, its parameters, and what was opened last."""

    def __init__(self, value_of: Callable[[Reference], str]) -> None:
        self.parts: list[str] = []
        self.parameters: dict[str, Bound] = {}
        self._value_of = value_of
        self._open = ""
        self._literal: list[str] = []  # the inside of a quoted text, from its opening quote
        self._holds_reference = False

    def literal(self, text: str) -> None:
        position = 0
        while position < len(text):
            position = self._inside(text, position) if self._open else self._outside(text, position)

    def reference(self, reference: Reference) -> None:
        value = self._value_of(reference)
        if self._open == "'":
            self._literal.append(value)
            self._holds_reference = True
        elif self._open:
            place = _PLACES.get(self._open, "a dollar-quoted text")
            raise VariableTrouble(
                f"${{{reference.name}}} cannot stand in {place}", "a value can be bound only as a value"
            )
        else:
            self._bind(_number_or_text(value))

    def end(self) -> None:
        if self._open == "'":
            raise VariableTrouble("the query has a quote that is never closed")

    def _bind(self, value: Bound) -> None:
        name = f"value_{len(self.parameters) + 1}"
        self.parameters[name] = value
        self.parts.append(f":{name}")

    def _outside(self, text: str, position: int) -> int:
        match = _TOKEN.search(text, position)
        if match is None:
            self.parts.append(text[position:])
            return len(text)
        self.parts.append(text[position : match.start()])
        self._open = match.group()
        if self._open != "'":
            self.parts.append(self._open)
        return match.end()

    def _inside(self, text: str, position: int) -> int:
        closing = _CLOSING.get(self._open, self._open)
        end = text.find(closing, position)
        if self._open != "'":
            stop = len(text) if end < 0 else end + len(closing)
            self.parts.append(text[position:stop])
            self._open = self._open if end < 0 else ""
            return stop
        if end < 0:
            self._literal.append(text[position:])
            return len(text)
        self._literal.append(text[position:end])
        if text.startswith("''", end):
            self._literal.append("'")
            return end + 2
        self._close_text()
        return end + 1

    def _close_text(self) -> None:
        inside = "".join(self._literal)
        if self._holds_reference:
            self._bind(inside)
        else:
            self.parts.append("'" + inside.replace("'", "''") + "'")
        self._open, self._literal, self._holds_reference = "", [], False


def query_with(template: Template, value_of: Callable[[Reference], str]) -> tuple[str, dict[str, Bound]]:
    """The query with `:value_1`, `:value_2`... for its references, and their values by name.

    Raises VariableTrouble for a reference in a quoted name or a comment.
    """
    query = _Query(value_of)
    for piece in template.pieces:
        if isinstance(piece, str):
            query.literal(piece)
        else:
            query.reference(piece)
    query.end()
    return "".join(query.parts), query.parameters


def _number_or_text(value: str) -> Bound:
    match = _NUMBER.match(value)
    if match is None:
        return value
    return float(value) if match.group(1) else int(value)


def as_postgres_reads(query: str) -> str:
    """The query with its comments as spaces and its quoted texts as `''`; quoted names stay as they are.

    Comments nest, and a backslash escapes in `E'...'` only. So do the standard, and SQLite where it matters.
    """
    return _without_quoted(query, _POSTGRES)


def as_mysql_reads(query: str) -> str:
    """The same as MySQL and MariaDB have it: a backslash escapes everywhere, `"` quotes a text, `#` begins a comment,
    and `--` does only before a space.
    """
    return _without_quoted(query, _MYSQL)


def _without_quoted(query: str, tokens: re.Pattern[str]) -> str:
    parts: list[str] = []
    position = 0
    while (match := tokens.search(query, position)) is not None:
        parts.append(query[position : match.start()])
        position = _after_comment(query, match.end()) if match.lastgroup == "nesting" else match.end()
        parts.append({"text": "''", "name": match.group()}.get(match.lastgroup or "", " "))
    return "".join([*parts, query[position:]])


def _after_comment(query: str, position: int) -> int:
    """Where a comment ends whose inside begins here, and in which others may stand."""
    depth = 1
    while depth and (match := _NESTED.search(query, position)) is not None:
        depth += 1 if match.group() == "/*" else -1
        position = match.end()
    return len(query) if depth else position
