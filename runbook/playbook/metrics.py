"""The section `metrics`: numbers that are watched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runbook.checks.base import Check
from runbook.language.units import UNITS
from runbook.playbook.items import CHECK_KEYS, CHECK_KINDS
from runbook.playbook.kinds import choose_kind, own_keys, read_options
from runbook.playbook.model import Metric
from runbook.playbook.nodes import MapNode, Node, described
from runbook.playbook.reading import NamedCheck, Reading
from runbook.playbook.records import Key, MapOf, fields_of
from runbook.playbook.shapes import Duration, Number, OneOf, Schema, Text
from runbook.playbook.written import ConditionText

METRIC_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,63}"
POLICY = OneOf(("hold", "fail", "pass", "keep"))
METRIC_KEYS: Mapping[str, Key[Any]] = {
    "unit": Key(OneOf(tuple(UNITS)), "what the number counts; conditions on it are checked against that"),
    "target": Key(ConditionText("limit"), 'what it should be: "< 2%"'),
    "warning": Key(ConditionText("limit"), "when health-check warns"),
    "critical": Key(ConditionText("limit"), "when health-check says no"),
    "interval": Key(Duration(zero=False), "how often a machine looks (30s)"),
    "max_age": Key(Duration(zero=False), "an older value is no data (three intervals)"),
    "min_samples": Key(Number(least=1, whole=True), "fewer samples are no data (1)"),
    "covers": Key(OneOf(("all", "treated")), "whether it counts all traffic or only the changed share (all)"),
    "n": Key(Text("the name of a metric", METRIC_NAME), "the metric that counts the requests it rests on"),
    "is": Key(OneOf(("gauge", "counter")), "a number that goes up and down, or one that only grows (gauge)"),
    "on_nodata": Key(POLICY, "what no data means (hold)"),
    "on_error": Key(POLICY, "what an unanswered question means (hold)"),
}
METRICS_NOT_YET = ("deadline", "at_deadline", "attribution", "good", "total")
FED_KEYS: Mapping[str, Key[Any]] = {
    "counter": Key(Text("the name of a counter", METRIC_NAME), "counts the notes of this kind: runbook note NAME"),
    "value": Key(Number(), "a constant with a name"),
}
ASKED_KEYS = {key: CHECK_KEYS[key] for key in ("timeout", "attempts", "reads")}
"""What a metric that is asked for has in common with checks."""


@dataclass(frozen=True)
class MetricShape:
    """One metric: a check that yields a number, a counter that people feed, or a constant."""

    def read(self, node: Node, reading: Reading) -> Metric:
        if not isinstance(node, MapNode):
            hint = "write {http: /metrics, jq: .name}, {counter: NAME} or {value: 50}"
            raise reading.wrong(node.place, f"{described(node)} stands where a metric belongs", hint)
        fed = [key for key in FED_KEYS if key in node.entries]
        if len(fed) > 1 or (fed and any(key in CHECK_KINDS.kinds for key in node.entries)):
            at = node.entries[fed[-1]].place
            raise reading.wrong(at, "a metric is asked for, or fed by people, or a constant; here are two of these")
        if not fed:
            return self.asked(node, reading)
        values = fields_of(node, {**METRIC_KEYS, **FED_KEYS}, reading, "a metric", METRICS_NOT_YET)
        return Metric(name=reading.within, **renamed(values))

    def asked(self, node: MapNode, reading: Reading) -> Metric:
        """A metric that a check yields."""
        known = {**METRIC_KEYS, **ASKED_KEYS}
        name = reading.within
        kind = choose_kind(node, CHECK_KINDS, (*known, *FED_KEYS, *METRICS_NOT_YET), reading, node.place)
        own = own_keys(CHECK_KINDS, kind)
        shared = MapNode(node.place, {key: entry for key, entry in node.entries.items() if key not in own})
        values = fields_of(shared, known, reading, f"a metric of the kind '{kind}'", METRICS_NOT_YET)
        options_only = MapNode(node.place, {key: entry for key, entry in node.entries.items() if key in own})
        cls = CHECK_KINDS.options(kind)
        assert cls is not None  # the kind was chosen among those that can be used
        options = read_options(options_only, cls, kind, known, reading, "metric")
        if options.alone():
            reading.wrong(node.entries[kind].place, f"a {kind} is no metric: every look would send it", "a checklist")
        if not options.takes_value():
            hint = "take it out: jq: .name" if kind in ("http", "command", "run") else ""
            reading.wrong(node.entries[kind].place, f"the metric {name} yields no number", hint)
        reading.checks.append(NamedCheck(f"metrics/{name}", node.place))
        common = {key: values.pop(key) for key in ASKED_KEYS if key in values}
        check = Check(title=name, id=name, kind=kind, options=options, checklist="metrics", **common)
        return Metric(name=name, check=check, **renamed(values))

    def schema(self) -> Schema:
        return {"$ref": "#/$defs/metric"}


def renamed(values: dict[str, Any]) -> dict[str, Any]:
    """`is` is a word of Python's."""
    return {"is_" if key == "is" else key: value for key, value in values.items()}


METRICS = MapOf(
    MetricShape(),
    "the name of a metric",
    METRIC_NAME,
    "letters, digits and '_', beginning with a letter",
    remember=True,
)
