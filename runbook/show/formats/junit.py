"""JUnit XML, as CI servers read it.

A row that says no is a failure, one that is unknown an error, a waived or skipped one is skipped with its reason, and a
warning is a passing case that says so on its standard output. Source of the shape: the schema that Jenkins publishes
for its JUnit reports, of which other CI servers read a part.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from runbook.show.documents import Document
from runbook.show.formats.entries import (
    NO,
    SKIPPED,
    UNKNOWN,
    WAIVED,
    WARNING,
    Entry,
    counts_in_words,
    entries_or_verdict,
    next_of,
)
from runbook.system.harmless import harmless

# Everything that XML 1.0 has no place for, not even as an entity.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(document: Document) -> str:
    """The document as one report with a suite for each checklist (or kind of rule)."""
    entries = entries_or_verdict(document)
    root = ET.Element("testsuites", _totals(entries, f"runbook {document.command}".strip()))
    root.set("time", _seconds(document.duration_ms / 1000))
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.group, []).append(entry)
    for number, (group, rows) in enumerate(groups.items()):
        suite = ET.SubElement(root, "testsuite", _totals(rows, group))
        suite.attrib |= {
            "skipped": str(_count(rows, SKIPPED, WAIVED)),
            "time": _seconds(sum(row.seconds or 0.0 for row in rows)),
            "timestamp": document.started_at[:19],
        }
        if number == 0:
            _properties(suite, document, entries)
        for row in rows:
            _case(suite, row, document)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _totals(entries: list[Entry], name: str) -> dict[str, str]:
    return {
        "name": _legal(name),
        "tests": str(len(entries)),
        "failures": str(_count(entries, NO)),
        "errors": str(_count(entries, UNKNOWN)),
    }


def _count(entries: list[Entry], *outcomes: str) -> int:
    return sum(entry.outcome in outcomes for entry in entries)


def _properties(suite: ET.Element, document: Document, entries: list[Entry]) -> None:
    told = {
        "verdict": document.verdict,
        "exit_reason": document.exit_reason,
        "service": document.service or "",
        "environment": document.environment or "",
        "message": document.message,
        "counts": counts_in_words(entries),
        "next": "; ".join(next_of(document)),
    }
    properties = ET.SubElement(suite, "properties")
    for name, value in told.items():
        if value:
            ET.SubElement(properties, "property", {"name": name, "value": _legal(value)})


def _case(suite: ET.Element, entry: Entry, document: Document) -> None:
    place = [document.service, document.environment, entry.group]
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "classname": _legal(".".join(part for part in place if part)),
            "name": _legal(entry.title),
            "time": _seconds(entry.seconds or 0.0),
        },
    )
    told = "\n".join(entry.told())
    if entry.outcome in (NO, UNKNOWN):
        tag, kind = ("failure", entry.kind) if entry.outcome == NO else ("error", entry.reason or entry.status)
        child = ET.SubElement(case, tag, {"message": _legal(_headline(entry)), "type": _legal(kind)})
        child.text = _legal("\n".join(filter(None, (entry.place, told)))) or None
    elif entry.outcome in (SKIPPED, WAIVED):
        ET.SubElement(case, "skipped", {"message": _legal(entry.passed_over)})
    elif entry.outcome == WARNING:
        said = "\n".join(filter(None, (f"warning: {_headline(entry)}", entry.place, told)))
        ET.SubElement(case, "system-out").text = _legal(said)
    elif entry.said:
        ET.SubElement(case, "system-out").text = _legal(entry.said)


def _headline(entry: Entry) -> str:
    """What was seen and what was wanted, on one line."""
    wanted = f", wanted {entry.expected}" if entry.expected else ""
    return f"{entry.said or entry.title}{wanted}"


def _seconds(seconds: float) -> str:
    return f"{max(0.0, seconds):.3f}"


def _legal(text: str) -> str:
    """Text that an XML 1.0 document can hold; what it cannot is written out visibly."""
    return _ILLEGAL.sub(lambda found: f"\\u{ord(found[0]):04x}", harmless(text, lines=True))
