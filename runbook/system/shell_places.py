"""Where in a shell line a `${...}` stands, and the reference to a variable that is safe there.

The value itself is never put into the script. What has to be known is only the quoting around each place, so this
follows quotes, command substitutions and comments, and refuses the places in which a shell would read a variable's
value as an expression or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from runbook.language.substitution import Reference, Template
from runbook.system.secrets import VariableTrouble

_HERE_DOCUMENT = re.compile(r"<<(?!<)-?\s*\\?[\"']?[A-Za-z_]")
_PLAIN, _DOUBLE, _SINGLE, _ANSI, _BACKTICK, _ARITHMETIC, _BRACES, _TEST, _COMMENT = (
    "plain",
    "double quotes",
    "single quotes",
    "$'...'",
    "backticks",
    "arithmetic",
    "an expansion of the shell's own",
    "[[ ]]",
    "a comment",
)
_HINTS = {
    _SINGLE: 'use double quotes: "..."',
    _ANSI: 'use double quotes: "..."',
    _BACKTICK: "use $(...)",
    _ARITHMETIC: "a shell evaluates what a variable holds there; set a variable from it first and check that",
    _BRACES: "set a variable from it first",
    _TEST: "use [ ... ], which takes a value as it is",
}
# What opens (and closes) in which state, longest first.
_TOKENS = re.compile(r"\\.|\$\(\(|\(\(|\)\)|\$\(|\$\{|\$'|\$\"|\[\[|\]\]|['\"`(){}#\n]", re.DOTALL)


class _Quoting:
    """The state of quoting while a script is read from the left: a stack, the innermost last."""

    def __init__(self) -> None:
        self.stack = [_PLAIN]
        self.here_document = False
        self.escaped = False
        self._before = "\n"

    @property
    def state(self) -> str:
        return self.stack[-1]

    def read(self, text: str) -> None:
        """Go on over literal text."""
        position = 0
        self.escaped = False
        if self.state not in (_SINGLE, _ANSI, _COMMENT) and _HERE_DOCUMENT.search(text):
            self.here_document = True
        while match := _TOKENS.search(text, position):
            mark = match.group()
            if match.start() > 0:
                self._before = text[match.start() - 1]
            width = self._take(mark)
            position = match.start() + width
            self._before = text[position - 1]
        if text:
            self._before = text[-1]
        trailing = len(text) - len(text.rstrip("\\"))
        self.escaped = self.state != _SINGLE and trailing % 2 == 1

    def _take(self, mark: str) -> int:
        """Apply one mark; how many of its characters were used up."""
        state = self.state
        if state == _SINGLE:
            return self._close_if(mark[0] == "'", 1) if mark[0] != "\\" else self._in_single(mark)
        if mark[0] == "\\":
            return len(mark)
        if state == _ANSI:
            return self._close_if(mark[0] == "'", 1)
        if state == _COMMENT:
            return self._close_if("\n" in mark[:1], 1)
        if state == _DOUBLE:
            return self._in_double(mark)
        return self._in_plain(mark)

    def _in_single(self, mark: str) -> int:
        # A backslash means nothing here, but the quote behind it ends the text.
        if mark[1:] == "'":
            self.stack.pop()
            return 2
        return 1

    def _in_double(self, mark: str) -> int:
        if mark == '"':
            self.stack.pop()
        elif mark in ("$(", "$((", "${", "`"):
            self._open(mark)
        elif mark in ("$'", '$"'):
            return 1  # the dollar sign is literal; the quote is read next
        else:
            return 1
        return len(mark)

    def _in_plain(self, mark: str) -> int:
        closing = {_PLAIN: ")", _BACKTICK: "`", _ARITHMETIC: "))", _BRACES: "}", _TEST: "]]"}[self.state]
        if mark == closing:
            if len(self.stack) > 1:
                self.stack.pop()
            return len(mark)
        if mark == "#":
            if self.state == _PLAIN and self._before in " \t\n;&|(":
                self.stack.append(_COMMENT)
            return 1
        if mark in ("'", '"', "$'", '$"', "$(", "$((", "((", "(", "${", "`", "[["):
            self._open(mark)
            return len(mark)
        return 1

    def _open(self, mark: str) -> None:
        opened = {
            "'": _SINGLE,
            '"': _DOUBLE,
            "$'": _ANSI,
            '$"': _DOUBLE,
            "$(": _PLAIN,
            "(": _PLAIN,
            "$((": _ARITHMETIC,
            "((": _ARITHMETIC,
            "${": _BRACES,
            "`": _BACKTICK,
            "[[": _TEST,
        }[mark]
        self.stack.append(opened)

    def _close_if(self, closes: bool, width: int) -> int:
        if closes:
            self.stack.pop()
        return width


def script_with(template: Template, name_of: Callable[[Reference], str]) -> str:
    """The script with a safe reference to the variable `name_of(reference)` in each place.

    Raises VariableTrouble where there is no safe one.
    """
    quoting = _Quoting()
    script: list[str] = []
    for piece in template.pieces:
        if isinstance(piece, str):
            quoting.read(piece)
            script.append(piece)
        elif quoting.state == _COMMENT:
            script.append(f"<{piece.name}>")
        else:
            script.append(_reference(quoting, piece, name_of))
    return "".join(script)


def _reference(quoting: _Quoting, reference: Reference, name_of: Callable[[Reference], str]) -> str:
    written = f"${{{reference.name}}}"
    if quoting.escaped:
        raise VariableTrouble(f"{written} stands behind a backslash", "write $${ for the shell's own expansion")
    if quoting.here_document:
        raise VariableTrouble(f"{written} stands behind a here-document", "put it into a variable on a line before")
    for place in quoting.stack:
        if place in _HINTS:
            raise VariableTrouble(f"{written} cannot stand in {place}", _HINTS[place])
    name = name_of(reference)
    return f"${{{name}}}" if quoting.state == _DOUBLE else f'"${{{name}}}"'
