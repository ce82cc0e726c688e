"""The output of a monitoring plugin: one line with performance data, and lines that a console shows on demand.

Source: Monitoring Plugins Development Guidelines (plugin output, performance data, thresholds and ranges).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from msgspec import UnsetType

from runbook.language.conditions import ConditionError, parse_condition
from runbook.language.syntax import Comparison, Name, Number
from runbook.language.units import UNITS
from runbook.show.document_rows import MetricRow
from runbook.show.documents import Document
from runbook.show.formats.entries import (
    NO,
    OK,
    UNKNOWN,
    WAIVED,
    WARNING,
    Entry,
    counted,
    entries_of,
    next_of,
)
from runbook.show.formats.status import nagios_status
from runbook.system.harmless import harmless
from runbook.system.refusals import Exit

MOST_TIMES = 50  # checks whose time becomes performance data
LONGEST_LINE, LONGEST = 1000, 8000  # characters; readers of plugins cut at 8 KiB, some at 4
# The unit that the guidelines know, the least and the largest value; a share is a bare number from 0 to 1.
UOM = {"ms": ("ms", "0", ""), "s": ("s", "0", ""), "percent": ("%", "0", "100"), "bytes": ("B", "0", "")}
SHARE = ("", "0", "1")
RANGES = {">": "{}", ">=": "@{}:", "<": "{}:", "<=": "@~:{}"}  # when an alert is raised


def nagios(document: Document) -> str:
    """The document as a plugin says it."""
    entries = entries_of(document)
    first = harmless(_clean(f"{_word(document, entries)} - {_summary(document, entries)}"), limit=LONGEST_LINE)
    data = " ".join(_performance(document, entries))
    lines = [f"{first} | {data}" if data else first]
    room = LONGEST - len(lines[0])
    for line in (*_long(entries), *(f"next: {command}" for command in next_of(document))):
        room -= len(line) + 1
        if room < 0:
            lines.append("(more: --format table)")
            break
        lines.append(harmless(_clean(line)))
    return "\n".join(lines) + "\n"


def status_of(document: Document, code: Exit) -> int:
    """The exit status that the plugin ends with. Where a service stands is told with exit 0; its state decides then."""
    counts = counted(entries_of(document))
    if code is Exit.GO and isinstance(document.state, str):
        code = Exit.NO_GO if NO in counts else Exit.UNKNOWN if UNKNOWN in counts else code
    return nagios_status(code, warns=WARNING in counts)


def _word(document: Document, entries: list[Entry]) -> str:
    if isinstance(document.state, str):
        return document.state
    if document.verdict == "go":
        return "WARNING" if WARNING in counted(entries) else "GO"
    return "NO-GO" if document.verdict == "no-go" else document.verdict.upper()


def _summary(document: Document, entries: list[Entry]) -> str:
    """`2 of 9 fail: Backup is fresh: 31 h old; ...`, or what was refused."""
    counts = counted(entries)
    told_at_once = document.exit_reason not in ("go", "no-go", "unknown") or isinstance(document.state, str)
    if told_at_once or not entries:
        return document.message
    judged = sum(counts.get(word, 0) for word in (OK, NO, UNKNOWN, WARNING, WAIVED))
    words = {NO: "fail", UNKNOWN: "unknown", WARNING: "warn"}
    told = [f"{counts[word]} of {judged} {said}" for word, said in words.items() if word in counts]
    against = [f"{entry.title}: {entry.said}".rstrip(": ") for entry in _by_gravity(entries) if not entry.holds]
    return f"{', '.join(told)}: {'; '.join(against)}" if told else f"{counts.get(OK, 0)} of {judged} hold"


def _by_gravity(entries: Iterable[Entry]) -> list[Entry]:
    order = {NO: 0, UNKNOWN: 1, WARNING: 2}
    return sorted(entries, key=lambda entry: order.get(entry.outcome, 3))


def _long(entries: Iterable[Entry]) -> Iterator[str]:
    for entry in _by_gravity(entries):
        yield entry.line_of_text
        if not entry.holds:
            yield from (f"    {line}" for line in entry.told())


def _clean(text: str) -> str:
    """Without what ends the text of a plugin: the bar, and line ends, also those written out."""
    return text.replace("|", "¦").replace("\n", " ").replace("\\n", " ")


def _performance(document: Document, entries: list[Entry]) -> Iterator[str]:
    metrics = () if isinstance(document.metrics, UnsetType) else document.metrics
    used: set[str] = set()
    for row in metrics:
        if isinstance(row.value, int | float) and math.isfinite(row.value):
            unit, least, most = SHARE if row.unit == "ratio" else UOM.get(row.unit or "", ("", "", ""))
            limits = f"{_range(row.warning, row)};{_range(row.critical, row)};{least};{most}"
            yield f"{_label(row.name, used)}={_number(row.value)}{unit};{limits}".rstrip(";")
    counts = counted(entries)
    if entries:
        for word in (NO, UNKNOWN, WARNING):
            yield f"{_label(word, used)}={counts.get(word, 0)};;;0;{len(entries)}"
    for entry in [one for one in entries if one.seconds is not None][:MOST_TIMES]:
        yield f"{_label(f'{entry.name} time', used)}={_number(entry.seconds or 0.0)}s;;;0"
    yield f"{_label('time', used)}={_number(document.duration_ms / 1000)}s;;;0"


def _label(name: str, used: set[str]) -> str:
    """A label, quoted; no equals sign and no quote may stand in it, and none is used twice."""
    label = _clean(harmless(name, limit=60)).replace("=", " ").replace("'", " ").strip() or "unnamed"
    number, made = 1, label
    while made in used:
        number += 1
        made = f"{label} {number}"
    used.add(made)
    return f"'{made}'"


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".") if abs(value) < 1e15 else f"{value:.0f}"


def _range(limit: str | None, row: MetricRow) -> str:
    """A limit as a range of the guidelines, in the metric's unit; empty where it is more than one comparison."""
    if not limit:
        return ""
    try:
        root = parse_condition(limit, row.name).root
    except ConditionError:
        return ""
    if not isinstance(root, Comparison) or not isinstance(root.right, Number) or root.operator not in RANGES:
        return ""
    if not isinstance(root.left, Name) or root.left.name != row.name or root.left.reference:
        return ""
    number = root.right.value
    if root.right.unit in UNITS and row.unit in UNITS:
        number = number * UNITS[root.right.unit].factor / UNITS[row.unit].factor
    return RANGES[root.operator].format(_number(float(number)))
