"""Whether gates, triggers, limits and the other conditions of a playbook can be both true and false."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.judge.reachable import BOTH, reached
from runbook.judge.verdicts import Truth
from runbook.language.conditions import parse_condition
from runbook.playbook.model import Playbook
from runbook.playbook.reading import WrittenCondition
from runbook.rollout.proving_domains import domains_here, percents_here

RULES = ("trigger", "matrix", "severity")
LIMITS = "limit"


@dataclass(frozen=True)
class Doubt:
    """What is doubtful of a condition, and what to do about it."""

    why: str
    hint: str


def doubt_about(written: WrittenCondition, playbook: Playbook) -> Doubt | None:
    """Why a condition decides nothing; None where it can be both, and where that cannot be searched."""
    stage = next((one for one in playbook.stages if one.name == written.within), None)
    condition = parse_condition(written.text, written.subject)
    found = reached(condition, domains_here(playbook, stage), percents_here(playbook, stage))
    if not found or found == BOTH:
        return None
    return _always(written, playbook) if Truth.TRUE in found else _never(written, playbook)


def _always(written: WrittenCondition, playbook: Playbook) -> Doubt:
    text = written.text
    if written.purpose == "gate":
        return Doubt(f"the gate {text} can never say no: it holds at every value", "write a limit that harm breaks")
    if written.purpose in RULES:
        return Doubt(f"{text} is true at every value: its rule would always fire", "write a limit that is safe to pass")
    if written.purpose == LIMITS and _is_target(written, playbook):
        return Doubt(f"the target {text} of {written.within} is met at every value", "write one that can be missed")
    return Doubt(f"{text} is true at every value", "leave it out, or write a limit that means something")


def _never(written: WrittenCondition, playbook: Playbook) -> Doubt:
    text = written.text
    if written.purpose == "gate":
        return Doubt(f"the gate {text} can never hold, so its stage is never left", "write a limit that can be kept")
    if written.purpose in RULES:
        return Doubt(f"{text} can never be true: its rule never fires", "write a limit that a bad value passes")
    if written.purpose == LIMITS and not _is_target(written, playbook):
        return Doubt(f"{written.within} can never reach the limit {text}", "write a limit that a bad value passes")
    return Doubt(f"{text} can never be true", "write a limit that a value can reach")


def _is_target(written: WrittenCondition, playbook: Playbook) -> bool:
    metric = playbook.metrics.get(written.within)
    return metric is not None and metric.target == written.text
