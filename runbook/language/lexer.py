"""The words of a condition: a text becomes tokens, in one pass over it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from runbook.language.durations import DurationError, parse_duration
from runbook.language.places import did_you_mean
from runbook.language.syntax import ConditionError

LONGEST_TEXT = 10_000
_LARGEST = Decimal("1e30")

# What a suffix stands for: the unit it is counted in, and the factor to get there.
_SUFFIXES: dict[str, tuple[str, Decimal]] = {
    "%": ("percent", Decimal(1)),
    "us": ("ms", Decimal("0.001")),
    "µs": ("ms", Decimal("0.001")),
    "ms": ("ms", Decimal(1)),
    "s": ("s", Decimal(1)),
    "m": ("s", Decimal(60)),
    "h": ("s", Decimal(3600)),
    "d": ("s", Decimal(86400)),
    "w": ("s", Decimal(604800)),
    "usd": ("usd", Decimal(1)),
    "USD": ("usd", Decimal(1)),
    "B": ("bytes", Decimal(1)),
} | {
    prefix + suffix: ("bytes", Decimal(step) ** power)
    for power, prefixes in enumerate(("kK", "M", "G", "T", "P"), start=1)
    for prefix in prefixes
    for suffix, step in (("B", 1000), ("iB", 1024))
}
_HINTS = {
    "=": "write == to compare",
    "&": "write and",
    "|": "write or",
    "!": "write not, or != to compare",
    "~": "patterns are not part of conditions",
    ":": "put text and times of day into quotes",
    "{": "a condition uses names as they are, without braces",
    "[": "a condition uses names as they are, without brackets",
    ".": "write 0.5 with the zero in front",
}
_SAME = {"≤": "<=", "≥": ">=", "≠": "!=", "±": "+-"}
_UNITS_APART = "|".join(sorted(map(re.escape, _SUFFIXES), key=len, reverse=True))
_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<text>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
    r"|(?P<money>\$\s?\d+(?:\.\d+)?)"
    r"|(?P<date>\d{4}-\d\d-\d\d)"
    r"|(?P<duration>(?:\d+(?:\.\d+)?(?:ms|[smhdw])){2,}(?!\w))"
    r"|(?P<version>\d+\.\d+\.\d[\w.]*)"
    rf"|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d{{1,3}}(?!\w))?)(?P<suffix>\s?(?:{_UNITS_APART})(?!\w)|[^\W\d]\w*)?"
    r"|(?P<word>[^\W\d]\w*(?:[-.]\w+)*)"
    r"|(?P<operator>\+-|<=|>=|==|!=|[≤≥≠±<>+*/(),@-])"
)


@dataclass(frozen=True)
class Token:
    """One word. `kind` is number, text, word, operator or end; numbers carry value and unit."""

    kind: str
    text: str
    start: int
    end: int
    value: Decimal = Decimal(0)
    unit: str | None = None

    @property
    def width(self) -> int:
        return max(1, self.end - self.start)


def tokens_of(text: str) -> list[Token]:
    """The tokens of `text`, an `end` last. Raises ConditionError where something is no token."""
    if len(text) > LONGEST_TEXT:
        raise ConditionError(f"this condition has {len(text):,} characters; {LONGEST_TEXT:,} are read at most")
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unexpected(text, position)
        if match.lastgroup != "space":
            tokens.append(_token(match))
        position = match.end()
    tokens.append(Token("end", "", len(text), len(text)))
    return tokens


def _unexpected(text: str, position: int) -> ConditionError:
    character = text[position]
    if character in "\"'":
        return ConditionError("this text has no closing quote", position, len(text) - position, f"add {character}")
    if character == "$":
        return ConditionError("an amount is missing after $", position, 1, "write $40; names are used without $")
    return ConditionError(f"{character!r} has no meaning here", position, 1, _HINTS.get(character, ""))


def _token(match: re.Match[str]) -> Token:
    start, end, found = match.start(), match.end(), match.group()
    if match["number"]:
        return _number(match)
    if match["date"]:
        raise ConditionError(f"{found} reads as a subtraction", start, end - start, f'put it into quotes: "{found}"')
    if match["money"]:
        return Token("number", found, start, end, _small(Decimal(found[1:].strip()), start, end), "usd")
    if match["duration"]:
        return Token("number", found, start, end, _duration(found, start), "s")
    if match["version"]:
        return Token("number", found, start, end, unit="version")
    if match["text"]:
        return Token("text", re.sub(r"\\(.)", r"\1", found[1:-1], flags=re.DOTALL), start, end)
    if match["word"]:
        return Token("word", found, start, end)
    return Token("operator", _SAME.get(found, found), start, end)


def _number(match: re.Match[str]) -> Token:
    start, end, suffix = match.start(), match.end(), (match["suffix"] or "").strip()
    value = Decimal(match["number"])
    if not suffix:
        return Token("number", match.group(), start, end, _small(value, start, end))
    if suffix not in _SUFFIXES:
        hint = did_you_mean(suffix, _SUFFIXES) or "known are % ms s m h d w usd B kB MB GB KiB MiB GiB"
        if suffix in ("k", "K", "M"):
            hint = "write the number in full, or a unit: 20MB, 20MiB"
        raise ConditionError(f"unknown unit {suffix!r}", match.end() - len(suffix), len(suffix), hint)
    unit, factor = _SUFFIXES[suffix]
    return Token("number", match.group(), start, end, _small(value * factor, start, end), unit)


def _small(value: Decimal, start: int, end: int) -> Decimal:
    if value > _LARGEST:
        raise ConditionError("this number is too large to mean anything", start, end - start)
    return value


def _duration(text: str, start: int) -> Decimal:
    try:
        return Decimal(repr(parse_duration(text)))
    except DurationError as error:
        raise ConditionError(str(error), start, len(text)) from error
