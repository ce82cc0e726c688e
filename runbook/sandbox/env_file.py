"""A small reader of env files, as simple services have one: it knows no interpolation and keeps the last of two."""

from __future__ import annotations

import re

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=[ \t]*(.*)")
_QUOTED = re.compile(r"""(?:'([^']*)'|"((?:[^"\\]|\\.)*)")\s*(?:#.*)?$""")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def read_env(text: str) -> dict[str, str]:
    """The variables of an env file: comments, `export`, quotes, CRLF and a byte order mark are understood."""
    values = {}
    for line in text.removeprefix("\ufeff").splitlines():
        found = _LINE.match(line)
        if found:
            values[found[1]] = _value(found[2])
    return values


def _value(written: str) -> str:
    quoted = _QUOTED.match(written)
    if quoted is None:
        return re.split(r"(?:^|\s)#", written, maxsplit=1)[0].strip()
    if quoted[1] is not None:
        return quoted[1]
    return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), quoted[2])
