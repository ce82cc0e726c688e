"""What the section `tests` says of the rest: positions, checks, metrics and rules that must exist."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from runbook.checks.base import Check
from runbook.judge.rules import ACTIONS
from runbook.language.places import did_you_mean
from runbook.playbook.model import Playbook, Stage
from runbook.playbook.nodes import Entry, ListNode, MapNode, Node, ScalarNode
from runbook.playbook.reading import Reading
from runbook.playbook.tests_answers import answer_problem, known_in, unit_problem
from runbook.playbook.trial import Trial, overlaid

BESIDE_GATES = ("bake", "sampled", "baseline", "calendar", "hold", "build")
BUILT_IN = "service fails for 1m"  # the rule of every bake whose verify list asks whether the service is there


def refuse_strange_tests(playbook: Playbook, root: MapNode, reading: Reading) -> None:
    """Note every name in the tests that the rest of the playbook does not have."""
    section = root.get("tests")
    nodes = {
        title.text: node
        for node in (section.items if isinstance(section, ListNode) else ())
        if isinstance(node, MapNode) and isinstance(title := node.get("test"), ScalarNode)
    }
    refuse_same_titles(section, reading)
    for trial in playbook.tests:
        if (node := nodes.get(trial.name)) is not None:
            refuse_strange_test(playbook, trial, node, reading)


def refuse_same_titles(section: Node | None, reading: Reading) -> None:
    seen: set[str] = set()
    for node in section.items if isinstance(section, ListNode) else ():
        title = node.get("test") if isinstance(node, MapNode) else None
        if isinstance(title, ScalarNode):
            if title.text in seen:
                reading.wrong(title.place, f"the test '{title.text}' stands twice", "give each a title of its own")
            seen.add(title.text)


def refuse_strange_test(playbook: Playbook, trial: Trial, node: MapNode, reading: Reading) -> None:
    try:
        whole = overlaid(trial, playbook.tests)
    except ValueError as trouble:
        like = node.get("like") or node
        titles = [one.name for one in playbook.tests if one.name != trial.name]
        reading.wrong(like.place, str(trouble), did_you_mean(trial.like or "", titles))
        return
    stage = refuse_strange_places(playbook, whole, node, reading)
    checks = check_names(playbook)
    metrics = playbook.metrics
    refuse_strange_answers(playbook, trial, node, reading)
    refuse_strange_numbers(playbook, entries_of(node.get("baseline")), reading)
    refuse_unknown(entries_of(node.get("left")), [one.name for one in playbook.stages], "stage", reading)
    for stage_left in entries_of(node.get("left")):
        refuse_strange_numbers(playbook, entries_of(stage_left.node), reading)
    refuse_unknown(named_in(node.get("signed")), signers(playbook), "role or manual item", reading)
    expect = node.get("expect")
    if isinstance(expect, MapNode):
        refuse_unknown(entries_of(expect.get("checks")), checks, "check", reading)
        refuse_ambiguous(playbook, entries_of(expect.get("checks")), reading)
        refuse_unknown(entries_of(expect.get("metrics")), metrics, "metric", reading)
        refuse_unknown(entries_of(expect.get("gates")), gate_names(stage), "gate here", reading)
        refuse_unknown(named_in(expect.get("fires")), [*ACTIONS, *rule_names(playbook, stage)], "rule here", reading)


def refuse_strange_answers(playbook: Playbook, trial: Trial, node: MapNode, reading: Reading) -> None:
    """Note every answer that is of nothing, of more than one thing, or that nothing would judge."""
    known = known_in(playbook, every_check(playbook))
    for section, said in (("answers", trial.answers), ("before", trial.before)):
        for entry in entries_of(node.get(section)):
            if entry.key in said and (found := answer_problem(known, entry.key, said[entry.key])) is not None:
                message, hint = found
                place = entry.place if message.startswith("there is no ") else entry.node.place
                reading.wrong(place, message, hint)


def refuse_strange_numbers(playbook: Playbook, entries: Sequence[Entry], reading: Reading) -> None:
    """Note captured numbers of metrics that are none, or in a unit that the metric cannot have."""
    refuse_unknown(entries, playbook.metrics, "metric", reading)
    for entry in entries:
        metric = playbook.metrics.get(entry.key)
        if metric is None or not isinstance(entry.node, ScalarNode):
            continue
        if (found := unit_problem(metric, entry.node.value)) is not None:
            reading.wrong(entry.node.place, *found)


def refuse_ambiguous(playbook: Playbook, entries: Iterable[Entry], reading: Reading) -> None:
    """Note a short id that two checks have."""
    checks = every_check(playbook)
    for entry in entries:
        found = [check.full_id for check in checks if entry.key == check.id]
        if entry.key not in (check.full_id for check in checks) and len(set(found)) > 1:
            reading.wrong(entry.place, f"'{entry.key}' may be {' or '.join(found)}", f"write {found[0]}")


def refuse_strange_places(playbook: Playbook, trial: Trial, node: MapNode, reading: Reading) -> Stage | None:
    """Note a position, environment or stage that is none; gives the stage that the test stands in."""
    environment, enters = node.get("environment"), node.get("enters")
    if isinstance(environment, ScalarNode):
        refuse_unknown([named(environment)], playbook.environments, "environment", reading)
    names = [stage.name for stage in playbook.stages]
    if isinstance(enters, ScalarNode):
        refuse_unknown([named(enters)], names, "stage", reading)
    if trial.at is None:
        return None
    name, _, percent = trial.at.partition("@")
    stage = next((one for one in playbook.stages if one.name == name), None)
    at = node.get("at")
    if isinstance(at, ScalarNode) and (stage is None or not stands_there(playbook, stage, percent)):
        positions = [f"{one.name}@{rung.percent:g}" for one in playbook.stages for rung in one.rungs]
        hint = did_you_mean(trial.at, positions) or f"one of {', '.join(positions) or 'none: there are no stages'}"
        reading.wrong(at.place, f"there is no step '{trial.at}'", hint)
    return stage


def stands_there(playbook: Playbook, stage: Stage, percent: str) -> bool:
    """Whether a service can stand at this percentage of a stage: on a rung, or where a way back leads."""
    if not percent:
        return True
    try:
        number = float(percent)
    except ValueError:
        return False
    partial = playbook.rollback.partial if playbook.rollback else None
    back = {stage.fallback.percent if stage.fallback else None, *(partial.ladder if partial else ())}
    return number in {rung.percent for rung in stage.rungs} | back


def refuse_unknown(entries: Iterable[Entry], known: Collection[str], what: str, reading: Reading) -> None:
    for entry in entries:
        if entry.key not in known:
            some = list(known)
            hint = did_you_mean(entry.key, some) or f"known: {', '.join(some[:12])}{', ...' if len(some) > 12 else ''}"
            reading.wrong(entry.place, f"there is no {what} '{entry.key}'", hint if some else "there is none at all")


def entries_of(node: Node | None) -> list[Entry]:
    return list(node.entries.values()) if isinstance(node, MapNode) else []


def named_in(node: Node | None) -> list[Entry]:
    """The names of a list, or of the keys of a mapping."""
    if isinstance(node, ListNode):
        return [named(item) for item in node.items if isinstance(item, ScalarNode)]
    return entries_of(node)


def named(node: ScalarNode) -> Entry:
    return Entry(node.text, node.place, node)


def every_check(playbook: Playbook) -> list[Check]:
    """Every check that is looked at as such, nested ones too."""
    waiting = [*playbook.verify, *(check for listed in playbook.checklists.values() for check in listed)]
    found: list[Check] = []
    while waiting:
        check = waiting.pop(0)
        found.append(check)
        waiting[:0] = check.checks
    return found


def check_names(playbook: Playbook) -> Mapping[str, Check]:
    """The checks by id and by LIST/ID."""
    checks = every_check(playbook)
    return {**{check.id: check for check in checks}, **{check.full_id: check for check in checks}}


def signers(playbook: Playbook) -> list[str]:
    """The roles of the stages and the ids of manual items."""
    roles = [one.role for stage in playbook.stages for one in stage.sign]
    gates = [gate.sign.id for stage in playbook.stages for gate in stage.gates if gate.sign is not None]
    people = [name for name, check in check_names(playbook).items() if check.kind in ("sign", "inspect")]
    return [*roles, *gates, *people]


def gate_names(stage: Stage | None) -> list[str]:
    """The gates of a stage as a test names them, its roles, and what is decided beside them."""
    if stage is None:
        return list(BESIDE_GATES)
    items = [name for gate in stage.gates if gate.sign for name in (gate.sign.id, gate.sign.title)]
    conditions = [gate.condition for gate in stage.gates if gate.sign is None]
    return [*conditions, *items, *(one.role for one in stage.sign), *BESIDE_GATES]


def rule_names(playbook: Playbook, stage: Stage | None) -> list[str]:
    """The conditions of every rule that may fire there."""
    triggers = [one.when for one in stage.triggers] if stage else []
    guardrails = [gate.condition for gate in stage.gates if gate.as_ == "guardrail"] if stage else []
    return [*triggers, *guardrails, *(row.when for row in playbook.matrix), BUILT_IN]
