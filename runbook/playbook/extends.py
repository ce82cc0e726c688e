"""`extends`: what an organisation shares. Mappings merge key by key, lists and values are replaced, ours wins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runbook.playbook.nodes import MapNode, Node, ScalarNode, described
from runbook.playbook.reading import Broken, Reading
from runbook.playbook.source import LARGEST, text_of
from runbook.playbook.suspicious import warn_open_file
from runbook.playbook.yaml_tree import read_tree
from runbook.system.files import FileTrouble, read_regular

LONGEST_CHAIN = 8


@dataclass
class Sources:
    """The texts that a playbook was read from, by the name shown for each file."""

    project: Path
    texts: dict[str, str]
    size: int = 0

    def shown(self, path: Path) -> str:
        """A path from the project's folder where it lies inside, else as it is."""
        try:
            return str(path.resolve().relative_to(self.project.resolve()))
        except (ValueError, OSError):
            return str(path)

    def read(self, path: Path, reading: Reading) -> Node | None:
        """The tree of one file, or None with the reason noted. `reading.file` becomes the file's shown name."""
        reading.file = self.shown(path)
        try:
            data = read_regular(path, LARGEST)
        except FileTrouble as trouble:
            reading.wrong(None, f"{reading.file} {trouble.reason}", trouble.hint)
            return None
        self.size += len(data)
        if self.size > LARGEST:
            reading.wrong(None, f"{reading.file} and what it extends have more than {LARGEST:,} bytes")
            return None
        warn_open_file(path, reading)
        self.texts[reading.file] = data.decode(errors="replace").removeprefix("\ufeff")
        try:
            return read_tree(text_of(data, reading), reading)
        except Broken:
            return None


def read_extended(path: Path, sources: Sources, reading: Reading) -> Node | None:
    """The tree of a playbook merged with all that it extends; None with the reasons noted. Places keep their file."""
    first = sources.shown(path)
    merged = tree = sources.read(path, reading)
    seen = [path.resolve()]
    while isinstance(tree, MapNode) and isinstance(merged, MapNode) and (named := tree.entries.get("extends")):
        at = named.node
        if not isinstance(at, ScalarNode) or not isinstance(at.value, str):
            reading.wrong(at.place, f"{described(at)} stands where the name of a file belongs", "extends: base.yaml")
            return None
        path = seen[-1].parent / at.text
        if path.resolve() in seen:
            reading.wrong(at.place, f"{at.text} extends itself" if len(seen) == 1 else "the files extend each other")
            return None
        if len(seen) >= LONGEST_CHAIN:
            reading.wrong(at.place, f"more than {LONGEST_CHAIN} files extend one another")
            return None
        seen.append(path.resolve())
        tree = read_base(path, at, sources, reading)
        if tree is None:
            return None
        merged = merge(tree, merged)
    reading.file = first
    return merged


def read_base(path: Path, at: ScalarNode, sources: Sources, reading: Reading) -> MapNode | None:
    """The tree of an extended file. Why it could not be read is noted where it is named."""
    noted = len(reading.problems)
    tree = sources.read(path, reading)
    for index, problem in enumerate(reading.problems[noted:], noted):
        if problem.place is None:
            reading.problems[index] = type(problem)(problem.message, at.place, problem.hint)
    if tree is None or isinstance(tree, MapNode):
        return tree
    reading.wrong(tree.place, f"{described(tree)} stands where sections belong")
    return None


def merge(base: MapNode, ours: MapNode) -> MapNode:
    """Both mappings in one; where both have a mapping, it is merged in the same way."""
    entries = dict(base.entries)
    for key, entry in ours.entries.items():
        there = entries.get(key)
        if there and isinstance(there.node, MapNode) and isinstance(entry.node, MapNode):
            entry = type(entry)(key, entry.place, merge(there.node, entry.node))  # noqa: PLW2901
        entries[key] = entry
    return MapNode(ours.place, entries)
