"""How long a rung is watched before the next step, as it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runbook.language.durations import DurationError, parse_range
from runbook.playbook.model import Bake
from runbook.playbook.nodes import MapNode, Node
from runbook.playbook.reading import Reading
from runbook.playbook.records import Key, fields_of, record_schema
from runbook.playbook.shapes import Schema, Share, Text, scalar

BAKE_KEYS: Mapping[str, Key[Any]] = {
    "for": Key(Text("a time such as 7d, or 24h..48h"), "at least, and recommended: 24h..48h", required=True),
    "sampled": Key(Share(), "how much of it has to be watched"),
}


@dataclass(frozen=True)
class BakeShape:
    """How long a rung is watched: `24h`, `24h..48h` (at least, and recommended), `{for: 7d, sampled: 90%}`."""

    def read(self, node: Node, reading: Reading) -> Bake:
        if isinstance(node, MapNode):
            values = fields_of(node, BAKE_KEYS, reading, "a bake")
            bake = self.times(node.entries["for"].node, reading)
            return Bake(at_least=bake.at_least, recommended=bake.recommended, sampled=values.get("sampled"))
        return self.times(node, reading)

    def times(self, node: Node, reading: Reading) -> Bake:
        text = scalar(node, reading, "a time such as 24h, or 24h..48h").text
        try:
            at_least, recommended = parse_range(text)
        except DurationError as error:
            raise reading.wrong(node.place, str(error)) from None
        return Bake(at_least=at_least, recommended=recommended)

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "string"}, record_schema(BAKE_KEYS)]}
