"""Where in the playbook each check stands, for readers who open the file at its line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from runbook.cli.options import Format, Shared
from runbook.rollout.site import Site
from runbook.show.document_rows import CheckRow

if TYPE_CHECKING:
    import yaml

PRINTED_WITH_PLACES = (Format.JSON, Format.JUNIT, Format.TAP, Format.GITHUB)


def with_places(shared: Shared, site: Site, rows: Iterable[CheckRow]) -> None:
    """Give each row the file and line of its check where the playbook itself has it under that title.

    Only for the formats that show them: the file is read once more for it.
    """
    if shared.format not in PRINTED_WITH_PLACES:
        return
    try:
        text = (site.project / site.playbook.path).read_text("utf-8-sig")
    except (OSError, ValueError):
        return
    lines = lines_of_checks(text)
    for row in _each(rows):
        if row.title in lines and row.checklist:
            row.file, row.line = site.playbook.path, lines[row.title]


def _each(rows: Iterable[CheckRow]) -> Iterator[CheckRow]:
    for row in rows:
        yield row
        yield from _each(row.checks)


def lines_of_checks(text: str) -> dict[str, int]:
    """The line, counted from 1, on which each `check:` of a playbook stands, by its title; the first of two alike."""
    import yaml

    try:
        root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError):
        return {}
    found: dict[str, int] = {}
    waiting, seen = [root] if root is not None else [], set[int]()
    while waiting:
        node = waiting.pop(0)
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        for key, value in _pairs(node):
            if key == "check" and isinstance(value, yaml.ScalarNode):
                line = value.start_mark.line + 1
                found[value.value] = min(line, found.get(value.value, line))
            waiting.append(value)
    return found


def _pairs(node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    """What is inside a node, each with its key; in a list without one."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        yield from ((str(key.value), value) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        yield from (("", value) for value in node.value)
