"""The section `severities`: how fast somebody has to answer, and when each is proposed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runbook.playbook.model import Severity
from runbook.playbook.nodes import MapNode, Node, ScalarNode
from runbook.playbook.reading import Broken, Reading
from runbook.playbook.records import Key, Record
from runbook.playbook.shapes import Duration, OneOf, Schema
from runbook.playbook.written import ConditionText

SEVERITIES = ("P0", "P1", "P2", "P3")
ALSO_SEVERITIES = {"critical": "P0", "high": "P1", "medium": "P2", "low": "P3"}
SEVERITY = OneOf(SEVERITIES, ALSO_SEVERITIES)

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
