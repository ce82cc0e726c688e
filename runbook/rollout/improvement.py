"""Whether going down in part has helped: the gates that said no, held against what they say after the bake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbook.judge.evaluate import Evaluation
from runbook.judge.facts import Facts
from runbook.judge.gates import judge_gate
from runbook.judge.quantities import UnmeasuredError
from runbook.judge.values import LARGEST_SKEW, Values
from runbook.judge.verdicts import Truth
from runbook.language.algebra import UnitError, brought, shared_unit
from runbook.language.conditions import Condition, parse_condition
from runbook.language.syntax import Clause, Comparison, Held, Increase
from runbook.rollout.facts import look_from_here
from runbook.rollout.site import Site

NEARER = 0.1  # a value counts as improved when it came so much nearer to its limit, as a share of the way
LOOK_DEADLINE = 10.0


@dataclass(frozen=True)
class GateSeen:
    """One gate at one time. `holds` is None where it is unknown; `beyond` how far its value lies beyond the limit.

    It holds as a gate does, now and over the bake so far; `observed` and `beyond` are of now alone.
    """

    title: str
    holds: bool | None
    observed: str
    beyond: float | None = None


@dataclass(frozen=True)
class Improvement:
    """Whether it helped; `better` is None where that cannot be told. `said` tells what was compared."""

    better: bool | None
    said: str


def gates_now(site: Site) -> tuple[GateSeen, ...]:
    """The gates with a condition of the stage we are in, from a look made now."""
    sight = look_from_here(site, site.playbook.verify, LOOK_DEADLINE)
    stage, environment = sight.standing.stage, site.environment.name
    gates = [gate for gate in (stage.gates if stage else ()) if gate.condition and not gate.dry_run]
    return tuple(gate_seen(gate.condition, sight.facts) for gate in gates if gate.counts_in(environment))


def gate_seen(text: str, facts: Facts) -> GateSeen:
    """A gate now. One that cannot be judged at all is unknown."""
    try:
        condition = parse_condition(text)
        judged, now = judge_gate(condition, facts), Evaluation(condition, facts).judge()
    except Exception:  # a broken gate is isolated, as in a decision
        return GateSeen(text, None, "it could not be judged")
    holds = {Truth.TRUE: True, Truth.FALSE: False, Truth.UNKNOWN: None}[judged.truth]
    return GateSeen(text, holds, now.observed or judged.message, _beyond(condition, facts))


def _beyond(condition: Condition, facts: Facts) -> float | None:
    """How far the value lies beyond its limit, in its own unit; None for what is no comparison with one limit."""
    clause: Clause = condition.root
    while isinstance(clause, Held):
        clause = clause.of
    try:
        if isinstance(clause, Comparison):
            return _signed(clause.operator, _difference(clause, facts))
        if isinstance(clause, Increase):
            change, limit = Evaluation(condition, facts).judge(clause).value, _values(facts).of(clause.limit)
            share = float(brought(limit.number, limit.unit, shared_unit("ratio", limit.unit)))
            return _signed(clause.operator, change - share) if isinstance(change, float) else None
    except (UnmeasuredError, UnitError):
        return None
    return None


def _values(facts: Facts) -> Values:
    return Values(facts, facts.now + LARGEST_SKEW)


def _difference(clause: Comparison, facts: Facts) -> float:
    left, right = _values(facts).of(clause.left), _values(facts).of(clause.right)
    unit = shared_unit(left.unit, right.unit)
    return float(brought(left.number, left.unit, unit) - brought(right.number, right.unit, unit))


def _signed(operator: str, difference: float) -> float | None:
    """Above zero where the comparison says no; None where there is no side to be on."""
    if operator in ("<", "<="):
        return difference
    return -difference if operator in (">", ">=") else None


def improved(before: Sequence[GateSeen], after: Sequence[GateSeen]) -> Improvement:
    """Whether every gate that said no holds now, or its value came at least a tenth of the way nearer to its limit.

    Where none said no at the beginning, none may say no now. What cannot be judged now is no answer.
    """
    if not after:
        return Improvement(None, "the stage has no gate to tell it by")
    against = [seen for seen in before if seen.holds is False]
    now = {seen.title: seen for seen in after}
    asked = against or [seen for seen in after if seen.holds is not True]
    told = [_compared(seen if against else None, now.get(seen.title)) for seen in asked]
    said = "; ".join(one.said for one in told) or "every gate holds"
    if any(one.better is False for one in told):
        return Improvement(False, said)
    return Improvement(None if any(one.better is None for one in told) else True, said)


def _compared(before: GateSeen | None, after: GateSeen | None) -> Improvement:
    if after is None or after.holds is None:
        title = after.title if after else before.title if before else ""
        return Improvement(None, f"{title} is unknown: {after.observed if after else 'no such gate here'}")
    if after.holds:
        return Improvement(True, f"{after.title} holds: {after.observed}")
    if before is None or before.beyond is None or after.beyond is None:
        return Improvement(False, f"{after.title} says no: {after.observed}")
    nearer = after.beyond <= before.beyond * (1 - NEARER)
    word = "came nearer" if nearer else "did not come nearer"
    return Improvement(nearer, f"{after.title} {word}: {before.observed}, then {after.observed}")
