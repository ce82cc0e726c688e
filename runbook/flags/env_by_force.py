"""Env files in an emergency: where no exact edit is possible, the lines of a key are written anew."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping

from runbook.flags.changes import Edit, EditRefused, FlagChange
from runbook.flags.env import KEY, edit
from runbook.flags.env_document import EnvDocument, parse
from runbook.flags.env_values import forms_of, why_no_form
from runbook.flags.splices import Splice, line_around, lines_changed, spliced


def force(data: bytes, wanted: Mapping[str, str]) -> Edit:
    """Give each key its wanted value, exactly where that is possible, else by rewriting each line that sets it.

    A rewritten line loses its comment and its quotes. Raises `EditRefused` for a value or a file that cannot be
    written at all.
    """
    with contextlib.suppress(EditRefused):
        return edit(data, wanted)
    changes: tuple[FlagChange, ...] = ()
    diff: tuple[str, ...] = ()
    for key, value in wanted.items():
        try:
            step = edit(data, {key: value})
        except EditRefused:
            step = _rewritten(data, key, value)
        data, changes, diff = step.data, changes + step.changes, diff + step.diff
    return Edit(data, changes, diff)


def by_hand(wanted: Mapping[str, str]) -> list[str]:
    """The lines that a person would write into the file."""
    return [f"{key}={next(iter(forms_of(value)), value)}" for key, value in wanted.items()]


def _rewritten(data: bytes, key: str, value: str) -> Edit:
    document = parse(data)
    form = next(iter(forms_of(value)), None)
    if form is None or not KEY.fullmatch(key):
        raise EditRefused(key, None, why_no_form(value), "choose a plainer value")
    line = f"{key}={form}"
    cuts = [Splice(start, end, line, lines=True) for start, end in _lines_that_set(document, key)]
    text = spliced(document.text, cuts)
    if parse(document.encoded(text)).value_of(key) != value:
        break_before = "" if not text or text.endswith(("\n", "\r")) else "\n"
        cuts.append(Splice(len(document.text), len(document.text), f"{break_before}{line}\n", lines=True))
        text = spliced(document.text, cuts)
    if parse(document.encoded(text)).value_of(key) != value:
        raise EditRefused(key, None, "cannot be set in this file", "repair its quotes by hand")
    change = FlagChange(key=key, old=document.value_of(key), new=value)
    return Edit(document.encoded(text), (change,), lines_changed(document.text, cuts))


def _lines_that_set(document: EnvDocument, key: str) -> Iterable[tuple[int, int]]:
    """Each line that any reader could take for one that sets `key`, but none within the quotes of another value."""
    quoted = [(one.start, one.end) for one in document.assignments if one.key != key]
    ends = {one.key_start: one.end for one in document.occurrences(key)}
    export = r"(?:export[^\S\r\n]+)?"
    setting = re.compile(rf"^[^\S\r\n]*(?={export}(['\"]?){re.escape(key)}\1[^\S\r\n]*[=:]){export}", re.MULTILINE)
    for match in setting.finditer(document.text.replace("\r", "\n")):
        if any(before <= match.end() < after for before, after in quoted):
            continue
        live = [end for start, end in ends.items() if match.start() <= start <= match.end()]
        yield match.end(), line_around(document.text, match.end(), max(live, default=match.end()))[1]
