"""Where playbooks lie: those of a project, and those that come with the tool."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import runbook
from runbook.language.places import Problem
from runbook.playbook.reading import Broken, Reading
from runbook.playbook.source import LARGEST, text_of
from runbook.playbook.yaml_mistakes import explain
from runbook.playbook.yaml_tree import DEEPEST, events_of
from runbook.system.files import FileTrouble, read_regular


@dataclass(frozen=True)
class Candidate:
    """A playbook of a project, or a file that might be one but cannot be read: then `problem` says why.

    `name` is the file's without `.yaml`; `service` is known when the file itself names it.
    """

    name: str
    path: Path
    service: str | None = None
    problem: Problem | None = None


def find_playbooks(project: Path) -> list[Candidate]:
    """The playbooks in the project's `playbooks/` by name: every `.yaml` whose top level has the key `runbook`.

    A file that cannot be read as YAML is among them, so that its errors are shown; other YAML is let alone.
    """
    found = [candidate(path, project) for path in yaml_files(project / "playbooks")]
    return [each for each in found if each is not None]


def yaml_files(folder: Path) -> list[Path]:
    """The `.yaml` files of a folder by name, without hidden ones; none where it cannot be listed."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".yaml" and not path.name.startswith("."))
    except OSError:
        return []


def candidate(path: Path, project: Path) -> Candidate | None:
    """What a file is: a playbook, one that cannot be read, or None for something else."""
    reading = Reading(str(path.relative_to(project)))
    try:
        text = text_of(read_regular(path, LARGEST), reading)
        top = top_level(text, reading)
    except FileTrouble as trouble:
        problem = Problem(f"{reading.file} {trouble.reason}", None, trouble.hint)
        return Candidate(path.stem, path, problem=problem)
    except Broken:
        return Candidate(path.stem, path, problem=reading.problems[0])
    except yaml.YAMLError as error:
        explain(error, text, reading)
        return Candidate(path.stem, path, problem=reading.problems[0])
    return Candidate(path.stem, path, service=top.get("service")) if "runbook" in top else None


def top_level(text: str, reading: Reading) -> dict[str, str | None]:
    """The keys of the first document's mapping, with the values that are text; nothing is built.

    Raises YAMLError, and Broken where it is nested deeper than a playbook may be.
    """
    top: dict[str, str | None] = {}
    depth, documents, key, mapping = 0, 0, None, False
    for event in events_of(text):
        documents += isinstance(event, yaml.DocumentStartEvent)
        if depth == 0:
            mapping = documents == 1 and isinstance(event, yaml.MappingStartEvent)
        elif depth == 1 and mapping and not isinstance(event, yaml.CollectionEndEvent):
            key = noted(event, key, top)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise reading.wrong(None, f"{reading.file} is nested deeper than {DEEPEST} levels")
    return top


def noted(event: Any, key: str | None, top: dict[str, str | None]) -> str | None:
    """Take one event of the top level; returns the key that waits for its value."""
    text = event.value if isinstance(event, yaml.ScalarEvent) else None
    if key is None:
        top.setdefault(text or "", None)
        return text or ""
    top[key] = text
    return None


def shipped_playbooks() -> list[Path]:
    """The playbooks that come with the tool, without the practice services and what the playbooks share."""
    return [path for path in yaml_files(shipped_folder("playbooks")) if path.stem != "base"]


def shipped_sandboxes() -> Path:
    """The folder in which each practice service is described."""
    return shipped_folder("playbooks") / "sandbox"


def shipped_templates() -> Path:
    """The folder of the templates that come with the tool."""
    return shipped_folder("templates")


def shipped_folder(name: str) -> Path:
    """A folder that is shipped: inside an installed package, or at the top of an editable one."""
    package = Path(runbook.__file__).resolve().parent
    inside = package / "_shipped" / name
    return inside if inside.is_dir() else package.parent / name
