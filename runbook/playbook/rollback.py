"""The section `rollback`: the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runbook.playbook.environments import FLAG_VALUES
from runbook.playbook.items import StepShape
from runbook.playbook.model import Rollback
from runbook.playbook.nodes import MapNode, Node, ScalarNode
from runbook.playbook.reading import Reading
from runbook.playbook.records import Key, ListOf, Record
from runbook.playbook.severities import SEVERITY
from runbook.playbook.shapes import Duration, OneOf, Schema, Text
from runbook.playbook.ways_down import PARTIAL
from runbook.playbook.written import ConditionText


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
    "recovered": Key(ConditionText("recovered"), "when the numbers count as recovered; watched after the way back"),
    "partial": Key(PARTIAL, "the way back in parts: rollback --partial, and the action halve"),
    "checklist": Key(ListOf(Text("a line of the checklist")), "what people do after it; opens in the incident"),
}


def make_rollback(values: dict[str, Any], node: MapNode, reading: Reading) -> Rollback:
    """The way back as written; `safe` is spelled out where the flags are known."""
    return Rollback(**{**values, "set": values.get("set") or {}})


ROLLBACK = Record("rollback", ROLLBACK_KEYS, make_rollback)
