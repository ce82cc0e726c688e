"""Answers that should make a check say no: nothing, rubbish, and documents whose values are not what was meant."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

from runbook.checks.recorded import RecordedAnswer

HTML = "<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>"
NOTHING = "nothing answers"
# What no service means as its answer. Of `{}` a program that names no field may mean something.
RUBBISH: dict[str, RecordedAnswer] = {
    NOTHING: RecordedAnswer(down=True),
    "status 500": RecordedAnswer(status=500, json={"error": "internal error"}),
    "status 404": RecordedAnswer(status=404, json={"error": "not found"}),
    "an empty answer": RecordedAnswer(text=""),
    "an HTML page": RecordedAnswer(text=HTML, headers={"content-type": "text/html"}),
    "null": RecordedAnswer(json=None),
    "{}": RecordedAnswer(json={}),
}
TEXTS = ("", "x", "0", "-1", "999999999", "{}", "null", "ok\nerror\n", HTML)  # what a program may print
PRINTED = {"no output": "", "an HTML page": HTML, "null": "null", "{}": "{}"}  # which holds nothing to take out
MOST_DOCUMENTS = 120
LONGEST_LIST = 1000
_PATH = re.compile(r"(?:\.[A-Za-z_]\w*(?:\[-?\d*\])?\??)+")
_STEP = re.compile(r"\.([A-Za-z_]\w*)(\[-?\d*\])?")
_WRITTEN_TEXT = re.compile(r'"([^"\\]*)"')
_WRITTEN_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")


def names_fields(program: str) -> bool:
    """Whether a jq program names a field: then an object without it holds no answer."""
    return _PATH.search(_WRITTEN_TEXT.sub('""', program)) is not None


def documents_for(program: str, expect: str = "") -> Iterator[Any]:
    """Documents that hold what a jq program names, with all sorts of values; at most so many."""
    bare = _WRITTEN_TEXT.sub('""', program)
    paths = [_STEP.findall(found[0]) for found in _PATH.finditer(bare)]
    numbers = [float(found) for found in _WRITTEN_NUMBER.findall(f"{bare} {expect}")]
    values: list[Any] = [0, 1, -1, 1e12, *numbers, *(number + 1 for number in numbers), "x", True, False, [], {}, None]
    values += _WRITTEN_TEXT.findall(program)
    sizes = {0, 1, 2, 10, *(int(number) + more for number in numbers for more in (0, 1) if 0 <= number <= LONGEST_LIST)}
    made = itertools.chain.from_iterable((_flat(paths, value), _nested(paths, value)) for value in values)
    listed = (_flat(paths, ["x"] * size, whole=True) for size in sorted(sizes))
    yield from itertools.islice(itertools.chain(listed, made), MOST_DOCUMENTS)


def _flat(paths: list[list[tuple[str, str]]], value: Any, *, whole: bool = False) -> dict[str, Any]:
    """Every path from the root on, with this value at its end: as the `whole` of a list, or as its one entry."""
    document: dict[str, Any] = {}
    for path in paths:
        here = document
        for name, many in path[:-1]:
            inner: dict[str, Any] = {}
            there = here.setdefault(name, [inner] if many else inner)
            here = there[0] if isinstance(there, list) and there and isinstance(there[0], dict) else there
            if not isinstance(here, dict):
                break
        if isinstance(here, dict) and path:
            name, many = path[-1]
            here.setdefault(name, [value] if many and not whole else value)
    return document


def _nested(paths: list[list[tuple[str, str]]], value: Any) -> dict[str, Any]:
    """Lists hold objects which have every other name, with this value; two of each list."""
    single = {path[-1][0]: value for path in paths if path and not any(many for _, many in path)}
    document: dict[str, Any] = dict(single)
    for path in paths:
        if any(many for _, many in path):
            document[path[0][0]] = [dict(single), dict(single)] if single else [value, value]
    return document


def changed(document: Any) -> Iterator[Any]:
    """A document that was really answered, with its values replaced: all numbers, all texts, all lists, all truths."""
    for number in (0, -1, 1e12):
        yield _replaced(document, lambda one, to=number: to if _is_number(one) else one)
    yield _replaced(document, lambda one: "something else" if isinstance(one, str) else one)
    yield _replaced(document, lambda one: not one if isinstance(one, bool) else one)
    yield _replaced(document, lambda one: [] if isinstance(one, list) else one)
    yield _replaced(document, lambda one: [*one, "one more"] if isinstance(one, list) else one)
    yield _replaced(document, lambda one: None if not isinstance(one, dict | list) else one)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _replaced(value: Any, change: Any) -> Any:
    changed_value = change(value)
    if isinstance(changed_value, dict):
        return {key: _replaced(one, change) for key, one in changed_value.items()}
    if isinstance(changed_value, list) and changed_value is value:
        return [_replaced(one, change) for one in changed_value]
    return changed_value


def printed(text: str) -> RecordedAnswer:
    """The answer of a program that printed this, and ended well."""
    return RecordedAnswer(exit=0, output=text)


def listed(words: list[str]) -> str:
    """`a, b and c`."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def is_path(program: str) -> bool:
    """Whether a jq program only names a place: `.a.b[]`."""
    return all(part.isidentifier() or not part for part in program.replace("[]", "").split("."))
