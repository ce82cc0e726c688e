"""The section `stages`: the ladder, with what it takes to go up and what makes it come down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runbook.playbook.bakes import BakeShape
from runbook.playbook.calendar import Cadence
from runbook.playbook.environments import FLAG_VALUES
from runbook.playbook.items import EnvironmentNames, SignShape
from runbook.playbook.metrics import POLICY
from runbook.playbook.model import Gate, Rung, Stage, Trigger
from runbook.playbook.nodes import ListNode, MapNode, Node, ScalarNode
from runbook.playbook.reading import Broken, Reading
from runbook.playbook.records import Key, ListOf, Record, fields_of, record_schema
from runbook.playbook.shapes import Duration, Number, OneOf, Schema, Text, Truth
from runbook.playbook.sign_offs import SignOffs
from runbook.playbook.ways_down import THEN, FallbackShape
from runbook.playbook.written import ConditionText

STAGE_NAME = r"(?![0-9.]+$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
PERCENT = Number(least=0, most=100)
COUNT = Number(least=1, whole=True)

RUNG_KEYS: Mapping[str, Key[Any]] = {
    "to": Key(PERCENT, "the percentage", required=True),
    "bake": Key(BakeShape(), "how long it is watched; else the stage's"),
}


@dataclass(frozen=True)
class RungShape:
    """One percentage: a number, or `{to: 10, bake: 24h}`."""

    def read(self, node: Node, reading: Reading) -> Rung:
        if isinstance(node, MapNode):
            values = fields_of(node, RUNG_KEYS, reading, "a rung")
            return Rung(percent=float(values["to"]), bake=values.get("bake"))
        return Rung(percent=float(PERCENT.read(node, reading)))

    def schema(self) -> Schema:
        return {"anyOf": [PERCENT.schema(), record_schema(RUNG_KEYS)]}


@dataclass(frozen=True)
class Rungs:
    """The percentages of a stage, rising: `10`, `[50, 100]`, `[{to: 10, bake: 24h}, {to: 100, bake: 72h}]`."""

    def read(self, node: Node, reading: Reading) -> tuple[Rung, ...]:
        rungs = ListOf(RungShape(), single=True, filled=True).read(node, reading)
        places = node.items if isinstance(node, ListNode) else (node,)
        for before, after, at in zip(rungs, rungs[1:], places[1:], strict=False):
            if after.percent <= before.percent:
                message = f"{after.percent:g} follows {before.percent:g}: the percentages of a stage rise"
                raise reading.wrong(at.place, message)
        return rungs

    def schema(self) -> Schema:
        return ListOf(RungShape(), single=True, filled=True).schema()


GATE_KEYS: Mapping[str, Key[Any]] = {
    "gate": Key(ConditionText("gate"), "the condition that must hold to go on", required=True),
    "as": Key(OneOf(("signal", "guardrail")), "a signal holds; a guardrail that fails does the fallback (signal)"),
    "on_nodata": Key(POLICY, "what no data means (hold)"),
    "on_error": Key(POLICY, "what an unanswered question means (hold)"),
    "min_samples": Key(COUNT, "fewer samples are no data"),
    "dry_run": Key(Truth(), "judged and shown apart, without effect"),
    "override": Key(Truth(), "ramp --override may pass it, with a reason"),
    "only": Key(EnvironmentNames(), "the environments it is judged in"),
    "unless": Key(EnvironmentNames(), "the environments it is left out in"),
}


@dataclass(frozen=True)
class GateShape:
    """A gate: a condition, a mapping around one, or a manual item `{sign: TITLE}`."""

    def read(self, node: Node, reading: Reading) -> Gate:
        if isinstance(node, ScalarNode):
            return Gate(condition=ConditionText("gate").read(node, reading))
        if isinstance(node, MapNode) and ("sign" in node.entries or "check" in node.entries):
            check = SignShape().read(node, reading)
            if check.kind != "sign":
                at = node.entries[check.kind].place
                raise reading.wrong(at, f"a check of the kind '{check.kind}' is no gate", "put it in a checklist")
            return Gate(sign=check)
        values = fields_of(node, GATE_KEYS, reading, "a gate")
        return Gate(condition=values.pop("gate"), as_=values.pop("as", "signal"), **values)

    def schema(self) -> Schema:
        return {
            "anyOf": [{"type": "string"}, record_schema(GATE_KEYS), SignShape().schema(), {"$ref": "#/$defs/check"}]
        }


TRIGGER_KEYS: Mapping[str, Key[Any]] = {
    "when": Key(ConditionText("trigger"), "the condition that makes it fire", required=True),
    "then": Key(THEN, "what it does", required=True),
    "on_nodata": Key(POLICY, "what no data means (hold)"),
    "on_error": Key(POLICY, "what an unanswered question means (hold)"),
    "min_samples": Key(COUNT, "fewer samples are no data"),
    "keep": Key(Duration(), "once firing, it goes on until it was false for so long (0s)"),
    "dry_run": Key(Truth(), "judged and shown, without effect"),
}


def make_trigger(values: dict[str, Any], node: MapNode, reading: Reading) -> Trigger:
    return Trigger(**values)


STAGE_KEYS: Mapping[str, Key[Any]] = {
    "stage": Key(
        Text("the name of a stage", STAGE_NAME, "letters, digits, '.', '_' and '-', and not only digits"),
        "its name",
        required=True,
    ),
    "percent": Key(Rungs(), "its percentage, or several in rising order; without it, the one before stays"),
    "set": Key(FLAG_VALUES, "the flags that it changes, besides the percentage"),
    "requires": Key(ListOf(Text("the name of a checklist"), single=True), "the checklists that must hold to enter it"),
    "bake": Key(BakeShape(), "how long it is watched before the next step: at least, and recommended"),
    "gates": Key(ListOf(GateShape()), "what must hold to go on"),
    "triggers": Key(ListOf(Record("a trigger", TRIGGER_KEYS, make_trigger)), "when this, then that"),
    "on_down": Key(OneOf(("rollback", "hold")), "what a service that is down for a minute leads to (rollback)"),
    "fallback": Key(FallbackShape(), "what is done when there are issues: a percentage, previous, rollback, an action"),
    "sign": Key(SignOffs(), "the roles that sign before it is left: {reviewed_by: not deployed_by}"),
    "cadence": Key(Cadence(), "how often a person looks: [{for: 4h, every: 15m}, {every: 4h}]"),
    "baseline": Key(OneOf(("capture",)), "`capture`: when it is left, its numbers become the reference"),
    "again": Key(Truth(), "a second ramp on other flags: it may start lower than the stage before"),
    "one_way": Key(Truth(), "it cannot simply be gone back past, a migration say; its fallback stands instead"),
    "optional": Key(Truth(), "the rollout may be declared stable before it"),
}


@dataclass(frozen=True)
class Stages:
    """The stages in their order. A stage without `percent` stays at the percentage before it."""

    def read(self, node: Node, reading: Reading) -> tuple[Stage, ...]:
        stages: list[Stage] = []
        for item in ListOf(Unread()).read(node, reading):
            reading.within = stage_name(item)
            try:
                values = fields_of(item, STAGE_KEYS, reading, "a stage")
            except Broken:
                continue
            name, rungs = values.pop("stage"), values.pop("percent", ())
            if not rungs:
                rungs = (Rung(percent=stages[-1].rungs[-1].percent if stages else 0.0),)
            lower = bool(stages) and rungs[0].percent < stages[-1].rungs[-1].percent
            if lower and not values.get("again"):
                before = f"{stages[-1].name}@{stages[-1].rungs[-1].percent:g}"
                at = item.get("percent") if isinstance(item, MapNode) else None
                message = (
                    f"{name} begins at {rungs[0].percent:g}, below {before}: the percentages rise along the stages"
                )
                reading.wrong((at or item).place, message, "again: true lets a second ramp start lower")
            values["baseline"] = "baseline" in values
            stages.append(Stage(name=name, rungs=rungs, **values))
        return tuple(stages)

    def schema(self) -> Schema:
        return {"type": "array", "items": record_schema(STAGE_KEYS)}


@dataclass(frozen=True)
class Unread:
    """A part that is read later, when what stands before it is known."""

    def read(self, node: Node, reading: Reading) -> Node:
        return node

    def schema(self) -> Schema:
        return {}


def stage_name(node: Node) -> str:
    """The stage's name as far as it can be told before it is read."""
    name = node.get("stage") if isinstance(node, MapNode) else None
    return name.text if isinstance(name, ScalarNode) else "stage"
