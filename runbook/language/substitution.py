"""`${...}` in a text: where the references stand and what they are called. What they mean is for `system.variables`.

`${NAME}` in upper case names a variable, `${name}` in lower case something of the context (`${percent}`, `${ask:eta}`).
`${NAME:-default}` gives a text for a name that is unset or empty. A dollar sign before anything but a brace is only a
dollar sign (`$40`, `$HOME` in a shell line), and `$${` writes the two characters `${`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_OPENING = re.compile(r"\$\$\{|\$\{")
_NAME = re.compile(r"(?P<name>[A-Z_][A-Z0-9_]*|[a-z][a-z0-9_]*(?::[a-z][a-z0-9_-]*)?)\Z")


class TemplateError(ValueError):
    """A `${...}` that cannot be read. `start` and `width` are characters of the text, for a caret."""

    def __init__(self, message: str, start: int, width: int, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.width = width
        self.hint = hint


@dataclass(frozen=True)
class Reference:
    """One `${...}`: its name, its default if it has one, and where it stands in the text."""

    name: str
    default: str | None
    start: int
    width: int

    @property
    def is_context(self) -> bool:
        """Whether it names something of the context (lower case) and not a variable."""
        return self.name[0].islower()


@dataclass(frozen=True)
class Template:
    """A text in pieces: literal text and references, in order. `text` is the whole as written."""

    text: str
    pieces: tuple[str | Reference, ...]

    @property
    def references(self) -> tuple[Reference, ...]:
        return tuple(piece for piece in self.pieces if isinstance(piece, Reference))


@lru_cache(maxsize=4096)
def parse_template(text: str) -> Template:
    """Read a text with its references. Raises TemplateError at the first one that cannot be read."""
    return Template(text, tuple(piece for piece in _pieces(text) if piece))


def names_in(text: str) -> tuple[str, ...]:
    """The names referred to, in order, each once. Raises TemplateError."""
    return tuple(dict.fromkeys(reference.name for reference in parse_template(text).references))


def _pieces(text: str) -> Iterator[str | Reference]:
    position = 0
    literal: list[str] = []
    while opening := _OPENING.search(text, position):
        literal.append(text[position : opening.start()])
        if opening.group() == "$${":
            literal.append("${")
            position = opening.end()
            continue
        yield "".join(literal)
        literal.clear()
        reference = _reference(text, opening.start())
        yield reference
        position = reference.start + reference.width
    yield "".join([*literal, text[position:]])


def _reference(text: str, start: int) -> Reference:
    end = text.find("}", start)
    if end < 0:
        raise TemplateError("this ${ is never closed", start, len(text) - start, "close it with }, or write $${ for ${")
    inside = text[start + 2 : end]
    width = end + 1 - start
    name, separator, default = inside.partition(":-")
    if not _NAME.match(name):
        raise TemplateError(f"'{inside}' is not a name", start, width, _hint(inside))
    if "${" in default:
        raise TemplateError("a default cannot hold another ${...}", start, width, "write the default out")
    return Reference(name, default if separator else None, start, width)


def _hint(inside: str) -> str:
    if not inside:
        return "write ${NAME}"
    if re.match(r"[A-Za-z_][A-Za-z0-9_]*\Z", inside):
        return f"variables are upper case, ${{{inside.upper()}}}; what the tool gives is lower case, ${{percent}}"
    return "write ${NAME} or ${NAME:-default}; $${ begins an expansion of the shell's own"
