"""Reading a playbook: the whole, or in an emergency only what the way back needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runbook.language.places import Place, Problem
from runbook.playbook.converting import convert
from runbook.playbook.extends import Sources, read_extended
from runbook.playbook.model import Playbook
from runbook.playbook.nodes import node_of
from runbook.playbook.reading import Reading

MOST_TOLD = 1000


@dataclass(frozen=True)
class Loaded:
    """What became of a playbook. `playbook` is None when there is an error among the problems.

    `problems` are errors and warnings in the order of their places; `sources` the texts they stand in, by file.
    """

    playbook: Playbook | None
    problems: list[Problem]
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.level == "error"]

    @property
    def warnings(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.level == "warning"]


def load_playbook(path: Path, project: Path) -> Loaded:
    """Read and check a whole playbook with what it extends. Raises nothing for what a file may hold."""
    return load(path, project, emergency=False)


def load_emergency(path: Path, project: Path) -> Loaded:
    """Read what the way back needs: environments, flags, rollback and verify. Errors elsewhere become warnings."""
    return load(path, project, emergency=True)


def load(path: Path, project: Path, *, emergency: bool) -> Loaded:
    sources = Sources(project, {})
    reading = Reading(sources.shown(path), emergency=emergency)
    root = read_extended(path, sources, reading)
    playbook = convert(root, reading, emergency=emergency) if root is not None else None
    return Loaded(playbook, in_order(reading.problems), sources.texts)


def from_plain(plain: Mapping[str, Any], file: str, *, emergency: bool = True) -> Loaded:
    """Read a playbook from plain data, such as the sections that a kit holds; everything stands at the file's start.

    A kit lacks checklists, metrics and other environments, so what refers to them is only a warning; with
    `emergency=False` it is judged like a whole playbook.
    """
    reading = Reading(file, emergency=emergency)
    try:
        playbook = convert(node_of(plain, Place(file, 1, 1)), reading, emergency=emergency)
    except RecursionError:  # YAML is judged before it grows this deep; plain data comes from anywhere
        return Loaded(None, [Problem(f"{file} is nested too deeply")])
    return Loaded(playbook, in_order(reading.problems))


def in_order(problems: list[Problem]) -> list[Problem]:
    """The problems by place, those of a whole file first; the same one is told once, however often it is met.

    Of a flood the first are told, and how many more there are: errors before warnings.
    """
    each = sorted(dict.fromkeys(problems), key=lambda found: (found.level, found.place or Place("", 0, 0)))
    told = sorted(each[:MOST_TOLD], key=lambda found: found.place or Place("", 0, 0))
    if len(each) > MOST_TOLD:
        told.append(
            Problem(f"{len(each) - MOST_TOLD:,} more problems", None, "mend these first", each[MOST_TOLD].level)
        )
    return told
