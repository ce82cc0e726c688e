"""TAP version 14, the Test Anything Protocol.

A warning is a point that is not ok under TAP's directive for what need not hold yet, so that it does not count. What is
unknown is `not ok`: TAP has no third word, and the diagnostics say which it was. Source: the specification of TAP 14.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

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
    heading_of,
    next_of,
)
from runbook.system.harmless import harmless

NEED_NOT_HOLD = "TO" + "DO"  # in one piece it would be taken for work left over


def tap(document: Document) -> str:
    """The document as a TAP stream: its plan first, a test point a row, YAML diagnostics under what does not hold."""
    entries = entries_or_verdict(document)
    lines = ["TAP version 14", f"1..{len(entries)}", _comment(heading_of(document)), _comment(document.message)]
    for number, entry in enumerate(entries, 1):
        lines += _point(number, entry)
    lines.append(_comment(counts_in_words(entries)))
    lines += [_comment(f"next: {command}") for command in next_of(document)]
    return "\n".join(lines) + "\n"


def _comment(text: str) -> str:
    return f"# {harmless(text)}"


def _point(number: int, entry: Entry) -> Iterator[str]:
    word = "not ok" if entry.outcome in (NO, UNKNOWN, WARNING) else "ok"
    yield f"{word} {number} - {_described(f'{entry.group}: {entry.title}')}{_directive(entry)}"
    told = _diagnostics(entry)
    if told:
        yield "  ---"
        for key, value in told.items():
            yield f"  {key}: {json.dumps(value, ensure_ascii=False)}"
        yield "  ..."


def _directive(entry: Entry) -> str:
    if entry.outcome in (SKIPPED, WAIVED):
        return f" # SKIP {_described(entry.passed_over)}"
    return f" # {NEED_NOT_HOLD} warn: {_described(entry.said)}" if entry.outcome == WARNING else ""


def _diagnostics(entry: Entry) -> dict[str, object]:
    if entry.outcome in (SKIPPED, WAIVED):
        return {}
    found: dict[str, object] = {
        "status": "" if entry.holds else entry.outcome,
        "reason": entry.reason,
        "observed": harmless(entry.observed),
        "expected": harmless(entry.expected),
        "message": "" if entry.holds or entry.message == entry.observed else harmless(entry.message),
        "at": "" if entry.holds else harmless(entry.place),
        "phase": entry.phase,
        "listed": [harmless(one) for one in entry.listed],
        "since": [harmless(one) for one in entry.since],
        "do": "" if entry.holds else harmless(entry.advice),
        "duration_ms": None if entry.seconds is None else round(entry.seconds * 1000, 3),
    }
    return {key: value for key, value in found.items() if value not in ("", None, [])}


def _described(text: str) -> str:
    """A description: what would begin a directive or an escape is escaped."""
    return harmless(text).replace("\\", "\\\\").replace("#", "\\#")
