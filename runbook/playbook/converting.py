"""From the tree of a playbook to the playbook: section by section, so that every mistake is found in one go."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import replace
from typing import Any

import msgspec

from runbook.language.places import Place
from runbook.playbook.agreement import refuse_disagreement
from runbook.playbook.agreement_ways import refuse_unknown_ways
from runbook.playbook.model import Playbook, Rollback
from runbook.playbook.nodes import ListNode, MapNode, Node, ScalarNode, described, plain_of
from runbook.playbook.reading import Broken, Reading
from runbook.playbook.records import refuse_keys
from runbook.playbook.sections import ESSENTIAL, GATEKEEPERS, NOT_YET, SECTIONS
from runbook.playbook.suspicious import refuse_shown_secrets, warn_of_suspicious
from runbook.playbook.tests_agreement import refuse_strange_tests

MOST_SOFTENED = 100  # so that mistakes elsewhere never crowd out one in the way back


def convert(root: Node, reading: Reading, *, emergency: bool = False) -> Playbook | None:
    """The playbook of a tree, or None when something is wrong with it; `reading` has the problems then.

    In an emergency only the sections of the way back count; mistakes elsewhere are noted as warnings.
    """
    if not isinstance(root, MapNode):
        reading.wrong(root.place, f"{described(root)} stands where a playbook belongs", "begin with runbook: 1")
        return None
    values: dict[str, Any] = {}
    for name in GATEKEEPERS:
        read_section(name, root, values, reading)
    if errors(reading):
        return None
    start = len(reading.problems)
    refuse_keys(root, SECTIONS, reading, "a playbook", NOT_YET)
    soften(reading, start, emergency)
    for name in [name for name in SECTIONS if name not in GATEKEEPERS]:
        start = len(reading.problems)
        read_section(name, root, values, reading)
        soften(reading, start, emergency and name not in ESSENTIAL)
    playbook = assembled(values, root, reading)
    start = len(reading.problems)
    refuse_disagreement(playbook, root, reading)
    refuse_unknown_ways(playbook, root, reading)
    refuse_shown_secrets(playbook, root, reading)
    refuse_strange_tests(playbook, root, reading)
    soften(reading, start, emergency)
    if errors(reading):
        return None
    if not emergency:
        warn_of_suspicious(playbook, root, reading)
    return playbook


def read_section(name: str, root: MapNode, values: dict[str, Any], reading: Reading) -> None:
    node = root.get(name)
    if node is None:
        if SECTIONS[name].required:
            hint = "runbook: 1" if name == "runbook" else f"{name}: NAME"
            reading.wrong(
                Place(root.place.file, root.place.line, root.place.column), f"'{name}' is missing", f"add {hint}"
            )
        return
    reading.within = name
    with contextlib.suppress(Broken):
        values[name] = SECTIONS[name].shape.read(node, reading)


def errors(reading: Reading) -> bool:
    return any(problem.level == "error" for problem in reading.problems)


def soften(reading: Reading, start: int, apply: bool) -> None:
    """Where `apply`, make warnings of the errors that were noted since `start`; of a flood the first few."""
    if apply:
        noted = reading.problems[start : start + MOST_SOFTENED]
        reading.problems[start:] = [replace(problem, level="warning") for problem in noted]


def assembled(values: dict[str, Any], root: MapNode, reading: Reading) -> Playbook:
    """The playbook of the sections that could be read; `safe` is spelled out in the way back."""
    kept = {name: value for name, value in values.items() if name not in ("runbook", "needs", "extends")}
    flags, way_back = kept.get("flags"), kept.get("rollback")
    if flags and (way_back or "rollback" not in root.entries):
        way_back = way_back or Rollback()
        kept["rollback"] = msgspec.structs.replace(way_back, set=way_back.set or dict(flags.safe))
    kept.setdefault("service", "")
    kept["title"] = kept.get("title") or kept["service"]
    plain = plain_playbook(root)
    return Playbook(path=reading.file, plain=plain, digest=digest_of_plain(plain), **kept)


def digest_of_plain(plain: dict[str, Any]) -> str:
    """The SHA-256 of the merged sections, whatever file each came from."""
    return hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()


def plain_playbook(root: MapNode) -> dict[str, Any]:
    """The sections as plain data, from which the same playbook can be read again; flags and variables as text."""
    plain: dict[str, Any] = plain_of(root)
    plain.pop("extends", None)
    respell(plain, root, ("flags", "safe"))
    respell(plain, root, ("rollback", "set"))
    stages = root.get("stages")
    for index, stage in enumerate(stages.items if isinstance(stages, ListNode) else ()):
        if isinstance(stage, MapNode):
            respell(plain["stages"][index], stage, ("set",))
    environments = root.get("environments")
    for name, entry in environments.entries.items() if isinstance(environments, MapNode) else ():
        if isinstance(entry.node, MapNode):
            respell(plain["environments"][name], entry.node, ("variables",))
    return plain


def respell(plain: Any, node: Node, path: tuple[str, ...]) -> None:
    """Put values as they were written at a path of the plain data, where there is a mapping."""
    for key in path:
        if not isinstance(node, MapNode) or key not in node.entries:
            return
        plain, node = plain[key] if key != path[-1] else plain, node.entries[key].node
    if isinstance(node, MapNode):
        spelled = {
            key: entry.node.text if isinstance(entry.node, ScalarNode) else plain_of(entry.node)
            for key, entry in node.entries.items()
        }
        plain[path[-1]] = spelled
