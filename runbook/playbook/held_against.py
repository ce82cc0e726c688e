"""Which metrics a playbook holds against captured numbers. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from runbook.language.conditions import parse_condition
from runbook.language.syntax import Increase, Name, Node, Treated, Window, walk
from runbook.playbook.model import Playbook

BASELINE = "baseline"


def references_in(text: str, playbook: Playbook) -> Iterator[tuple[str, str]]:
    """Each metric of a condition that is held against a reference, with the name of that: `baseline`, or a stage's."""
    for node in walk(parse_condition(text).root):
        if isinstance(node, Name) and node.reference is not None:
            yield node.name, node.reference
        elif isinstance(node, Increase):
            yield metric_of(node.of), node.versus
        elif isinstance(node, Treated):
            metric = playbook.metrics.get(metric_of(node.of))
            if metric is None or metric.covers == "all":
                yield metric_of(node.of), BASELINE


def metric_of(node: Node) -> str:
    """The metric that a name or a window of it stands for."""
    return node.metric.name if isinstance(node, Window) else node.name if isinstance(node, Name) else ""


def held_against_baseline(playbook: Playbook) -> tuple[str, ...]:
    """The metrics that are asked for and that some gate, trigger, row of the matrix or `recovered` holds against the
    baseline, in the order in which they are declared.
    """
    held = {
        metric
        for text in _conditions(playbook)
        for metric, reference in references_in(text, playbook)
        if reference == BASELINE
    }
    return tuple(name for name, metric in playbook.metrics.items() if name in held and metric.check is not None)


def _conditions(playbook: Playbook) -> Iterator[str]:
    for stage in playbook.stages:
        yield from (gate.condition for gate in stage.gates if gate.condition)
        yield from (trigger.when for trigger in stage.triggers)
    if playbook.rollback is not None and playbook.rollback.recovered:
        yield playbook.rollback.recovered
    yield from (row.when for row in playbook.matrix)
