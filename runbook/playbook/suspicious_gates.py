"""Gates that cannot see what they are for: limits that the untreated dilute, and references that nobody captures."""

from __future__ import annotations

from collections.abc import Iterator

from runbook.judge.dilution import Diluted, diluted, sees_doubling
from runbook.judge.facts import Facts, Reference, Series
from runbook.language.conditions import Condition, parse_condition
from runbook.language.syntax import Increase, Treated, walk
from runbook.language.units import show_value
from runbook.playbook.held_against import BASELINE, metric_of, references_in
from runbook.playbook.model import Playbook, Stage
from runbook.playbook.reading import Reading, WrittenCondition

SOME_SHARE = 50.0  # a limit is read out of a condition in the same way at every percentage between 0 and 100


def warn_of_blind_gates(playbook: Playbook, reading: Reading) -> None:
    """Note a warning for each gate that lets harm pass unseen, or that can never be judged."""
    before: list[WrittenCondition] = []
    for number, stage in enumerate(playbook.stages):
        gates = gates_of(stage, reading)
        warn_diluted(playbook, stage, gates, before, reading)
        warn_without_baseline(playbook, number, gates, reading)
        warn_never_left(playbook, number, gates, reading)
        before += gates


def gates_of(stage: Stage, reading: Reading) -> list[WrittenCondition]:
    """The conditions of a stage's gates where they stand; those that are only tried out are none."""
    judged = {gate.condition for gate in stage.gates if not gate.dry_run}
    gates = (one for one in reading.conditions if one.purpose == "gate" and one.within == stage.name)
    return [gate for gate in gates if gate.text in judged]


def warn_diluted(
    playbook: Playbook, stage: Stage, gates: list[WrittenCondition], before: list[WrittenCondition], reading: Reading
) -> None:
    """Limits on the whole service that hold while the harm among the treated doubles; each metric once a stage.

    How it was before is not known here: the smallest limit that the earlier stages or the target put on it is taken.
    """
    shares = [rung.percent for rung in stage.rungs if 0 < rung.percent < 100]
    if not shares:
        return
    seen = {name for gate in gates for name in seeing_themselves(parse_condition(gate.text))}
    for gate, found in tightest(playbook, gates, min(shares)).values():
        assumed = assumed_before(playbook, found.metric, before)
        if found.metric in seen or assumed is None or sees_doubling(found.limit, assumed, found.share):
            continue
        passing = show_value(Diluted(found.metric, found.limit, assumed, found.share).lets_through, "ratio")
        message = (
            f"{gate.text} cannot see a doubling at {show_value(found.share, 'ratio')}: if it was "
            f"{show_value(assumed, 'ratio')} before (the smallest limit so far), {passing} among the treated pass"
        )
        limit = show_value(found.limit, "ratio").replace(" ", "")
        hint = f'add the gate "treated({found.metric}) < {limit}", which needs a captured baseline'
        reading.warn(gate.node.place, message, hint)


def seeing_themselves(condition: Condition) -> Iterator[str]:
    """The metrics of a gate that are judged among the treated, or against what they were."""
    for node in walk(condition.root):
        if isinstance(node, Treated | Increase):
            yield metric_of(node.of)


def tightest(
    playbook: Playbook, gates: list[WrittenCondition], percent: float
) -> dict[str, tuple[WrittenCondition, Diluted]]:
    """By metric the gate with the smallest limit that sees the treated only through the whole."""
    found: dict[str, tuple[WrittenCondition, Diluted]] = {}
    for gate in gates:
        for one in limits_in(parse_condition(gate.text), playbook, percent):
            if one.metric not in found or one.limit < found[one.metric][1].limit:
                found[one.metric] = (gate, one)
    return found


def assumed_before(playbook: Playbook, metric: str, before: list[WrittenCondition]) -> float | None:
    """The smallest limit that the gates before, or the target, put on a metric, as a share of 1; None without any."""
    conditions = [parse_condition(gate.text) for gate in before]
    target = playbook.metrics[metric].target
    conditions += [parse_condition(target, metric)] if target else []
    limits = [one.limit for each in conditions for one in limits_in(each, playbook, SOME_SHARE) if one.metric == metric]
    return min(limits, default=None)


def limits_in(condition: Condition, playbook: Playbook, percent: float) -> tuple[Diluted, ...]:
    """The limits of a condition as they are at this percentage, whatever the baseline."""
    asked = {name: metric for name, metric in playbook.metrics.items() if metric.check is not None}
    constants = {name: metric.value for name, metric in playbook.metrics.items() if metric.value is not None}
    facts = Facts(
        now=0.0,
        series={name: Series(metric.unit, (), covers=metric.covers) for name, metric in asked.items()},
        values=constants,
        units={name: playbook.metrics[name].unit for name in constants},
        references={BASELINE: dict.fromkeys(asked, Reference(0.0))},
        percent=percent,
    )
    return diluted(condition, facts)


def warn_without_baseline(playbook: Playbook, number: int, gates: list[WrittenCondition], reading: Reading) -> None:
    """The first gate of a stage that is held against a baseline which no stage before captures."""
    if any(stage.baseline for stage in playbook.stages[:number]):
        return
    for gate in gates:
        held = [metric for metric, name in references_in(gate.text, playbook) if name == BASELINE]
        if held:
            message = f"{held[0]} is held against a baseline, and no stage before {gate.within} captures one"
            hint = "write baseline: capture on the stage before, or type runbook baseline capture in time"
            reading.warn(gate.node.place, message, hint)
            return


def warn_never_left(playbook: Playbook, number: int, gates: list[WrittenCondition], reading: Reading) -> None:
    """Gates held against a stage that is not left before them."""
    stage = playbook.stages[number]
    left = {earlier.name for earlier in playbook.stages[:number]} | ({stage.name} if len(stage.rungs) > 1 else set())
    names = {one.name for one in playbook.stages}
    for gate in gates:
        for metric, name in references_in(gate.text, playbook):
            if name in names - left:
                message = f"{metric}@{name} is not known in {stage.name}: {name} has not been left there"
                reading.warn(gate.node.place, message, "name an earlier stage, or baseline")
