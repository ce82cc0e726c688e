"""What leads down again: the actions of rules, the `fallback` of a stage, the partial way back, and the `matrix`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runbook.judge.rules import ACTIONS
from runbook.playbook.bakes import BakeShape
from runbook.playbook.items import ActionShape
from runbook.playbook.model import Bake, Fallback, MatrixRow, Partial
from runbook.playbook.nodes import ListNode, MapNode, Node, ScalarNode
from runbook.playbook.reading import Reading
from runbook.playbook.records import Key, ListOf, Record
from runbook.playbook.severities import SEVERITY
from runbook.playbook.shapes import Duration, Number, OneOf, Schema
from runbook.playbook.written import ConditionText

THEN = OneOf(tuple(ACTIONS))
WAYS = ("previous", "rollback")
PERCENT = Number(least=0, most=100)


@dataclass(frozen=True)
class FallbackShape:
    """What a stage does when there are issues: a percentage, `previous`, `rollback`, or an action."""

    def read(self, node: Node, reading: Reading) -> Fallback:
        if isinstance(node, MapNode):
            return Fallback(action=ActionShape("Fall back").read(node, reading))
        if isinstance(node, ScalarNode) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
            return Fallback(percent=float(PERCENT.read(node, reading)))
        return Fallback(way=OneOf(WAYS).read(node, reading))

    def schema(self) -> Schema:
        return {"anyOf": [PERCENT.schema(), {"enum": list(WAYS)}, {"$ref": "#/$defs/undo"}]}


@dataclass(frozen=True)
class FallingLadder:
    """The percentages of the partial way back, falling."""

    def read(self, node: Node, reading: Reading) -> tuple[float, ...]:
        percents = tuple(float(one) for one in ListOf(PERCENT, filled=True).read(node, reading))
        places = node.items if isinstance(node, ListNode) else (node,)
        for before, after, at in zip(percents, percents[1:], places[1:], strict=False):
            if after >= before:
                raise reading.wrong(at.place, f"{after:g} follows {before:g}: this ladder goes down")
        return percents

    def schema(self) -> Schema:
        return ListOf(PERCENT, filled=True).schema()


PARTIAL_KEYS: Mapping[str, Key[Any]] = {
    "ladder": Key(FallingLadder(), "its percentages, falling: [100, 50, 25, 10]", required=True),
    "bake": Key(BakeShape(), "how long each is watched before it goes further down"),
}


def make_partial(values: dict[str, Any], node: MapNode, reading: Reading) -> Partial:
    return Partial(ladder=values["ladder"], bake=values.get("bake") or Bake())


PARTIAL = Record("rollback.partial", PARTIAL_KEYS, make_partial)

MATRIX_KEYS: Mapping[str, Key[Any]] = {
    "when": Key(ConditionText("matrix"), "the condition of this row", required=True),
    "then": Key(THEN, "what is done", required=True),
    "severity": Key(SEVERITY, "how grave it is"),
    "within": Key(Duration(), "how long people have; after that an armed watcher does it"),
}


def make_row(values: dict[str, Any], node: MapNode, reading: Reading) -> MatrixRow:
    return MatrixRow(**values)


MATRIX = ListOf(Record("a row of the matrix", MATRIX_KEYS, make_row))
