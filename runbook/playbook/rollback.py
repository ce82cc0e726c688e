"""The sections `rollback` and `severities`: the way back, and how fast somebody has to answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runbook.playbook.environments import FLAG_VALUES
from runbook.playbook.items import StepShape
from runbook.playbook.model import Rollback, Severity
from runbook.playbook.nodes import MapNode, Node, ScalarNode
from runbook.playbook.reading import Broken, Reading
from runbook.playbook.records import Key, ListOf, Record
from runbook.playbook.shapes import Duration, OneOf, Schema
from runbook.playbook.written import ConditionText

SEVERITIES = ("P0", "P1", "P2", "P3")
ALSO_SEVERITIES = {"critical": "P0", "high": "P1", "medium": "P2", "low": "P3"}
SEVERITY = OneOf(SEVERITIES, ALSO_SEVERITIES)


@dataclass(frozen=True)
class WayBack:
    """The values of the way back: a mapping, or `safe` (read as None) for the safe values of `flags`."""

    def read(self, node: Node, reading: Reading) -> dict[str, str] | None:
        if isinstance(node, ScalarNode):
            OneOf(("safe",)).read(node, reading)
            return None
        return FLAG_VALUES.read(node, reading)

    def schema(self) -> Schema:
        return {"anyOf": [{"const": "safe"}, FLAG_VALUES.schema()]}


ROLLBACK_KEYS: Mapping[str, Key[Any]] = {
    "set": Key(WayBack(), "the values to go back to, or `safe` (safe)"),
    "objective": Key(Duration(zero=False), "how long it may take"),
    "steps": Key(ListOf(StepShape()), "what else is looked at and done, in this order"),
    "incident": Key(SEVERITY, "the severity of the incident that it opens (P1)"),
}
ROLLBACK_NOT_YET = ("recovered", "partial", "checklist")


def make_rollback(values: dict[str, Any], node: MapNode, reading: Reading) -> Rollback:
    """The way back as written; `safe` is spelled out where the flags are known."""
    return Rollback(**{**values, "set": values.get("set") or {}})


ROLLBACK = Record("rollback", ROLLBACK_KEYS, make_rollback, ROLLBACK_NOT_YET)

SEVERITY_KEYS: Mapping[str, Key[Any]] = {
    "respond": Key(Duration(), "how soon somebody has to answer"),
    "when": Key(ConditionText("severity"), "when this severity is proposed"),
}


def make_severity(values: dict[str, Any], node: MapNode, reading: Reading) -> Severity:
    return Severity(**values)


@dataclass(frozen=True)
class Severities:
    """Severities under their own names or the accepted ones."""

    def read(self, node: Node, reading: Reading) -> dict[str, Severity]:
        shape = Record("a severity", SEVERITY_KEYS, make_severity)
        if not isinstance(node, MapNode):
            raise reading.wrong(node.place, "severities are a mapping", "write {P0: {respond: 5m}, ...}")
        read: dict[str, Severity] = {}
        for key, entry in node.entries.items():
            try:
                name = SEVERITY.read(ScalarNode(entry.place, key, key), reading)
                if name in read:
                    reading.wrong(entry.place, f"{name} stands twice: {key} is another name of it")
                read[name] = shape.read(entry.node, reading)
            except Broken:
                continue
        return read

    def schema(self) -> Schema:
        one = Record("a severity", SEVERITY_KEYS, make_severity).schema()
        names = [*SEVERITIES, *ALSO_SEVERITIES]
        return {"type": "object", "additionalProperties": one, "propertyNames": {"enum": names}}
