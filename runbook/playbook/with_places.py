"""Reading a playbook for those who want to point into it: where each check and each condition stands."""

from __future__ import annotations

from pathlib import Path

from runbook.playbook.converting import convert
from runbook.playbook.extends import Sources, read_extended
from runbook.playbook.load import Loaded, in_order
from runbook.playbook.reading import Reading


def load_with_places(path: Path, project: Path) -> tuple[Loaded, Reading]:
    """As `load_playbook`, with the reading that knows the places."""
    sources = Sources(project, {})
    reading = Reading(sources.shown(path))
    root = read_extended(path, sources, reading)
    playbook = convert(root, reading) if root is not None else None
    return Loaded(playbook, in_order(reading.problems), sources.texts), reading
