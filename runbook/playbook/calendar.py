"""The section `calendar`, and the `cadence` of a stage: when it may go up, and how often a person looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runbook.judge.calendar import (
    Calendar,
    CalendarError,
    Freeze,
    Window,
    parse_freeze_edge,
    parse_windows,
    zone_problem,
)
from runbook.judge.watched import Pace
from runbook.playbook.nodes import ListNode, MapNode, Node
from runbook.playbook.reading import Reading
from runbook.playbook.records import Key, ListOf, Record
from runbook.playbook.shapes import Duration, Schema, Text, scalar


@dataclass(frozen=True)
class Zone:
    """The name of a time zone, such as Europe/Berlin."""

    def read(self, node: Node, reading: Reading) -> str:
        text = scalar(node, reading, "a time zone such as Europe/Berlin").text
        if problem := zone_problem(text):
            message, _, hint = problem.partition("; ")
            raise reading.wrong(node.place, message, hint)
        return text

    def schema(self) -> Schema:
        return {"type": "string"}


@dataclass(frozen=True)
class Windows:
    """When a step up may be made: `Mon-Thu 09:00-16:00`, or several."""

    def read(self, node: Node, reading: Reading) -> tuple[Window, ...]:
        found: list[Window] = []
        for item in node.items if isinstance(node, ListNode) else (node,):
            written = scalar(item, reading, "times such as Mon-Thu 09:00-16:00")
            try:
                found += parse_windows(written.text)
            except CalendarError as error:
                raise reading.wrong(written.part(error.start, error.width), error.message, error.hint) from None
        return tuple(found)

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}


@dataclass(frozen=True)
class Edge:
    """The first or the last day (or moment) of a freeze."""

    end: bool

    def read(self, node: Node, reading: Reading) -> str:
        written = scalar(node, reading, "a day such as 2025-12-20")
        try:
            parse_freeze_edge(written.text, self.end)
        except CalendarError as error:
            raise reading.wrong(written.part(error.start, error.width), error.message, error.hint) from None
        return written.text

    def schema(self) -> Schema:
        return {"type": "string"}


FREEZE_KEYS: Mapping[str, Key[Any]] = {
    "from": Key(Edge(end=False), "its first day, or moment", required=True),
    "to": Key(Edge(end=True), "its last day, or moment", required=True),
    "why": Key(Text("a reason"), "why nothing goes up then", required=True),
}


def make_freeze(values: dict[str, Any], node: MapNode, reading: Reading) -> Freeze:
    start, end = parse_freeze_edge(values["from"], False), parse_freeze_edge(values["to"], True)
    if end <= start:
        raise reading.wrong(node.entries["to"].node.place, "the freeze ends before it begins")
    return Freeze(start=start, end=end, why=values["why"])


CALENDAR_KEYS: Mapping[str, Key[Any]] = {
    "timezone": Key(Zone(), "the zone of its times, and of ${today} and ${month} (UTC)"),
    "ramp": Key(Windows(), "when a step up may be made (always)"),
    "freeze": Key(ListOf(Record("a freeze", FREEZE_KEYS, make_freeze)), "when no step up may be made, and why"),
}


def make_calendar(values: dict[str, Any], node: MapNode, reading: Reading) -> Calendar:
    return Calendar(
        timezone=values.get("timezone", "UTC"), windows=values.get("ramp", ()), freezes=values.get("freeze", ())
    )


CALENDAR = Record("the calendar", CALENDAR_KEYS, make_calendar)

PACE_KEYS: Mapping[str, Key[Any]] = {
    "every": Key(Duration(zero=False), "how often a person looks", required=True),
    "for": Key(Duration(zero=False), "for how long, counted from the one before; without it until the end"),
}


def make_pace(values: dict[str, Any], node: MapNode, reading: Reading) -> Pace:
    return Pace(every=values["every"], for_=values.get("for"))


@dataclass(frozen=True)
class Cadence:
    """How often a person looks, one pace after the other; only the last may be without an end."""

    def read(self, node: Node, reading: Reading) -> tuple[Pace, ...]:
        paces = ListOf(Record("a cadence", PACE_KEYS, make_pace), single=True, filled=True).read(node, reading)
        for pace in paces[:-1]:
            if pace.for_ is None:
                raise reading.wrong(node.place, "only the last pace of a cadence may be without 'for'")
        return paces

    def schema(self) -> Schema:
        return ListOf(Record("a cadence", PACE_KEYS, make_pace), single=True, filled=True).schema()
