"""What one section says about another: names that must exist, keys that must be declared, units that must fit."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from runbook.language.checking import condition_problems
from runbook.language.conditions import parse_condition
from runbook.language.places import did_you_mean
from runbook.playbook.model import Playbook
from runbook.playbook.nodes import Entry, ListNode, MapNode, Node, ScalarNode, mappings_in
from runbook.playbook.reading import Reading
from runbook.playbook.written import condition_place

REFERENCES = ("baseline", "control", "treatment")


def refuse_disagreement(playbook: Playbook, root: MapNode, reading: Reading) -> None:
    """Note every name and unit that does not fit. Sections that could not be read are not held against others."""
    refuse_twins(reading)
    refuse_undeclared(playbook, root, reading)
    refuse_undeclared_looks(playbook, root, reading)
    refuse_unknown_lists(root, reading)
    refuse_stage_names(root, reading)
    refuse_unknown_environments(root, reading)
    refuse_homeless_flags(playbook, root, reading)
    refuse_conditions(playbook, root, reading)


def refuse_twins(reading: Reading) -> None:
    seen: set[str] = set()
    for check in reading.checks:
        if check.full_id in seen:
            where, _, name = check.full_id.rpartition("/")
            hint = "give one of them another title, or an id: of its own"
            reading.wrong(check.place, f"the id '{name}' stands twice in '{where}'", hint)
        seen.add(check.full_id)


def names_under(root: MapNode, section: str) -> list[str] | None:
    """The keys of a section, also of those whose values could not be read; None when the section is no mapping."""
    node = root.get(section)
    if node is None:
        return []
    return list(node.entries) if isinstance(node, MapNode) else None


def stage_nodes(root: MapNode) -> list[MapNode]:
    stages = root.get("stages")
    return [node for node in stages.items if isinstance(node, MapNode)] if isinstance(stages, ListNode) else []


def entries_of(node: Node | None) -> Iterator[Entry]:
    if isinstance(node, MapNode):
        yield from node.entries.values()


def refuse_undeclared(playbook: Playbook, root: MapNode, reading: Reading) -> None:
    """Every key that a stage or the way back sets is declared in `flags.safe`; the percentage is set by `percent`."""
    way_back = root.get("rollback")
    set_back = way_back.get("set") if isinstance(way_back, MapNode) else None
    if playbook.flags is None:
        if "flags" not in root.entries:
            refuse_without_flags(root, set_back, reading)
        return
    declared = playbook.flags.keys()
    for stage in stage_nodes(root):
        for entry in entries_of(stage.get("set")):
            if entry.key == playbook.flags.percent:
                reading.wrong(entry.place, f"{entry.key} is the percentage", "write it as percent: of the stage")
            else:
                refuse_key(entry, declared, reading)
        if "percent" in stage.entries and playbook.flags.percent is None:
            at = stage.entries["percent"].place
            reading.wrong(
                at, "the stage has a percentage, but flags do not say which key holds it", "flags: {percent: KEY}"
            )
    for entry in entries_of(set_back):
        refuse_key(entry, declared, reading)


def refuse_key(entry: Entry, declared: Collection[str], reading: Reading) -> None:
    if entry.key not in declared:
        hint = did_you_mean(entry.key, declared) or "add it to flags: safe: with the value that is safe"
        reading.wrong(entry.place, f"{entry.key} is not declared in flags", hint)


def refuse_undeclared_looks(playbook: Playbook, root: MapNode, reading: Reading) -> None:
    """What a check of the kind `flags` asks for is declared: one key, or the keys of its `map`."""
    if playbook.flags is None:
        return
    for item in mappings_in(root):
        asked = item.entries.get("flags")
        if asked is None or "check" not in item.entries:
            continue
        if isinstance(asked.node, ScalarNode) and asked.node.text not in ("safe", "live"):
            refuse_key(Entry(asked.node.text, asked.node.place, asked.node), playbook.flags.keys(), reading)
        for entry in entries_of(item.get("map")):
            refuse_key(entry, playbook.flags.keys(), reading)


def refuse_without_flags(root: MapNode, set_back: Node | None, reading: Reading) -> None:
    if "stages" in root.entries and stage_nodes(root):
        at = root.entries["stages"].place
        reading.wrong(at, "stages without flags change nothing", "add flags: {percent: KEY, safe: {KEY: 0}}")
    if set_back is not None:
        reading.wrong(set_back.place, "there are no flags to set back", "add flags: {safe: {KEY: VALUE}}")


def refuse_unknown_lists(root: MapNode, reading: Reading) -> None:
    known = names_under(root, "checklists")
    if known is None:
        return
    for stage in stage_nodes(root):
        node = stage.get("requires")
        for item in node.items if isinstance(node, ListNode) else (node,):
            if isinstance(item, ScalarNode) and item.text not in known:
                hint = did_you_mean(item.text, known) or f"checklists: {', '.join(known) or 'none'}"
                reading.wrong(item.place, f"there is no checklist '{item.text}'", hint)


def refuse_stage_names(root: MapNode, reading: Reading) -> None:
    seen: dict[str, int] = {}
    for stage in stage_nodes(root):
        name = stage.get("stage")
        if not isinstance(name, ScalarNode):
            continue
        if name.text in seen:
            reading.wrong(
                name.place, f"the stage '{name.text}' stands twice", f"the first is in line {seen[name.text]}"
            )
        seen.setdefault(name.text, name.place.line)


def refuse_unknown_environments(root: MapNode, reading: Reading) -> None:
    known = names_under(root, "environments")
    if known is None:
        return
    for node in reading.environments_named:
        for item in node.items if isinstance(node, ListNode) else (node,):
            if isinstance(item, ScalarNode) and item.text not in known:
                hint = did_you_mean(item.text, known) or f"environments: {', '.join(known) or 'none'}"
                reading.wrong(item.place, f"there is no environment '{item.text}'", hint)


def refuse_homeless_flags(playbook: Playbook, root: MapNode, reading: Reading) -> None:
    """Flags that stages change have to live somewhere in each environment; in a sandbox they do."""
    if playbook.flags is None or not playbook.stages:
        return
    environments = root.get("environments")
    if environments is None:
        reading.wrong(
            root.entries["flags"].place, "there are flags but no environments", "add environments: {NAME: {...}}"
        )
    for entry in entries_of(environments):
        read = playbook.environments.get(entry.key)
        if read and not read.sandbox and isinstance(entry.node, MapNode) and "flags_in" not in entry.node.entries:
            reading.wrong(entry.place, f"{entry.key} does not say where its flags live", "add flags_in: {env: FILE}")


def refuse_conditions(playbook: Playbook, root: MapNode, reading: Reading) -> None:
    """The names and units of every condition but those of `expect`, whose names come with the answer."""
    metrics = names_under(root, "metrics")
    if metrics is None:
        return
    units: dict[str, str | None] = dict.fromkeys(metrics)
    units |= {name: metric.unit or ("count" if metric.counter else None) for name, metric in playbook.metrics.items()}
    stages = {name.text for stage in stage_nodes(root) if isinstance(name := stage.get("stage"), ScalarNode)}
    references = {*REFERENCES, *stages}
    checks = {part for check in reading.checks for part in (check.full_id, check.full_id.rpartition("/")[2])}
    for written in reading.conditions:
        if written.purpose == "expect":
            continue
        condition = parse_condition(written.text, written.subject)
        found = condition_problems(condition, units, checks=checks, references=references)
        for error in found:
            reading.wrong(condition_place(written.node, error), error.message, error.hint)
