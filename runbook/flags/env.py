"""Env files, edited by the byte: the text of a value is replaced, and every other byte stays.

Each edit is read again before it is given out, as python-dotenv and as JavaScript's dotenv read it: the intended keys
hold their new values, and nothing else reads differently. Otherwise it is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from runbook.flags.changes import Edit, EditRefused, FlagChange, Undone
from runbook.flags.env_document import Assignment, EnvDocument, Reading, parse, read_as_javascript
from runbook.flags.env_values import form_like, forms_of, why_no_form
from runbook.flags.splices import NEWLINE, Splice, line_around, lines_changed, spliced

KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def values(data: bytes, keys: Iterable[str]) -> dict[str, str | None]:
    """What readers see for each of `keys`; None for a key that is not set. Raises `EditRefused` for what is no text."""
    document = parse(data)
    return {key: document.value_of(key) for key in keys}


def edit(data: bytes, wanted: Mapping[str, str]) -> Edit:
    """Give every live occurrence of each key its wanted value; a missing key is appended.

    Quotes stay as they are where they can hold the value. Raises `EditRefused` when it cannot be exact.
    """
    document = parse(data)
    changes: list[FlagChange] = []
    cuts: list[Splice] = []
    for key, value in wanted.items():
        _ensure_fits(document, key, value)
        found = document.occurrences(key)
        replaced = [cut for one in found for cut in _replacement(document, one, value)]
        if replaced:
            raw = tuple(document.raw(one) for one in found)
            changes.append(FlagChange(key=key, old=found[-1].value, new=value, old_raw=raw))
        if not found:
            replaced = [_addition(document, key, value, first=not any(change.appended for change in changes))]
            changes.append(FlagChange(key=key, old=None, new=value, appended=replaced[0].new))
        cuts += replaced
    edited = document.encoded(spliced(document.text, cuts))
    _ensure_only(document, parse(edited), wanted)
    return Edit(edited, tuple(changes), lines_changed(document.text, cuts))


def undo(data: bytes, changes: Sequence[FlagChange]) -> Undone:
    """Give back the exact old text wherever the present value is still the one that `changes` wrote.

    A key that was appended is removed with the line breaks that came with it. Raises `EditRefused` when it cannot be
    exact.
    """
    document = parse(data)
    foreign = {change.key: _foreign_values(document, change) for change in changes}
    restored = tuple(key for key, values_left in foreign.items() if not values_left)
    left = tuple((key, values_left[-1]) for key, values_left in foreign.items() if values_left)
    added = [change for change in changes if change.appended and change.key in restored]
    cuts = [cut for change in changes for cut in _restorations(document, change)] + _removals(document, added)
    text = document.encoded(spliced(document.text, cuts))
    _ensure_others_stay(document, parse(text), {change.key for change in changes})
    return Undone(text, restored, left, lines_changed(document.text, cuts))


def _ensure_fits(document: EnvDocument, key: str, value: str) -> None:
    found = document.occurrences(key)
    line = found[0].line if found else None
    if not found and not KEY.fullmatch(key):
        raise EditRefused(key, None, "is not a name that every reader of env files understands", "use A-Z, 0-9 and _")
    if not document.is_utf8 and not value.isascii():
        hint = "convert the file to UTF-8, or use a plain value"
        raise EditRefused(key, line, "cannot take this value, since the file is not in UTF-8", hint)
    for one in found:
        raw = document.raw(one)
        if (
            raw.startswith("`")
            and "`" not in document.text[one.start + 1 : line_around(document.text, one.start, one.end)[1]]
        ):
            raise EditRefused(key, one.line, "has a value in backticks over several lines", "edit it by hand")
        if not _is_utf8(raw):
            raise EditRefused(
                key, one.line, "has a value that is not UTF-8, so it could not be given back", "edit by hand"
            )


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _replacement(document: EnvDocument, one: Assignment, value: str) -> list[Splice]:
    raw = document.raw(one)
    form = form_like(raw, value, needs_text=one.needs_text)
    if form == raw or (form is None and one.value == value):
        return []
    if form is None:
        raise EditRefused(one.key, one.line, why_no_form(value), "choose a plainer value")
    return [Splice(one.start, one.end, form)]


def _addition(document: EnvDocument, key: str, value: str, *, first: bool) -> Splice:
    """One new line at the end, in the style of the file. `first`: no other key is appended before it."""
    forms = forms_of(value)
    if not forms:
        raise EditRefused(key, None, why_no_form(value), "choose a plainer value")
    text = document.text
    newline = _newline_of(text)
    lead = newline if first and text and not text.endswith(("\n", "\r")) else ""
    every = document.assignments
    export = "export " if every and all(one.exported for one in every) else ""
    return Splice(len(text), len(text), f"{lead}{export}{key}={forms[0]}{newline}", lines=True)


def _newline_of(text: str) -> str:
    """The line break that the file uses most."""
    ((most, _),) = Counter(NEWLINE.findall(text)).most_common(1) or [("\n", 0)]
    return str(most)


def _ensure_only(before: EnvDocument, after: EnvDocument, wanted: Mapping[str, str]) -> None:
    """Raise unless every reader sees the wanted values everywhere, and everything else as before."""
    _ensure_others_stay(before, after, set(wanted))
    for key, value in wanted.items():
        seen = [reading for reading in after.readings if reading.key == key and reading.value is not None]
        expected = max(1, len(before.occurrences(key)))
        if len(seen) != expected or any(reading.value != value for reading in seen):
            line = seen[0].line if seen else None
            raise EditRefused(key, line, "would not be read back as the wanted value", "edit the file by hand")
    for reading in read_as_javascript(after.text):
        key = reading.key or ""
        if key in wanted and reading.value != wanted[key]:
            reason = "is set there in a way that only some readers of env files understand"
            raise EditRefused(key, reading.line, reason, f"write it as {key}={wanted[key]}, outside any quotes")


def _ensure_others_stay(before: EnvDocument, after: EnvDocument, keys: set[str]) -> None:
    for read in (_of_python, _of_javascript):
        old, new = ([(one.key, one.value) for one in read(side) if one.key not in keys] for side in (before, after))
        if old != new:
            lines = [one.line for one in before.assignments if one.key in keys]
            key = ", ".join(sorted(keys))
            reason = "cannot be changed without another line being read differently: look for an unclosed quote"
            raise EditRefused(key, lines[0] if lines else None, reason, "repair the file, or edit it by hand")


def _of_python(document: EnvDocument) -> tuple[Reading, ...]:
    return document.readings


def _of_javascript(document: EnvDocument) -> tuple[Reading, ...]:
    return read_as_javascript(document.text)


def _foreign_values(document: EnvDocument, change: FlagChange) -> list[str | None]:
    """The present values of the key that are neither what `change` wrote nor what was there before it."""
    found = document.occurrences(change.key)
    if change.appended:
        ours = change.appended.strip("\r\n")
        is_ours = not found or (len(found) == 1 and _line_of(document.text, found[0]).rstrip("\r\n") == ours)
        return [] if is_ours else [document.value_of(change.key)]
    old = _old_texts(change, len(found))
    if not found or old is None:
        return [document.value_of(change.key)]
    pairs = zip(found, old, strict=True)
    return [one.value for one, raw in pairs if one.value != change.new and document.raw(one) != raw]


def _old_texts(change: FlagChange, count: int) -> tuple[str, ...] | None:
    """The old text for each of `count` occurrences; None when there are more or fewer now and the old ones differ."""
    if len(change.old_raw) == count:
        return change.old_raw
    return change.old_raw[:1] * count if len(set(change.old_raw)) == 1 else None


def _restorations(document: EnvDocument, change: FlagChange) -> list[Splice]:
    found = document.occurrences(change.key)
    pairs = zip(found, _old_texts(change, len(found)) or (), strict=False)
    return [Splice(one.start, one.end, raw) for one, raw in pairs if one.value == change.new]


def _line_of(text: str, one: Assignment) -> str:
    end = NEWLINE.search(text, one.end)
    return text[one.key_start : end.end() if end else len(text)]


def _removals(document: EnvDocument, added: Sequence[FlagChange]) -> list[Splice]:
    """Cut appended lines out. The line break put before one goes too, if nothing stands behind it any more."""
    text = document.text
    lines = [(one, change) for change in added for one in document.occurrences(change.key)]
    cuts: list[Splice] = []
    rest = len(text)
    for one, change in sorted(lines, key=lambda line: line[0].start, reverse=True):
        start, end = one.key_start, one.key_start + len(_line_of(text, one))
        if end == rest:
            lead = change.appended[: len(change.appended) - len(change.appended.lstrip("\r\n"))]
            start -= len(lead) if text[:start].endswith(lead) else 0
            rest = start
        cuts.append(Splice(start, end, "", lines=True))
    return cuts
