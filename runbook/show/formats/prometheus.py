"""The text format that Prometheus scrapes, for the textfile collector of its node exporter.

States are sets: one series a state, of which exactly one is 1, so that a query never has to know a code.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import get_args

from msgspec import UnsetType

from runbook.rollout.danger import WORDS as STATES
from runbook.show.document_rows import CheckRow, LastGood, StatusWord
from runbook.show.documents import Document
from runbook.system.harmless import harmless

VERDICTS = ("go", "no-go", "unknown", "failed")
STATUSES = get_args(StatusWord)
LONGEST = 200  # characters of a label's value

Labels = Mapping[str, str]


@dataclass
class Family:
    """One metric of the exposition: its help, and its series in order."""

    name: str
    help: str
    series: list[tuple[Labels, float]] = field(default_factory=list)
    seen: set[tuple[tuple[str, str], ...]] = field(default_factory=set)

    def add(self, value: float, labels: Labels) -> None:
        """One series; the first of the same labels stays."""
        key = tuple(labels.items())
        if key not in self.seen:
            self.seen.add(key)
            self.series.append((labels, value))

    def states(self, labels: Labels, states: Iterable[str], state: str, *, name: str = "status") -> None:
        """A series for each state, 1 for the one that is true."""
        for one in states:
            self.add(float(one == state), {**labels, name: one})

    def lines(self) -> Iterator[str]:
        """The family as text; nothing where it has no series."""
        if self.series:
            yield f"# HELP {self.name} {_help(self.help)}"
            yield f"# TYPE {self.name} gauge"
        for labels, value in self.series:
            told = ",".join(f'{name}="{_label(text)}"' for name, text in labels.items())
            yield f"{self.name}{{{told}}} {_number(value)}"


def prometheus(document: Document) -> str:
    """The document as one exposition."""
    # The command is in every series: files of several commands may lie side by side in one collector's folder.
    here = {
        "command": document.command,
        "service": document.service or "",
        "environment": document.environment or "",
    }
    rooms = (_checks, _rules, _metrics, _problems, _whole)
    families = [family for room in rooms for family in room(document, here)]
    lines = [line for family in families for line in family.lines()]
    return "\n".join(lines) + "\n"


def _whole(document: Document, here: Labels) -> Iterator[Family]:
    verdict = Family("runbook_verdict", "Whether this is the verdict of the last run of the command.")
    verdict.states(here, VERDICTS, document.verdict, name="verdict")
    seconds = Family("runbook_duration_seconds", "How long the command took.")
    seconds.add(_seconds(document.duration_ms), here)
    looked = Family("runbook_last_look_timestamp_seconds", "When the command was last run.")
    looked.add(_moment(document.started_at), here)
    yield from (verdict, seconds, looked)
    if not isinstance(document.percent, UnsetType) and document.percent is not None:
        percent = Family("runbook_stage_percent", "The percentage that the command was about.")
        stage = document.stage if isinstance(document.stage, str) else ""
        percent.add(document.percent, {**here, "stage": stage})
        yield percent
    if isinstance(document.state, str):
        state = Family("runbook_state", "Whether this is where the service stands.")
        state.states(here, STATES, document.state, name="state")
        yield state


def _checks(document: Document, here: Labels) -> Iterator[Family]:
    status = Family("runbook_check", "Whether this is the status of the check; level warn does not count.")
    seconds = Family("runbook_check_duration_seconds", "How long the check took.")
    phases = Family("runbook_check_phase_seconds", "How long a part of the check's request took.")
    good = Family("runbook_check_last_good_timestamp_seconds", "When the check that does not hold passed last.")
    named: dict[tuple[str, str], int] = {}
    for row in _flat(() if isinstance(document.checks, UnsetType) else document.checks):
        times = named[row.checklist, row.id] = named.get((row.checklist, row.id), 0) + 1
        check = row.id if times == 1 else f"{row.id}-{times}"
        labels = {**here, "checklist": row.checklist, "check": check}
        status.states({**labels, "kind": row.kind, "level": row.level}, STATUSES, row.status)
        seconds.add(_seconds(row.duration_ms), labels)
        for phase, took in row.phases.items():
            phases.add(_seconds(took), {**labels, "phase": phase})
        if isinstance(row.last_good, LastGood):
            good.add(_moment(row.last_good.at), labels)
    yield from (status, seconds, phases, good)


def _flat(rows: Iterable[CheckRow]) -> Iterator[CheckRow]:
    for row in rows:
        yield row
        yield from _flat(row.checks)


def _rules(document: Document, here: Labels) -> Iterator[Family]:
    status = Family("runbook_rule", "Whether this is the status of the gate or rule.")
    counts = Family("runbook_rule_counts", "Whether the verdict rests on the rule.")
    for row in () if isinstance(document.rules, UnsetType) else document.rules:
        labels = {**here, "kind": row.kind, "rule": row.id, "title": row.title}
        status.states(labels, STATUSES, row.status)
        counts.add(float(row.counts), labels)
    yield from (status, counts)


def _metrics(document: Document, here: Labels) -> Iterator[Family]:
    values = Family("runbook_metric", "A metric of the playbook, in its unit; NaN where it could not be measured.")
    status = Family("runbook_metric_status", "Whether this is how the metric stands.")
    age = Family("runbook_metric_age_seconds", "How old the metric's newest sample was.")
    for row in () if isinstance(document.metrics, UnsetType) else document.metrics:
        labels = {**here, "metric": row.name}
        number = row.value if isinstance(row.value, int | float) else math.nan
        values.add(number, {**labels, "unit": row.unit or ""})
        status.states(labels, STATUSES, row.status)
        if row.age is not None:
            age.add(round(row.age, 3), labels)
    yield from (values, status, age)


def _problems(document: Document, here: Labels) -> Iterator[Family]:
    found = Family("runbook_problems", "How many problems of this level the command told.")
    if not isinstance(document.problems, UnsetType):
        for level in ("error", "warning"):
            found.add(sum(row.level == level for row in document.problems), {**here, "level": level})
    yield found


def _seconds(milliseconds: float) -> float:
    return round(milliseconds / 1000, 6)


def _moment(text: str) -> float:
    return round(datetime.fromisoformat(text).timestamp(), 3)


def _label(text: str) -> str:
    """A label's value: backslash, quote and line end are escaped, after everything else was made harmless."""
    shown = harmless(text, limit=LONGEST)
    return shown.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else repr(float(value))
