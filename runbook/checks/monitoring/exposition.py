"""The text in which a program shows its metrics: Prometheus' format 0.0.4 and OpenMetrics 1.0, read line by line.

A reader of our own, because the one of the `prometheus_client` package says of itself that it takes more than the
format allows (repeated types, three numbers on a line, digits of other scripts), renames what it reads, needs time that
grows with the square of the quotes in a line, and does not tell the line.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from runbook.checks.findings import NotTaken

MOST_LINES = 100_000
_NAME = r"[A-Za-z_:][A-Za-z0-9_:]*+"
_QUOTED = r'"(?:[^"\\\n]|\\.)*+"'
_LABEL = rf"(?:[A-Za-z_][A-Za-z0-9_]*+|{_QUOTED})[ \t]*+=[ \t]*+{_QUOTED}"
_ITEM = rf"[ \t]*+(?:{_LABEL}|{_QUOTED})[ \t]*+"
_LABELS = rf"\{{(?:{_ITEM}(?:,{_ITEM})*+)?+,?[ \t]*+\}}"
_NUMBER = r"(?:[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?[iI]nf(?:inity)?|[nN]a[nN])"
_SERIES = (
    rf"(?:(?P<name>{_NAME})[ \t]*+(?P<labels>{_LABELS})[ \t]*+|(?P<plain>{_NAME})[ \t]++|(?P<only>{_LABELS})[ \t]*+)"
)
_SAMPLE = re.compile(rf"[ \t]*+{_SERIES}(?P<value>{_NUMBER})(?:[ \t]++(?P<at>[-+]?[0-9]+))?[ \t]*\r?")
_EXEMPLAR = rf" # {_LABELS} {_NUMBER}(?: {_NUMBER})?"
_OPEN_SAMPLE = re.compile(
    rf"(?:(?P<name>{_NAME})(?P<labels>{_LABELS}) |(?P<plain>{_NAME}) |(?P<only>{_LABELS}) )"
    rf"(?P<value>{_NUMBER})(?: (?P<at>[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?))?(?:{_EXEMPLAR})?"
)
_PAIR = re.compile(rf"(?P<key>[A-Za-z_][A-Za-z0-9_]*+|{_QUOTED})(?:[ \t]*+=[ \t]*+(?P<value>{_QUOTED}))?")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}
_ABOUT = re.compile(rf"#[ \t]++(?P<word>TYPE|HELP|UNIT)[ \t]++(?P<name>{_NAME}|{_QUOTED})(?:[ \t]++(?P<rest>.*))?")
_TYPES = frozenset({"counter", "gauge", "histogram", "summary", "untyped"})
_OPEN_TYPES = frozenset({"counter", "gauge", "histogram", "gaugehistogram", "stateset", "info", "summary", "unknown"})
_SUFFIXES = ("_total", "_created", "_bucket", "_count", "_sum", "_info", "_gcount", "_gsum")
_SHOWN = 60  # characters of a line in a message
_READING = threading.Lock()


@dataclass(frozen=True)
class Exposed:
    """One sample. `at` is the time that stands beside it, in seconds since the epoch, where one does."""

    name: str
    labels: Mapping[str, str]
    value: float
    at: float | None


@dataclass(frozen=True)
class Exposition:
    """A text that was read to its end and is sound. `lines` holds, by metric, where its samples begin in `text`."""

    text: str
    open_metrics: bool
    lines: Mapping[str, Sequence[int]] = field(repr=False)

    def count(self, name: str) -> int:
        """How many samples of that exact name there are."""
        return len(self.lines.get(name, ()))

    def samples(self, name: str, wanted: Mapping[str, frozenset[str]] | None = None) -> list[Exposed]:
        """The samples of that exact name (`x_total`, `x_bucket`), in the order of the text.

        `wanted` are labels, each with the values that it may have; a label that is not there is an empty one. Raises
        NotTaken for a sample that names a label twice.
        """
        pattern = _OPEN_SAMPLE if self.open_metrics else _SAMPLE
        labels, found = wanted or {}, []
        marks = _marks_of(labels)
        for start in self.lines.get(name, ()):
            end = self.text.find("\n", start)
            end = end if end >= 0 else len(self.text)
            if any(self.text.find(mark, start, end) < 0 for mark in marks):
                continue
            match = pattern.fullmatch(self.text, start, end)
            if match is not None:
                sample = _sample_of(match, self.open_metrics)
                if all(sample.labels.get(key, "") in values for key, values in labels.items()):
                    found.append(sample)
        return found


def _marks_of(labels: Mapping[str, frozenset[str]]) -> list[str]:
    """What a line has to hold to have these labels: looked for first, since taking a line apart costs far more."""
    single = [next(iter(values)) for values in labels.values() if len(values) == 1]
    return [f'"{value}"' for value in single if value and not set(value) & set('"\\\n')]


def read_exposition(body: bytes, *, open_metrics: bool, whole: bool) -> Exposition:
    """Read a text. Raises NotTaken, with the number of the line, for the first that is wrong.

    `whole` says that the transport made sure that nothing is missing: only then may the last line lack its line feed.
    Equal bodies are read once, however many metrics are taken out of them.
    """
    with _READING:
        outcome = _outcome(body, open_metrics, whole)
    if isinstance(outcome, str):
        raise NotTaken(outcome)
    return outcome


@lru_cache(maxsize=4)
def _outcome(body: bytes, open_metrics: bool, whole: bool) -> Exposition | str:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as trouble:
        return f"line {body.count(10, 0, trouble.start) + 1} is not UTF-8"
    try:
        return _Reading(text, open_metrics).read(whole)
    except NotTaken as trouble:
        return trouble.message


class _Reading:
    """A text on its way through: the line, and what was said of each metric so far."""

    def __init__(self, text: str, open_metrics: bool) -> None:
        self._text = text
        self._open = open_metrics
        self._pattern = _OPEN_SAMPLE if open_metrics else _SAMPLE
        self._number = 0
        self._lines: dict[str, list[int]] = {}
        self._types: dict[str, str] = {}
        self._ended = False

    def read(self, whole: bool) -> Exposition:
        text, start = self._text, 0
        if not text.strip():
            raise NotTaken("the text is empty")
        while start < len(text):
            end = text.find("\n", start)
            if end < 0 and not whole:
                raise NotTaken("the last line has no line feed, so the text may be cut off")
            end = len(text) if end < 0 else end
            self._number += 1
            self._line(start, end)
            start = end + 1
        if self._open and not self._ended:
            raise NotTaken("the text does not end with # EOF, so it is cut off")
        return Exposition(text, self._open, self._lines)

    def _line(self, start: int, end: int) -> None:
        if self._number > MOST_LINES:
            raise NotTaken(f"the text has more than {MOST_LINES:,} lines")
        if self._ended:
            raise self._wrong("follows # EOF")
        match = self._pattern.fullmatch(self._text, start, end)
        if match is not None:
            name = match["plain"] or match["name"] or _name_in(match["only"])
            if not name:
                raise self._wrong("names no metric")
            self._lines.setdefault(name, []).append(start)
            return
        line = self._text[start:end]
        if line.lstrip().startswith("#"):
            self._comment(line.strip() if not self._open else line)
        elif line.strip() or self._open:
            raise self._wrong(f"is no sample: {line[:_SHOWN].strip()!r}")

    def _comment(self, line: str) -> None:
        if self._open and line == "# EOF":
            self._ended = True
            return
        match = _ABOUT.fullmatch(line)
        if match is None:
            if self._open or re.match(r"#[ \t]+(TYPE|HELP)\b", line):
                raise self._wrong(f"is no comment that the format knows: {line[:_SHOWN]!r}")
            return
        if match["word"] == "TYPE":
            name = match["name"]
            self._typed(_unquoted(name) if name.startswith('"') else name, (match["rest"] or "").strip())

    def _typed(self, name: str, kind: str) -> None:
        if kind not in (_OPEN_TYPES if self._open else _TYPES):
            raise self._wrong(f"gives {name[:_SHOWN]} the type {kind[:20]!r}, and there is none of that name")
        if name in self._types:
            raise self._wrong(f"gives {name[:_SHOWN]} a type for the second time")
        if any(name + suffix in self._lines for suffix in ("", *(_SUFFIXES if self._open else ()))):
            raise self._wrong(f"gives {name[:_SHOWN]} a type after its samples")
        self._types[name] = kind

    def _wrong(self, what: str) -> NotTaken:
        return NotTaken(f"line {self._number} {what}")


def _sample_of(match: re.Match[str], open_metrics: bool) -> Exposed:
    labels, names = {}, []
    for pair in _PAIR.finditer(match["labels"] or match["only"] or ""):
        key = _unquoted(pair["key"]) if pair["key"].startswith('"') else pair["key"]
        if pair["value"] is None:
            names.append(key)
        elif key in labels:
            raise NotTaken(f"a sample has the label {key[:_SHOWN]} twice")
        else:
            labels[key] = _unquoted(pair["value"])
    inside = labels.pop("__name__", None) if match["only"] else None
    outside = match["plain"] or match["name"]
    if len(names) + sum(name is not None for name in (inside, outside)) != 1:
        raise NotTaken("a sample names its metric twice")
    at = None if match["at"] is None else float(match["at"]) / (1 if open_metrics else 1000)
    return Exposed(outside or inside or names[0], labels, float(match["value"]), at)


def _name_in(labels: str) -> str:
    """The name of a metric that stands among its labels: `{"a.name",x="y"}`, or as `__name__`."""
    for pair in _PAIR.finditer(labels):
        if pair["value"] is None:
            return _unquoted(pair["key"])
        if pair["key"] == "__name__":
            return _unquoted(pair["value"])
    return ""


def _unquoted(text: str) -> str:
    """What a quoted text means. A backslash before another character stands for itself, as in the format's grammar."""
    inside = text[1:-1]
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[0]), inside) if "\\" in inside else inside
