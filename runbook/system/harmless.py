"""Text of others made harmless: for a terminal, for Markdown, for HTML. Every sink calls one of these.

A terminal obeys bytes: ESC, C1 and carriage returns move the cursor, set titles and fill the clipboard; bidirectional
and invisible characters make a line read as what it is not. Here they become visible text such as `\\x1b`.
"""

from __future__ import annotations

import re

# Unicode's control, format, surrogate, line and paragraph separators, and letters that show nothing (tests/system
# compares this with unicodedata over every code point).
_INVISIBLE = (
    r"\x00-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    r"\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb"
    r"\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_ONE_LINE = re.compile(f"[{_INVISIBLE}]")
_SEVERAL_LINES = re.compile(f"(?!\n)[{_INVISIBLE}]")
# What begins something in Markdown anywhere; the colon, dot and at sign that make a bare address a link; and what
# begins a list at the start of a line.
_MARKDOWN = re.compile(r"[\\`*_{}\[\]|~#!$@^=]|:(?=//)|(?<=www)\.|^(?:[-+](?=[-\s]|$)|\d+[.)](?=\s|$))")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
_BRACKETS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def harmless(text: str, *, lines: bool = False, limit: int | None = None) -> str:
    """`text` with every character that a terminal obeys, or that does not show, written out visibly.

    `lines` keeps line feeds, and tabs become spaces. At most `limit` characters come out, the last one an ellipsis
    where something was cut. Idempotent: what comes out goes through unchanged.
    """
    shown = text if limit is None else text[: limit + 1]
    if lines:
        shown = _SEVERAL_LINES.sub(_visible, shown.replace("\r\n", "\n").replace("\t", "    "))
    else:
        shown = _ONE_LINE.sub(_visible, shown)
    if limit is not None and len(shown) > limit:
        return shown[: max(0, limit - 1)] + "…"
    return shown


def harmless_markdown(text: str) -> str:
    """`text` on one line that Markdown shows as it is: no links, images, HTML, table cells or fences come of it."""
    return _MARKDOWN.sub(_escaped, harmless(text.strip()).translate(_BRACKETS))


def harmless_html(text: str) -> str:
    """`text` for the inside of an HTML element or a quoted attribute. Line feeds are kept."""
    return harmless(text, lines=True).translate(_ENTITIES)


def _visible(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escaped(match: re.Match[str]) -> str:
    found = match.group()
    return f"{found[:-1]}\\{found[-1]}"
