"""The generated parts of a document, and what people wrote around them. Pure.

A generated part stands between two lines, `<!-- runbook:begin NAME of OWNER -->` and `<!-- runbook:end NAME -->`. When
the document is made again, each part is replaced by the new one of the same name; every other byte stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_BEGIN = re.compile(r"<!-- runbook:begin (?P<name>\S+) of (?P<owner>\S+) -->\s*")
_END = re.compile(r"<!-- runbook:end (?P<name>\S+) -->\s*")
WHOLE = "report"


class PartsDamaged(Exception):  # noqa: N818 - it is told, not a fault of ours
    """Markers that do not go together; `line` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


@dataclass(frozen=True)
class Part:
    """A generated part: its lines from `first` to `last`, markers included, counted from 0."""

    name: str
    owner: str
    first: int
    last: int


@dataclass(frozen=True)
class Merged:
    """A document made again. `left_out` are generated parts that people had removed, and that stay so."""

    text: str
    left_out: tuple[str, ...]


def begin_marker(name: str, owner: str) -> str:
    """The line before a generated part."""
    return f"<!-- runbook:begin {name} of {owner} -->"


def end_marker(name: str) -> str:
    """The line after it."""
    return f"<!-- runbook:end {name} -->"


def parts_of(text: str) -> tuple[Part, ...]:
    """The generated parts of a document, in their order. Raises `PartsDamaged`."""
    parts: list[Part] = []
    opened: tuple[str, str, int] | None = None
    for number, line in enumerate(_lines(text)):
        if begin := _BEGIN.fullmatch(line):
            if opened is not None:
                raise PartsDamaged(number + 1, f"the part {opened[0]} has no end before this line")
            opened = (begin["name"], begin["owner"], number)
        elif end := _END.fullmatch(line):
            if opened is None or opened[0] != end["name"]:
                raise PartsDamaged(number + 1, f"the part {end['name']} ends here and did not begin")
            parts.append(Part(*opened, number))
            opened = None
    if opened is not None:
        raise PartsDamaged(opened[2] + 1, f"the part {opened[0]} begins here and has no end")
    return tuple(parts)


def owner_of(text: str) -> str | None:
    """Whose document it is, by its first generated part; None for one without. Raises `PartsDamaged`."""
    parts = parts_of(text)
    return parts[0].owner if parts else None


def marked(text: str, owner: str) -> str:
    """A made document with its parts marked: one that marks none (somebody's own template) is one part as a whole."""
    if parts_of(text):
        return text
    return f"{begin_marker(WHOLE, owner)}\n{text.rstrip()}\n{end_marker(WHOLE)}\n"


def merge(present: str, made: str) -> Merged:
    """`present` with its generated parts replaced by those of `made`. Line ends stay as they are in `present`.

    Raises `PartsDamaged` when the markers of `present` do not go together.
    """
    newline = "\r\n" if "\r\n" in present else "\n"
    fresh_lines = _lines(made)
    fresh = {part.name: fresh_lines[part.first : part.last + 1] for part in parts_of(made)}
    lines, kept, at = _lines(present), [], 0
    found = parts_of(present)
    for part in found:
        kept += lines[at : part.first]
        replaced = fresh.get(part.name)
        if replaced is None:
            kept += lines[part.first : part.last + 1]
        else:
            kept += [line.rstrip("\r\n") + newline for line in replaced[:-1]]
            kept.append(replaced[-1].rstrip("\r\n") + _ending(lines[part.last]))
        at = part.last + 1
    kept += lines[at:]
    names = {part.name for part in found}
    return Merged("".join(kept), tuple(name for name in fresh if name not in names))


def _lines(text: str) -> list[str]:
    """The lines with their ends; only line feeds end one, as editors count them."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _ending(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]
