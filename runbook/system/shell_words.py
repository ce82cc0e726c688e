"""Words of a shell line that still hold the `${NAME}` of a playbook, so that the line can be pasted with them set."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

from runbook.language.substitution import Reference, TemplateError, parse_template

_SPECIAL = re.compile(r'[\\"`$]')


def shell_line(words: Iterable[str]) -> str:
    """The words as one shell line."""
    return " ".join(map(shell_word, words))


def shell_word(text: str) -> str:
    """A word in quotes as far as it needs them: double ones where a `${NAME}` of it is for the shell to fill in.

    A name in lower case (`${percent}`) is none of the shell's, and stays to be read by a person.
    """
    try:
        template = parse_template(text)
    except TemplateError:
        return shlex.quote(text)
    if not any(not reference.is_context for reference in template.references):
        return shlex.quote(text)
    return '"' + "".join(map(_quoted, template.pieces)) + '"'


def _quoted(piece: str | Reference) -> str:
    if isinstance(piece, str):
        return _escaped(piece)
    if piece.is_context:
        return f"\\${{{piece.name}}}"
    return f"${{{piece.name}}}" if piece.default is None else f"${{{piece.name}:-{_escaped(piece.default)}}}"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)
