"""Shapes made of shapes: lists, mappings of named things, and records with fixed keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from runbook.language.places import did_you_mean
from runbook.playbook.nodes import ListNode, MapNode, Node, described
from runbook.playbook.reading import Broken, Reading
from runbook.playbook.shapes import NAME, NAME_HINT, Schema, Shape

T = TypeVar("T")


@dataclass(frozen=True)
class ListOf(Generic[T]):
    """A list; what is broken in it is left out, and noted. With `single`, one item may stand without brackets."""

    item: Shape[T]
    single: bool = False
    filled: bool = False

    def read(self, node: Node, reading: Reading) -> tuple[T, ...]:
        if not isinstance(node, ListNode):
            if self.single:
                return (self.item.read(node, reading),)
            raise reading.wrong(
                node.place, f"{described(node)} stands where a list belongs", "write [...] or '- ' lines"
            )
        if self.filled and not node.items:
            raise reading.wrong(node.place, "the list is empty")
        return tuple(read_each(node.items, self.item, reading))

    def schema(self) -> Schema:
        many: Schema = {"type": "array", "items": self.item.schema(), **({"minItems": 1} if self.filled else {})}
        return {"anyOf": [self.item.schema(), many]} if self.single else many


def read_each(nodes: Sequence[Node], item: Shape[T], reading: Reading) -> list[T]:
    """What could be read of `nodes`; the rest is noted."""
    read: list[T] = []
    for node in nodes:
        try:
            read.append(item.read(node, reading))
        except Broken:
            continue
    return read


@dataclass(frozen=True)
class MapOf(Generic[T]):
    """A mapping whose keys are names of the author's choice; broken entries are left out, and noted."""

    value: Shape[T]
    names: str = "a name"
    pattern: str = NAME
    hint: str = NAME_HINT
    remember: bool = False  # the name is the place of what is read within

    def read(self, node: Node, reading: Reading) -> dict[str, T]:
        if not isinstance(node, MapNode):
            raise reading.wrong(
                node.place, f"{described(node)} stands where a mapping belongs", "write 'name: value' lines"
            )
        read: dict[str, T] = {}
        for key, entry in node.entries.items():
            if not re.fullmatch(self.pattern, key):
                reading.wrong(entry.place, f"'{key}' is not {self.names}", self.hint)
            if self.remember:
                reading.within = key
            try:
                read[key] = self.value.read(entry.node, reading)
            except Broken:
                continue
        return read

    def schema(self) -> Schema:
        return {
            "type": "object",
            "additionalProperties": self.value.schema(),
            "propertyNames": {"pattern": f"^(?:{self.pattern})$"},
        }


@dataclass(frozen=True)
class Key(Generic[T]):
    """One key of a record: what may stand under it, and what it means."""

    shape: Shape[T]
    meaning: str
    required: bool = False


def fields_of(
    node: Node, keys: Mapping[str, Key[Any]], reading: Reading, what: str, not_yet: Sequence[str] | frozenset[str] = ()
) -> dict[str, Any]:
    """What could be read of a mapping with fixed keys. Unknown, unsupported and missing keys are noted.

    Raises Broken when it is no mapping, or a required key is missing or broken.
    """
    if not isinstance(node, MapNode):
        raise reading.wrong(node.place, f"{described(node)} stands where {what} belongs", f"keys: {', '.join(keys)}")
    refuse_keys(node, keys, reading, what, not_yet)
    read: dict[str, Any] = {}
    missing = [key for key, known in keys.items() if known.required and key not in node.entries]
    for key in missing:
        reading.wrong(node.place, f"{what} without '{key}'", keys[key].meaning)
    for key, known in keys.items():
        found = node.get(key)
        if found is None:
            continue
        try:
            read[key] = known.shape.read(found, reading)
        except Broken:
            missing += [key] if known.required else []
    if missing:
        raise Broken
    return read


def refuse_keys(
    node: MapNode,
    known: Mapping[str, Any] | Sequence[str],
    reading: Reading,
    what: str,
    not_yet: Sequence[str] | frozenset[str] = (),
) -> None:
    """Note every key of `node` that is not known, with what was probably meant."""
    for key, entry in node.entries.items():
        if key in known or reading.full:
            continue
        if key in not_yet:
            reading.wrong(entry.place, f"'{key}' is not supported yet", "leave it out until then")
        else:
            hint = did_you_mean(key, [*known, *not_yet]) or f"known: {', '.join(known)}"
            reading.wrong(entry.place, f"unknown key '{key}' in {what}", hint)


@dataclass(frozen=True)
class Record(Generic[T]):
    """A mapping with fixed keys, made into one thing by `make`."""

    what: str
    keys: Mapping[str, Key[Any]]
    make: Callable[[dict[str, Any], MapNode, Reading], T]
    not_yet: Sequence[str] | frozenset[str] = ()

    def read(self, node: Node, reading: Reading) -> T:
        values = fields_of(node, self.keys, reading, self.what, self.not_yet)
        assert isinstance(node, MapNode)
        return self.make(values, node, reading)

    def schema(self) -> Schema:
        return record_schema(self.keys)


def record_schema(keys: Mapping[str, Key[Any]]) -> Schema:
    """The JSON Schema of a mapping with fixed keys."""
    properties = {key: {**known.shape.schema(), "description": known.meaning} for key, known in keys.items()}
    made: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    required = [key for key, known in keys.items() if known.required]
    return {**made, "required": required} if required else made
