"""PromQL as a playbook writes it: values put in so that they stay values, and the selectors that a query rests on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from runbook.language.substitution import Reference, TemplateError, parse_template
from runbook.system.secrets import VariableTrouble

_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
    |(?P<text>"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+'|`[^`]*`)
    |(?P<number>(?:\d|\.\d)(?:[eE][-+]?\d|[\w.])*)
    |(?P<name>[A-Za-z_:][\w:]*)
    |(?P<mark>[=!]~|[=!<>]=|[-+*/%^=<>(){}\[\],@:])""",
    re.VERBOSE | re.ASCII,
)
_OPENING = re.compile(r"[\"'`#]")
_CLOSES = {"(": ")", "{": "}", "[": "]"}
_VALUE = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?|[A-Za-z_:][\w:]*|(\d+(ms|[smhdwy]))+", re.ASCII)
_PART = re.compile(r"[A-Za-z0-9_]+", re.ASCII)  # what may stand next to a letter or digit of the query
_NO_NUMBER = ("nan", "inf")
_REGEX_MARKS = re.compile(r"[\\.+*?()|\[\]{}^$]")
_LISTS = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_WORDS = frozenset({"and", "or", "unless", "atan2", "bool", "offset", "inf", "nan"})


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def filled_query(template: str, value_of: Callable[[str], str]) -> str:
    """The query with its values; `value_of` gives that of a reference as it is written, `${NAME}`.

    In a quoted text a value is escaped, and behind `=~` and `!~` quoted as a regular expression besides; elsewhere it
    is a number, a duration or one name. Raises VariableTrouble for any other value, and for one in a comment.
    """
    try:
        pieces = parse_template(template).pieces
    except TemplateError as trouble:
        raise VariableTrouble(trouble.message, trouble.hint) from None
    place, parts = _Place(), list[str]()
    for index, piece in enumerate(pieces):
        if isinstance(piece, str):
            place.read(piece)
            parts.append(piece)
            continue
        value = value_of(template[piece.start : piece.start + piece.width])
        following = pieces[index + 1] if index + 1 < len(pieces) else ""
        beside = "".join(parts)[-1:] + (following[:1] if isinstance(following, str) else "a")
        parts.append(place.put(piece, value, touches=bool(re.search(r"[\w:.]", beside, re.ASCII))))
    return "".join(parts)


class _Place:
    """Where in a query the next character stands: in which quotes, in a comment, or in neither; behind which match."""

    def __init__(self) -> None:
        self._open = ""
        self._regex = False

    def read(self, text: str) -> None:
        position = 0
        while position < len(text):
            position = self._inside(text, position) if self._open else self._outside(text, position)

    def put(self, reference: Reference, value: str, *, touches: bool) -> str:
        """The value as it may stand here. Raises VariableTrouble."""
        name = f"${{{reference.name}}}"
        if self._open == "#":
            raise VariableTrouble(f"{name} stands in a comment of the query", "leave it out")
        if self._open == "`":
            raise VariableTrouble(f"{name} stands in backticks, where nothing can be escaped", 'use "..." around it')
        if self._open:
            return _escaped(_REGEX_MARKS.sub(r"\\\g<0>", value) if self._regex else value, self._open)
        if not (_PART if touches else _VALUE).fullmatch(value) or value.lower() in _NO_NUMBER:
            hint = 'in quotes it may be any text: {label="' + name + '"}'
            raise VariableTrouble(f"the value of {name} is no number, duration or name, so it would be code", hint)
        return value

    def _outside(self, text: str, position: int) -> int:
        match = _OPENING.search(text, position)
        before = text[position : len(text) if match is None else match.start()].rstrip()
        if before or match is None:
            self._regex = before.endswith(("=~", "!~"))
        if match is None:
            return len(text)
        self._open = match.group()
        return match.end()

    def _inside(self, text: str, position: int) -> int:
        closing = "\n" if self._open == "#" else self._open
        while position < len(text):
            character = text[position]
            if character == "\\" and self._open in "\"'":
                position += 2
                continue
            position += 1
            if character == closing:
                self._open = ""
                break
        return position


def _escaped(value: str, quote: str) -> str:
    """A value inside a quoted text of PromQL, which has Go's escapes."""
    marks = {"\\": "\\\\", quote: f"\\{quote}"}
    return "".join(
        marks.get(character) or (f"\\u{ord(character):04x}" if ord(character) < 0x20 else character)
        for character in value
    )


def quoted(value: str) -> str:
    """A text as PromQL and Alertmanager write it."""
    return f'"{_escaped(value, chr(34))}"'


def query_problems(query: str, option: str = "query") -> list[str]:
    """What is wrong with the brackets and quotes of a query; a `${...}` counts as a name. `option` is what holds it."""
    if not query.strip():
        return [f"{option} is empty"]
    try:
        query = "".join(piece if isinstance(piece, str) else "x" for piece in parse_template(query).pieces)
    except TemplateError:
        return []  # told where templates are read
    waiting: list[str] = []
    for token in _tokens(query):
        if token.kind == "other":
            if token.text[0] in "\"'`":
                return [f"{option}: a quote is never closed: {token.text[:20]}"]
            return [f"{option}: {token.text[0]!r} stands there, and nothing of PromQL begins so"]
        if token.text in _CLOSES:
            waiting.append(_CLOSES[token.text])
        elif token.text in _CLOSES.values():
            if not waiting:
                return [f"{option}: there is a {token.text} too many"]
            if (wanted := waiting.pop()) != token.text:
                return [f"{option}: a {wanted} is missing before {query[token.start :][:20]}"]
    return [f"{option}: a {waiting[-1]} is missing at the end"] if waiting else []


def selectors_of(query: str) -> tuple[str, ...]:
    """The selectors (`up{job="api"}`) that a query takes its samples from, each once, without range and offset."""
    tokens = [token for token in _tokens(query) if token.kind != "space"]
    found: list[str] = []
    index = 0
    while index < len(tokens):
        token, following = tokens[index], tokens[index + 1].text if index + 1 < len(tokens) else ""
        if token.text == "[" or (token.text in _LISTS and following == "("):
            index = _after(tokens, index if token.text == "[" else index + 1)
        elif token.text == "{" or (token.kind == "name" and _is_metric(token.text, following)):
            braces = index if token.text == "{" else index + 1
            after = _after(tokens, braces) if token.text == "{" or following == "{" else index + 1
            found.append(query[token.start : tokens[after - 1].end])
            index = after
        else:
            index += 1
    return tuple(dict.fromkeys(found))


def is_selector(query: str) -> bool:
    """Whether a query is one selector and nothing else, so that each of its samples has a time of its own."""
    found = selectors_of(query)
    return len(found) == 1 and found[0] == query.strip()


def _is_metric(name: str, following: str) -> bool:
    if following == "(" or following in ("by", "without") or name in _LISTS:
        return False
    return name.lower() not in _WORDS


def _after(tokens: list[_Token], index: int) -> int:
    """The index behind the bracket that closes the one at `index`."""
    closing, depth = _CLOSES[tokens[index].text], 0
    for position in range(index, len(tokens)):
        depth += (tokens[position].text == tokens[index].text) - (tokens[position].text == closing)
        if not depth:
            return position + 1
    return len(tokens)


def _tokens(query: str) -> Iterator[_Token]:
    """The tokens of a query; what is none, such as an open quote, is one of the kind `other`, to the end."""
    position = 0
    while position < len(query):
        match = _TOKEN.match(query, position)
        if match is None:
            yield _Token("other", query[position:], position)
            return
        yield _Token(match.lastgroup or "", match.group(), position)
        position = match.end()
