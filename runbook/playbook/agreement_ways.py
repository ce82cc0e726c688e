"""What the ways down, the notices and the sign-offs name has to be there, and has to make sense together."""

from __future__ import annotations

from runbook.language.places import did_you_mean
from runbook.playbook.agreement import names_under, stage_nodes
from runbook.playbook.model import Playbook, Stage
from runbook.playbook.nodes import ListNode, MapNode, Node, ScalarNode, mappings_in
from runbook.playbook.notices import ENTER
from runbook.playbook.reading import Reading


def refuse_unknown_ways(playbook: Playbook, root: MapNode, reading: Reading) -> None:
    """Note every channel, notice, stage and metric that is named and is not there, and fallbacks that lead nowhere."""
    refuse_unknown_channels(root, reading)
    refuse_unknown_notices(root, reading)
    refuse_unknown_counts(root, reading)
    for stage, node in zip(playbook.stages, stage_nodes(root), strict=False):
        if isinstance(name := node.get("stage"), ScalarNode) and name.text == stage.name:
            refuse_odd_fallback(stage, node, reading)


def refuse_unknown(node: Node | None, known: list[str] | None, what: str, reading: Reading) -> None:
    """Note each text of a list (or the one text) that is not among `known`; None means that nobody can tell."""
    if known is None:
        return
    for item in node.items if isinstance(node, ListNode) else (node,):
        if isinstance(item, ScalarNode) and item.text not in known:
            hint = did_you_mean(item.text, known) or f"there are: {', '.join(known) or 'none'}"
            reading.wrong(item.place, f"there is no {what} '{item.text}'", hint)


def refuse_unknown_channels(root: MapNode, reading: Reading) -> None:
    notices, stages = root.get("notices"), [name.text for node in stage_nodes(root) if (name := named(node))]
    for entry in notices.entries.values() if isinstance(notices, MapNode) else ():
        if not isinstance(entry.node, MapNode):
            continue
        refuse_unknown(entry.node.get("to"), names_under(root, "channels"), "channel", reading)
        on = entry.node.get("on")
        for item in on.items if isinstance(on, ListNode) else (on,):
            if isinstance(item, ScalarNode) and item.text.startswith(ENTER):
                stage = item.text.removeprefix(ENTER).strip()
                if stage not in stages:
                    hint = did_you_mean(stage, stages) or f"stages: {', '.join(stages) or 'none'}"
                    reading.wrong(item.place, f"there is no stage '{stage}'", hint)


def named(node: MapNode) -> ScalarNode | None:
    name = node.get("stage")
    return name if isinstance(name, ScalarNode) else None


def refuse_unknown_notices(root: MapNode, reading: Reading) -> None:
    known = names_under(root, "notices")
    for item in mappings_in(root):
        if "do" in item.entries and "notify" in item.entries:
            refuse_unknown(item.get("notify"), known, "notice", reading)


def refuse_unknown_counts(root: MapNode, reading: Reading) -> None:
    metrics = root.get("metrics")
    for entry in metrics.entries.values() if isinstance(metrics, MapNode) else ():
        if isinstance(entry.node, MapNode):
            refuse_unknown(entry.node.get("n"), names_under(root, "metrics"), "metric", reading)


def refuse_odd_fallback(stage: Stage, node: MapNode, reading: Reading) -> None:
    """A fallback goes down, and a one-way stage has one of its own."""
    at, fallback = node.get("fallback"), stage.fallback
    top = stage.rungs[-1].percent
    if at is not None and fallback is not None and fallback.percent is not None and fallback.percent >= top:
        message = f"the fallback of {stage.name} is {fallback.percent:g}, and it goes up to {top:g} only"
        reading.wrong(at.place, message, "a fallback goes down: a lower percentage, previous or rollback")
    if stage.one_way and (fallback is None or fallback.way is not None):
        hint = "fallback: a percentage within the stage, or an action"
        reading.wrong(node.entries["one_way"].place, f"{stage.name} is one_way and has no fallback of its own", hint)
