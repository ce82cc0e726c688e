"""Conditions judged: true, false, or unknown with a reason. One evaluator for gates, rules, `expect` and replay."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from runbook.judge import history
from runbook.judge.comparisons import compared, increased, matched
from runbook.judge.facts import Facts
from runbook.judge.quantities import UnmeasuredError, fewest, oldest
from runbook.judge.values import LARGEST_SKEW, Values
from runbook.judge.verdicts import Judged, Reason, Truth
from runbook.language.algebra import UnitError
from runbook.language.conditions import Condition
from runbook.language.syntax import (
    Clause,
    Comparison,
    Held,
    Increase,
    Joined,
    Matches,
    Name,
    Node,
    Not,
    Outcome,
    Points,
)

HoldJudge = Callable[[Held, Judged], Judged]
_OPPOSITE = {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE, Truth.UNKNOWN: Truth.UNKNOWN}


@dataclass(frozen=True)
class Evaluation:
    """How a condition is evaluated: on which facts, and in which way.

    `mean_since` judges bare metrics on their mean since then. `missing` is what M of N does with points that are
    missing. `holds` decides a `for`, given how its clause comes out now; without it the kept samples tell.
    """

    condition: Condition
    facts: Facts
    minimum: int | None = None
    mean_since: float | None = None
    missing: str = "missing"
    holds: HoldJudge | None = None

    def judge(self, clause: Clause | None = None) -> Judged:
        """The whole condition, or one clause of it."""
        return self._at(clause or self.condition.root, self.facts.now, self.mean_since)

    def judge_at(self, time: float) -> Judged:
        """The whole condition as it came out at an earlier time, on what was known then."""
        return self._at(self.condition.root, time, None)

    def _at(self, clause: Clause, now: float, mean_since: float | None) -> Judged:
        match clause:
            case Not():
                inside = self._at(clause.of, now, mean_since)
                return replace(inside, truth=_OPPOSITE[inside.truth])
            case Joined():
                parts = [self._at(part, now, mean_since) for part in clause.parts]
                return joined(parts, clause.every, [self._left_text(part) for part in clause.parts])
            case Held() if self.holds is not None:
                return self.holds(clause, self._at(clause.of, now, None))
            case Held():
                seconds = clause.seconds * self.facts.scale
                return history.held(clause.of, seconds, self.facts, lambda time: self._at(clause.of, time, None))
            case Points():
                look = lambda time: self._at(clause.of, time, None)  # noqa: E731
                return history.points(clause.of, clause.m, clause.n, self.facts, look, self.missing)
        return self._single(clause, now, mean_since)

    def _single(self, clause: Clause, now: float, mean_since: float | None) -> Judged:
        facts = self.facts if now == self.facts.now else replace(self.facts, now=now)
        # What was measured just now may bear the time of a clock that runs ahead; the past is taken as it stands.
        horizon = now + LARGEST_SKEW if now == self.facts.now else now
        values = Values(facts, horizon, self.minimum, mean_since)
        try:
            match clause:
                case Comparison():
                    return compared(clause, values)
                case Increase():
                    return increased(clause, values)
                case Matches():
                    return matched(clause, values)
                case Outcome():
                    return _outcome(clause, facts)
        except UnitError:
            return Judged(
                Truth.UNKNOWN, Reason.ERROR, message=f"{self.text_of(clause)}: these units cannot be compared"
            )
        except UnmeasuredError as unmeasured:
            down = "service down: " if facts.service_down else ""
            return Judged(Truth.UNKNOWN, unmeasured.reason, message=f"{down}{unmeasured.message}")
        raise TypeError(f"{type(clause).__name__} is no condition")

    def text_of(self, node: Node) -> str:
        """A part of the condition as it is written; nothing for its subject, which is not in it."""
        if isinstance(node, Name) and node.name == self.condition.subject:
            return ""
        return self.condition.text[node.start : node.start + node.width]

    def _left_text(self, clause: Clause) -> str:
        match clause:
            case Comparison():
                return self.text_of(clause.left)
            case Increase() | Matches():
                return self.text_of(clause.of)
        return ""


def joined(parts: Sequence[Judged], every: bool, names: Sequence[str] = ()) -> Judged:
    """Several outcomes as one, in Kleene's three-valued logic.

    What is known decides where it can: false and unknown is false whatever the unknown one would have been, true or
    unknown is true. Else one unknown makes it unknown, and an error is told before missing data. What is shown is
    what decided. Over nothing it is unknown: an all-of over nothing is not a pass.
    """
    deciding = Truth.FALSE if every else Truth.TRUE
    chosen = [index for index, part in enumerate(parts) if part.truth is deciding]
    if not chosen:
        chosen = [index for index, part in enumerate(parts) if part.truth is Truth.UNKNOWN]
        chosen.sort(key=lambda index: parts[index].reason is not Reason.ERROR)
    if not parts:
        return Judged(Truth.UNKNOWN, Reason.NODATA, message="there is nothing to judge")
    shown = [parts[index] for index in chosen or range(len(parts))]
    labels = [names[index] if names else "" for index in chosen or range(len(parts))]
    seen = [f"{label} {part.observed}".strip() for label, part in zip(labels, shown, strict=True) if part.observed]
    return replace(
        shown[0],
        observed=", ".join(dict.fromkeys(seen)),
        limit=", ".join(part.limit for part in shown if part.limit),
        message="; ".join(dict.fromkeys(part.message for part in shown if part.message)),
        n=fewest(*(part.n for part in shown)),
        age=oldest(*(part.age for part in shown)),
    )


def evaluate(condition: Condition, facts: Facts, *, minimum: int | None = None, missing: str = "missing") -> Judged:
    """The condition on these facts: the newest samples, unless it names a window.

    `minimum` overrides the metrics' smallest number of samples; `missing` (missing, ignore, breaching, notBreaching)
    says what M of N does with points that are missing. A comparison that cannot be made is unknown, never true or
    false: no data where the source had no value (none, NaN, infinite, too few, too old), error where it could not be
    asked or makes no sense (wrong type, units that do not go together, a ratio of 15).
    """
    return Evaluation(condition, facts, minimum, missing=missing).judge()


def evaluate_value(
    condition: Condition,
    values: Mapping[str, Any],
    subject_unit: str | None = None,
    units: Mapping[str, str | None] | None = None,
) -> Judged:
    """The condition on plain values by name, such as what a check took out (its subject is `value`).

    `subject_unit` is the unit of the condition's subject, `units` are those of other names. Text that spells a whole
    number is read as one, since what comes out of commands and files is text.
    """
    plain = {name: _number_in(value) for name, value in values.items()}
    known = dict(units or {})
    if subject_unit is not None:
        known[condition.subject or "value"] = subject_unit
    judged = Evaluation(condition, Facts(now=0.0, values=plain, units=known, percent=_percent(plain))).judge()
    return replace(judged, age=None)


def between(passing: Judged | None, failing: Judged | None) -> Judged:
    """The outcome where a condition for success, one for failure, or both are given (None: not given).

    Failure wins. Between the two it is unknown: inconclusive. What cannot be known of one leaves the whole unknown, and
    where neither is given nothing was evaluated, which is no data and not a pass.
    """
    if failing is not None and failing.truth is Truth.TRUE:
        return replace(failing, truth=Truth.FALSE)
    unknown = [one for one in (passing, failing) if one is not None and one.truth is Truth.UNKNOWN]
    if unknown or (passing is None and failing is None):
        return joined(unknown, every=True)
    if passing is None:
        return replace(failing or Judged(Truth.UNKNOWN), truth=Truth.TRUE)
    if passing.truth is Truth.FALSE and failing is not None:
        message = f"between success ({passing.limit}) and failure ({failing.limit})"
        return replace(passing, truth=Truth.UNKNOWN, reason=Reason.INCONCLUSIVE, message=message)
    return passing


def _number_in(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,30}\s*", value):
        return int(value)
    return value


def _percent(values: Mapping[str, Any]) -> float | None:
    percent = values.get("percent")
    return float(percent) if isinstance(percent, int | float) and not isinstance(percent, bool) else None


def _outcome(clause: Outcome, facts: Facts) -> Judged:
    rows = [row for row in facts.checks.get(clause.name, ()) if row[0] <= facts.now]
    if not rows:
        raise UnmeasuredError(Reason.NODATA, f"{clause.name} has not been looked at")
    time, truth = rows[-1]
    word = {Truth.TRUE: "passes", Truth.FALSE: "fails", Truth.UNKNOWN: "unknown"}[truth]
    age = max(0.0, facts.now - time)
    if truth is Truth.UNKNOWN:
        return Judged(truth, Reason.ERROR, word, message=f"{clause.name} could not be looked at", age=age)
    holds = (truth is Truth.TRUE) is clause.passes
    limit = "passes" if clause.passes else "fails"
    return Judged(Truth.TRUE if holds else Truth.FALSE, None, word, limit, value=word, n=1, age=age)
