"""A YAML text as a tree in which every key and value knows where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from runbook.language.places import Place

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """One value. `text` is what was written, `value` what it means (only true, false, null and decimal numbers mean
    something else than their text).

    `lead` is the number of characters before the text (1 behind a quote); it is None where offsets in `text` are no
    offsets in the line, as in block scalars and behind escapes.
    """

    place: Place
    value: Value
    text: str
    lead: int | None = None

    def part(self, start: int, width: int) -> Place:
        """The place of `width` characters of the text from `start`, where that can be told; else of the whole."""
        return self.place if self.lead is None else self.place.moved(self.lead + start, width)


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list."""

    place: Place
    items: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping with its value."""

    key: str
    place: Place
    node: Node


@dataclass(frozen=True, slots=True)
class MapNode:
    """A mapping; the keys are text and stand once."""

    place: Place
    entries: Mapping[str, Entry] = field(default_factory=dict)

    def get(self, key: str) -> Node | None:
        entry = self.entries.get(key)
        return entry.node if entry else None


Node = ScalarNode | ListNode | MapNode


def plain_of(node: Node) -> Any:
    """The tree without places: dictionaries, lists and values."""
    if isinstance(node, MapNode):
        return {key: plain_of(entry.node) for key, entry in node.entries.items()}
    if isinstance(node, ListNode):
        return [plain_of(item) for item in node.items]
    return node.value


def node_of(plain: Any, place: Place) -> Node:
    """A tree over plain data; everything stands at `place`."""
    if isinstance(plain, Mapping):
        return MapNode(place, {str(key): Entry(str(key), place, node_of(value, place)) for key, value in plain.items()})
    if isinstance(plain, list | tuple):
        return ListNode(place, tuple(node_of(item, place) for item in plain))
    return ScalarNode(place, plain, written(plain))


def written(value: Value) -> str:
    """How a value is written in YAML."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def mappings_in(node: Node) -> Iterator[MapNode]:
    """Every mapping of a part of the tree, the outer before the inner."""
    waiting: list[Node] = [node]
    while waiting:
        found = waiting.pop()
        if isinstance(found, MapNode):
            yield found
            waiting += [entry.node for entry in found.entries.values()]
        elif isinstance(found, ListNode):
            waiting += found.items


def described(node: Node) -> str:
    """What a node is, in a sentence for people: `a list`, `the number 5`, `nothing`."""
    if isinstance(node, MapNode):
        return "a mapping"
    if isinstance(node, ListNode):
        return "a list"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return node.text
    if isinstance(node.value, int | float):
        return f"the number {node.text}"
    return f"the text '{node.text if len(node.text) <= 40 else node.text[:37] + '...'}'"
