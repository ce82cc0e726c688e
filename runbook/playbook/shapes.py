"""What may stand somewhere: small shapes that read a node, note what is wrong with it, and describe themselves.

The same tables of shapes read playbooks and make the JSON Schema, so that the two cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from runbook.language.durations import DurationError, parse_duration
from runbook.language.places import did_you_mean
from runbook.playbook.nodes import Node, ScalarNode, described, plain_of
from runbook.playbook.reading import Reading

T_co = TypeVar("T_co", covariant=True)
Schema = dict[str, Any]

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
NAME_HINT = "letters, digits, '.', '_' and '-', at most 64, beginning with a letter or digit"


class Shape(Protocol[T_co]):
    """What may stand in one place."""

    def read(self, node: Node, reading: Reading) -> T_co:
        """The value of `node`. What is wrong is noted in `reading`; raises Broken when there is no value."""
        ...

    def schema(self) -> Schema:
        """The same as JSON Schema."""
        ...


def scalar(node: Node, reading: Reading, wanted: str) -> ScalarNode:
    """The node when it is a value that is there; else the mistake is noted and Broken raised."""
    if isinstance(node, ScalarNode) and node.value is not None:
        return node
    raise reading.wrong(node.place, f"{described(node)} stands where {wanted} belongs")


@dataclass(frozen=True)
class Text:
    """Text in one line or more; a number or a truth value is taken as it was written."""

    wanted: str = "text"
    pattern: str = ""
    hint: str = ""
    empty: bool = False

    def read(self, node: Node, reading: Reading) -> str:
        text = scalar(node, reading, self.wanted).text
        if not text.strip() and not self.empty:
            raise reading.wrong(node.place, f"{self.wanted} is empty")
        if self.pattern and not re.fullmatch(self.pattern, text):
            raise reading.wrong(node.place, f"'{text}' is not {self.wanted}", self.hint)
        return text

    def schema(self) -> Schema:
        made: Schema = {"type": ["string", "number", "boolean"]}
        if self.pattern:
            made = {"type": ["string", "number"], "pattern": f"^(?:{self.pattern})$"}
        return made


@dataclass(frozen=True)
class FlagValue:
    """The value of a flag: exactly the text as written, so that `false` stays `false` and `0777` stays `0777`."""

    def read(self, node: Node, reading: Reading) -> str:
        if not isinstance(node, ScalarNode):
            raise reading.wrong(node.place, f"{described(node)} stands where a value belongs")
        if node.value is None and not node.text:
            raise reading.wrong(node.place, "there is no value", 'write "" for an empty one')
        if "\n" in node.text:
            raise reading.wrong(node.place, "the value of a flag has more than one line")
        return node.text

    def schema(self) -> Schema:
        return {"type": ["string", "number", "boolean", "null"]}


@dataclass(frozen=True)
class Truth:
    """`true` or `false`."""

    def read(self, node: Node, reading: Reading) -> bool:
        value = scalar(node, reading, "true or false").value
        if isinstance(value, bool):
            return value
        raise reading.wrong(node.place, f"{described(node)} stands where true or false belongs", "write true or false")

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Number:
    """A number within bounds; `whole` for counts."""

    least: float | None = None
    most: float | None = None
    whole: bool = False
    above: float | None = None

    def read(self, node: Node, reading: Reading) -> float:
        wanted = "a whole number" if self.whole else "a number"
        value = scalar(node, reading, wanted).value
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            raise reading.wrong(node.place, f"{described(node)} stands where {wanted} belongs")
        low = (self.least is not None and value < self.least) or (self.above is not None and value <= self.above)
        if low or (self.most is not None and value > self.most):
            raise reading.wrong(node.place, f"{value} is out of bounds", self.bounds())
        return value

    def bounds(self) -> str:
        parts = [] if self.least is None else [f"at least {self.least:g}"]
        parts += [] if self.above is None else [f"more than {self.above:g}"]
        parts += [] if self.most is None else [f"at most {self.most:g}"]
        return " and ".join(parts)

    def schema(self) -> Schema:
        bounds = {"minimum": self.least, "maximum": self.most, "exclusiveMinimum": self.above}
        kept = {key: value for key, value in bounds.items() if value is not None}
        return {"type": "integer" if self.whole else "number", **kept}


@dataclass(frozen=True)
class Share:
    """A share in percent (`90%`), read as 0.9."""

    def read(self, node: Node, reading: Reading) -> float:
        text = scalar(node, reading, "a share such as 90%").text
        found = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]+)?) ?%", text)
        if not found or float(found[1]) > 100:
            raise reading.wrong(node.place, f"'{text}' is no share", "write it in percent: 90%")
        return float(found[1]) / 100

    def schema(self) -> Schema:
        return {"type": "string", "pattern": "^[0-9]{1,3}(\\.[0-9]+)? ?%$"}


@dataclass(frozen=True)
class Duration:
    """A time such as `24h` or `1m30s`, read as seconds."""

    zero: bool = True

    def read(self, node: Node, reading: Reading) -> float:
        text = scalar(node, reading, "a time such as 30s").text
        try:
            seconds = parse_duration(text)
        except DurationError as error:
            raise reading.wrong(node.place, str(error)) from None
        if not seconds and not self.zero:
            raise reading.wrong(node.place, f"{text} is no time to wait", "write more than 0s")
        return seconds

    def schema(self) -> Schema:
        return {"type": "string", "pattern": DURATION}


DURATION = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d|w))+$"


@dataclass(frozen=True)
class OneOf:
    """One of a few words. `also` maps accepted other names to the word; `not_yet` lists words that come later."""

    words: Sequence[str]
    also: Mapping[str, str] = field(default_factory=dict)
    not_yet: Sequence[str] = ()

    def read(self, node: Node, reading: Reading) -> str:
        text = scalar(node, reading, f"one of {', '.join(self.words)}").text
        if text in self.words:
            return text
        if text in self.also:
            return self.also[text]
        if text in self.not_yet:
            raise reading.wrong(node.place, f"'{text}' is not supported yet", f"one of {', '.join(self.words)}")
        guess = did_you_mean(text, [*self.words, *self.also, *self.not_yet])
        raise reading.wrong(node.place, f"'{text}' is unknown here", guess or f"one of {', '.join(self.words)}")

    def schema(self) -> Schema:
        return {"enum": [*self.words, *self.also]}


@dataclass(frozen=True)
class Anything:
    """Plain data, as it is."""

    def read(self, node: Node, reading: Reading) -> Any:
        return plain_of(node)

    def schema(self) -> Schema:
        return {}
