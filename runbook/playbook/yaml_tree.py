"""From YAML text to a tree with places, within limits: a hostile file costs a problem, not the machine.

It is built from parser events and not from PyYAML's own node graph: so depth, aliases and tags are judged before
anything grows, and nothing recurses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from runbook.language.places import Place, did_you_mean
from runbook.playbook.nodes import Entry, ListNode, MapNode, Node, ScalarNode
from runbook.playbook.reading import Broken, Reading
from runbook.playbook.scalars import meaning
from runbook.playbook.yaml_mistakes import explain

DEEPEST = 64
MOST_ALIASED = 10_000
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
PREFIX = "tag:yaml.org,2002:"
TEXT_TAGS = ("!", PREFIX + "str")


@dataclass(slots=True)
class Built:
    """A finished part, with what it costs when it is repeated: its number of values and its depth."""

    node: Node
    size: int = 1
    height: int = 1
    merge: bool = False  # an unquoted `<<`


@dataclass(slots=True)
class Opened:
    """A list or mapping whose end was not reached yet."""

    place: Place
    mapping: bool
    anchor: str | None
    parts: list[Built] = field(default_factory=list)


def read_tree(text: str, reading: Reading) -> Node | None:
    """The tree of the one document in `text`, or None when that was no YAML (the problems are noted).

    Duplicate keys are noted, and the first of them counts. Raises nothing.
    """
    try:
        return TreeBuilder(reading).build(events_of(text))
    except yaml.YAMLError as error:
        explain(error, text, reading)
    except Broken:
        pass
    return None


def events_of(text: str) -> Iterator[Any]:
    """The parser's events of `text` (without a byte order mark: the parser in C counts columns wrongly behind one)."""
    events: Iterator[Any] = yaml.parse(text, Loader=LOADER)
    return events


class TreeBuilder:
    """Builds the tree of one document from parser events."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.opened: list[Opened] = []
        self.anchors: dict[str, Built] = {}
        self.aliased = 0
        self.root: Built | None = None

    def build(self, events: Iterator[Any]) -> Node:
        for event in events:
            if self.root and type(event) is yaml.DocumentStartEvent:
                raise self.reading.wrong(
                    self.place(event), "a second document begins here", "one playbook, one document: delete the '---'"
                )
            self.take(event)
        if self.root is None:
            raise self.reading.wrong(Place(self.reading.file, 1, 1), "the file is empty")
        return self.root.node

    def take(self, event: Any) -> None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self.add(self.scalar(event), event.anchor)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self.open(event)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self.close()
        elif kind is yaml.AliasEvent:
            self.add(self.alias(event), None)

    def place(self, event: Any) -> Place:
        start, end = event.start_mark, event.end_mark
        width = end.column - start.column if end.line == start.line else 1
        return Place(self.reading.file, start.line + 1, start.column + 1, max(1, width))

    def scalar(self, event: Any) -> Built:
        place, text, style = self.place(event), event.value, event.style
        quoted = style in ("'", '"')
        span = event.end_mark.index - event.start_mark.index
        exact = style not in ("|", ">") and span == len(text) + (2 if quoted else 0)
        lead = int(quoted) if exact else None
        self.refuse_tag(event)
        if style or event.tag in TEXT_TAGS:
            return Built(ScalarNode(place, text, text, lead))
        try:
            return Built(ScalarNode(place, meaning(text), text, lead), merge=text == "<<")
        except ValueError as error:
            self.reading.wrong(place, str(error), "quote it if it is text")
            return Built(ScalarNode(place, text, text, lead))

    def refuse_tag(self, event: Any) -> None:
        usual = (None, *TEXT_TAGS, PREFIX + "map", PREFIX + "seq")
        if event.tag not in usual:
            shown = event.tag.replace(PREFIX, "!!")
            raise self.reading.wrong(self.place(event), f"the tag {shown} is not part of the language", "delete it")

    def alias(self, event: Any) -> Built:
        target = self.anchors.get(event.anchor)
        if target is None and any(part.anchor == event.anchor for part in self.opened):
            raise self.reading.wrong(self.place(event), f"*{event.anchor} stands inside itself")
        if target is None:
            hint = did_you_mean(event.anchor, self.anchors) or f"mark a value with &{event.anchor} above"
            raise self.reading.wrong(self.place(event), f"*{event.anchor} refers to nothing", hint)
        self.aliased += target.size
        if self.aliased > MOST_ALIASED:
            raise self.reading.wrong(self.place(event), f"aliases repeat more than {MOST_ALIASED:,} values")
        self.refuse_depth(self.place(event), target.height)
        return Built(target.node, target.size, target.height)

    def refuse_depth(self, place: Place, height: int) -> None:
        if len(self.opened) + height > DEEPEST:
            raise self.reading.wrong(place, f"nested deeper than {DEEPEST} levels")

    def open(self, event: Any) -> None:
        self.refuse_tag(event)
        self.refuse_depth(self.place(event), 1)
        mapping = isinstance(event, yaml.MappingStartEvent)
        self.opened.append(Opened(self.place(event), mapping, event.anchor))

    def close(self) -> None:
        done = self.opened.pop()
        node = self.mapping(done) if done.mapping else ListNode(done.place, tuple(part.node for part in done.parts))
        size = 1 + sum(part.size for part in done.parts)
        height = 1 + max((part.height for part in done.parts), default=0)
        self.add(Built(node, size, height), done.anchor)

    def add(self, part: Built, anchor: str | None) -> None:
        if anchor:
            self.anchors[anchor] = part
        if self.opened:
            self.opened[-1].parts.append(part)
        else:
            self.root = part

    def mapping(self, done: Opened) -> MapNode:
        entries: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        for key, value in zip(done.parts[::2], done.parts[1::2], strict=True):
            if key.merge:
                merged = {**self.merged(value.node), **merged}
            elif (name := self.key(key.node)) in entries:
                line = entries[name].place.line
                self.reading.wrong(key.node.place, f"the key '{name}' stands twice", f"the first is in line {line}")
            else:
                entries[name] = Entry(name, key.node.place, value.node)
        return MapNode(done.place, {**merged, **entries})

    def merged(self, node: Node) -> dict[str, Entry]:
        """The keys that `<<:` brings in; of several mappings the first wins, as YAML's merge type says."""
        entries: dict[str, Entry] = {}
        for part in node.items if isinstance(node, ListNode) else (node,):
            if not isinstance(part, MapNode):
                raise self.reading.wrong(part.place, "'<<' takes a mapping, or a list of mappings")
            entries = {**part.entries, **entries}
        return entries

    def key(self, node: Node) -> str:
        if not isinstance(node, ScalarNode):
            raise self.reading.wrong(node.place, "a key has to be text, not a list or mapping")
        if not isinstance(node.value, str):
            self.reading.wrong(node.place, f"the key {node.text or 'without text'} is no text", "put it in quotes")
        return node.text
