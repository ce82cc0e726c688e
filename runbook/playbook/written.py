"""Conditions as they stand in a playbook: read where they stand, judged later."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runbook.language.conditions import ConditionError, parse_condition
from runbook.language.places import Place
from runbook.playbook.nodes import Node, ScalarNode
from runbook.playbook.reading import Reading, WrittenCondition
from runbook.playbook.shapes import Schema, scalar

COMPARISON = re.compile(r"\s*(<|>|=|!)")


@dataclass(frozen=True)
class ConditionText:
    """A condition. Its syntax is read here; its names and units when the whole playbook is known.

    `purpose` is `gate`, `trigger`, `when`, `severity`, `expect` (its subject is what a check took out) or `limit` (it
    begins with a comparison, and its subject is the metric it stands in).
    """

    purpose: str

    def read(self, node: Node, reading: Reading) -> str:
        written = scalar(node, reading, "a condition")
        text = written.text
        if self.purpose == "limit" and not COMPARISON.match(text):
            raise reading.wrong(node.place, f"'{text}' is no limit", 'begin with a comparison: "< 2%"')
        if self.purpose == "expect" and not isinstance(written.value, str):
            raise reading.wrong(node.place, f"{text} is no condition", f'write "== {text}"')
        subject = {"limit": reading.within, "expect": "value"}.get(self.purpose)
        try:
            parse_condition(text, subject)
        except ConditionError as error:
            place = condition_place(written, error)
            raise reading.wrong(place, error.message, error.hint) from None
        reading.conditions.append(WrittenCondition(text, written, self.purpose, subject, reading.within))
        return text

    def schema(self) -> Schema:
        return {"type": "string"}


def condition_place(node: ScalarNode, error: ConditionError) -> Place:
    """Where in the file the wrong part of a condition stands."""
    return node.part(error.start, error.width)
