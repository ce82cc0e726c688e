"""Severity from live numbers: the gravest whose `when` is true now. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.judge.evaluate import evaluate
from runbook.judge.facts import Facts
from runbook.language.conditions import parse_condition
from runbook.playbook.model import Severity

DEFAULT = "P1"  # what an incident gets where nothing proposes one


@dataclass(frozen=True)
class Proposed:
    """A severity, and why."""

    severity: str
    why: str


def propose_severity(severities: dict[str, Severity], facts: Facts) -> Proposed:
    """The gravest severity whose condition holds; P1 with the reason when none does or none could be judged."""
    unknown = []
    for name in sorted(severities):
        when = severities[name].when
        if when is None:
            continue
        judged = evaluate(parse_condition(when), facts)
        if judged.holds:
            return Proposed(name, f"{when}: {judged.observed}")
        if judged.reason is not None:
            unknown.append(f"{when} could not be judged")
    return Proposed(DEFAULT, "; ".join(unknown) or "no severity's condition holds; the default")


def respond_by(severities: dict[str, Severity], severity: str, opened: float) -> float | None:
    """When an answer is due, seconds since the epoch; None where the playbook names no time."""
    declared = severities.get(severity)
    return None if declared is None or declared.respond is None else opened + declared.respond
