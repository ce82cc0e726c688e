"""The forms in which a secret travels: encoded for a URL, a header, JSON, a shell, or split over lines."""

from __future__ import annotations

from collections.abc import Iterator

_SHORTEST_LINE = 8  # of a secret with several lines; a shorter line is too common to be masked alone


def forms_of(value: str, longest: int) -> Iterator[str]:
    """Every form of a secret that is looked for in a text, the value itself first."""
    parts = [value, value.strip()]
    lines = value.splitlines()
    if len(lines) > 1:
        parts += [line.strip() for line in lines if len(line.strip()) >= _SHORTEST_LINE]
        parts += ["".join(lines), "\n".join(lines)]
    for part in dict.fromkeys(parts):
        if len(part) <= longest:
            yield from _encoded(part)


def _encoded(value: str) -> Iterator[str]:
    import html
    import json
    from urllib.parse import quote, quote_plus

    data = value.encode("utf-8", "surrogateescape")
    quoted = quote(data, safe="")
    yield from (value, quoted, quote(data), quote_plus(data), _lower_escapes(quoted))
    yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1])
    yield from (html.escape(value), value.replace("'", "'\\''"), value.replace("'", "'\"'\"'"), data.hex())
    yield from _base64(data)


def _lower_escapes(quoted: str) -> str:
    import re

    return re.sub(r"%[0-9A-F]{2}", lambda escape: escape.group().lower(), quoted)


def _base64(data: bytes) -> Iterator[str]:
    """What base64 makes of the value wherever it stands in a longer text, as behind `user:` in a basic login.

    Three bytes become four characters, so there are three alignments; the characters that depend on the neighbours
    are left out.
    """
    from base64 import b64encode

    for before in range(3):
        text = b64encode(b"\0" * before + data).decode().rstrip("=")
        first = (before * 8 + 5) // 6
        whole = (before + len(data)) * 8 // 6
        if whole - first >= 8:
            middle = text[first:whole]
            yield middle
            yield middle.replace("+", "-").replace("/", "_")
