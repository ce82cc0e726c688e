"""The section `tests`: recorded answers, and the verdicts that they must give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runbook.checks.recorded import amount_of, read_answer
from runbook.judge.verdicts import Status, Verdict
from runbook.playbook.nodes import ListNode, MapNode, Node, ScalarNode, described, plain_of
from runbook.playbook.reading import Reading
from runbook.playbook.records import Key, ListOf, Record, fields_of, record_schema
from runbook.playbook.severities import SEVERITY
from runbook.playbook.shapes import Duration, OneOf, Schema, Text, scalar
from runbook.playbook.trial import Expected, Trial

STATUSES = tuple(status.value for status in (Status.PASS, Status.FAIL, Status.UNKNOWN, Status.SKIPPED))
VERDICTS = tuple(verdict.value for verdict in (Verdict.GO, Verdict.NO_GO, Verdict.UNKNOWN))
LEVELS = ("ok", "missed", "warning", "critical", "unknown", "shown")
BAKED = "over"


def entries_of(node: Node, reading: Reading, wanted: str) -> Mapping[str, Node]:
    """The entries of a mapping whose keys are names. Raises Broken, with the mistake noted, where it is none."""
    if not isinstance(node, MapNode):
        raise reading.wrong(node.place, f"{described(node)} stands where {wanted} belong", "write 'name: value' lines")
    return {key: entry.node for key, entry in node.entries.items()}


@dataclass(frozen=True)
class Answers:
    """Answers by the request or the check that they are of."""

    def read(self, node: Node, reading: Reading) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, entry in entries_of(node, reading, "recorded answers").items():
            plain = plain_of(entry)
            try:
                read_answer(key, plain)
            except ValueError as trouble:
                reading.wrong(entry.place, f"{key}: {trouble}")
                continue
            found[key] = plain
        return found

    def schema(self) -> Schema:
        return {"type": "object"}


@dataclass(frozen=True)
class AnswersOrFile:
    """Answers, or the name of a JSON file that holds them."""

    def read(self, node: Node, reading: Reading) -> dict[str, Any] | str:
        if isinstance(node, ScalarNode) and node.value is not None:
            return node.text
        return Answers().read(node, reading)

    def schema(self) -> Schema:
        return {"type": ["object", "string"]}


@dataclass(frozen=True)
class Numbers:
    """Captured numbers by metric: `{error_rate: 0.4%, p95_latency: 2100ms}`."""

    def read(self, node: Node, reading: Reading) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, entry in entries_of(node, reading, "captured numbers").items():
            value = entry.value if isinstance(entry, ScalarNode) else None
            if isinstance(value, bool) or not isinstance(amount_of(value)[0], int | float):
                reading.wrong(entry.place, f"{key}: {described(entry)} is no number", "write it like 0.4% or 2100ms")
                continue
            found[key] = value
        return found

    def schema(self) -> Schema:
        return {"type": "object", "additionalProperties": {"type": ["number", "string"]}}


@dataclass(frozen=True)
class ByStage:
    """Captured numbers by the stage that was left: `{disabled: {error_rate: 0.4%}}`."""

    def read(self, node: Node, reading: Reading) -> dict[str, Any]:
        entries = entries_of(node, reading, "stages with their numbers")
        return {stage: Numbers().read(entry, reading) for stage, entry in entries.items()}

    def schema(self) -> Schema:
        return {"type": "object", "additionalProperties": Numbers().schema()}


@dataclass(frozen=True)
class Signed:
    """Who signed and which manual items were answered: a list, or a mapping with yes (`true`) and no (`false`)."""

    def read(self, node: Node, reading: Reading) -> dict[str, bool]:
        if isinstance(node, ListNode):
            return dict.fromkeys(ListOf(Text("a role or an item")).read(node, reading), True)
        said: dict[str, bool] = {}
        for key, entry in entries_of(node, reading, "roles and items").items():
            value = entry.value if isinstance(entry, ScalarNode) else None
            words = {True: True, False: False, "yes": True, "no": False}
            if not isinstance(value, bool | str) or value not in words:
                raise reading.wrong(entry.place, f"{key}: {described(entry)} is no answer", "write yes or no")
            said[key] = words[value]
        return said

    def schema(self) -> Schema:
        said = {"type": "object", "additionalProperties": {"enum": [True, False, "yes", "no"]}}
        return {"anyOf": [{"type": "array", "items": {"type": "string"}}, said]}


@dataclass(frozen=True)
class Words:
    """A word of a few for each name."""

    words: tuple[str, ...]

    def read(self, node: Node, reading: Reading) -> dict[str, str]:
        shape = OneOf(self.words)
        return {key: shape.read(entry, reading) for key, entry in entries_of(node, reading, "names").items()}

    def schema(self) -> Schema:
        return {"type": "object", "additionalProperties": {"enum": list(self.words)}}


@dataclass(frozen=True)
class Baked:
    """How long the step was watched: `over`, or a time. Read as seconds, None where the bake is over."""

    def read(self, node: Node, reading: Reading) -> float | None:
        if isinstance(node, ScalarNode) and node.text == BAKED:
            return None
        return Duration().read(node, reading)

    def schema(self) -> Schema:
        return {"anyOf": [{"const": BAKED}, Duration().schema()]}


@dataclass(frozen=True)
class Moment:
    """When the test takes place, in the calendar's zone: `2025-12-24 10:00`."""

    def read(self, node: Node, reading: Reading) -> str:
        text = scalar(node, reading, "a moment such as 2025-12-24 10:00").text
        try:
            datetime.fromisoformat(text)
        except ValueError:
            raise reading.wrong(node.place, f"'{text}' is no moment", "write it like 2025-12-24 10:00") from None
        return text

    def schema(self) -> Schema:
        return {"type": "string"}


VERDICT = OneOf(VERDICTS)
EXPECT_KEYS: Mapping[str, Key[Any]] = {
    "gate": Key(VERDICT, "may the next step be made: go, no-go or unknown"),
    "gates": Key(Words(STATUSES), "rows of that decision by condition or id: pass, fail, unknown or skipped"),
    "checks": Key(Words(STATUSES), "how checks come out, by id"),
    "fires": Key(ListOf(Text("an action or a condition")), "what each rule that fires does, or its condition; [] none"),
    "severity": Key(SEVERITY, "the severity that these numbers propose"),
    "metrics": Key(Words(LEVELS), "how metrics stand to their limits, by name"),
    "preflight": Key(VERDICT, "what the checklists of the stage to enter come to"),
}
EXPECT = Record("what a test expects", EXPECT_KEYS, lambda values, node, reading: Expected(**values))

TEST_KEYS: Mapping[str, Key[Any]] = {
    "test": Key(Text("a title"), "what is tried, in the operator's words", required=True),
    "at": Key(Text("a position"), "where the service stands: canary@10; without it no stage was entered"),
    "enters": Key(Text("a stage"), "the stage whose checklists `preflight` means (the next one)"),
    "environment": Key(Text("the name of an environment"), "which environment is meant (the first that is no sandbox)"),
    "like": Key(Text("the title of a test"), "a test whose answers and place are taken over; what stands here wins"),
    "bake": Key(Baked(), "how long the step was watched: a time, or over (over)"),
    "for": Key(Duration(), "how long the answers hold (as long as the rules ask, where `fires` is expected)"),
    "time": Key(Moment(), "when it takes place, in the calendar's zone (at a time when the calendar is open)"),
    "answers": Key(AnswersOrFile(), "the recorded answers by request or check, or a JSON file that holds them"),
    "before": Key(Answers(), "what was answered during the bake so far (the same)"),
    "baseline": Key(Numbers(), "the numbers of the baseline, by metric"),
    "left": Key(ByStage(), "the numbers of stages that were left, by stage and metric"),
    "signed": Key(Signed(), "the roles and manual items that said yes; as a mapping yes or no"),
    "incidents": Key(ListOf(SEVERITY), "the severities of the incidents that are open (none)"),
    "expect": Key(EXPECT, "what must come of it", required=True),
}


@dataclass(frozen=True)
class TrialShape:
    """One test."""

    def read(self, node: Node, reading: Reading) -> Trial:
        noted = len(reading.problems)
        values = fields_of(node, TEST_KEYS, reading, "a test")
        answers = values.pop("answers", {})
        if isinstance(answers, str):
            values["answers_in"] = answers
        else:
            values["answers"] = answers
        if values["expect"] == Expected() and len(reading.problems) == noted:
            raise reading.wrong(node.place, "the test expects nothing", "add expect: {gate: no-go}")
        return Trial(name=values.pop("test"), held=values.pop("for", None), **values)

    def schema(self) -> Schema:
        return record_schema(TEST_KEYS)


TESTS = ListOf(TrialShape())
