"""What came of a test, held against what was expected: one row each. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runbook.checks.base import CheckResult
from runbook.incidents.severity import propose_severity
from runbook.judge.rules import ACTIONS
from runbook.judge.verdicts import Status, Verdict, verdict_of
from runbook.playbook.model import Playbook
from runbook.rollout.health import health_of
from runbook.rollout.rows import Decision, Row, counted_checks
from runbook.rollout.trials import Played, Seen

MOST_TOLD = 6  # rows that say why a verdict came out otherwise


@dataclass(frozen=True)
class Compared:
    """One thing that was expected. `message` says why it came out otherwise; empty where it did not."""

    title: str
    expected: str
    observed: str
    message: str = ""

    @property
    def holds(self) -> bool:
        return self.expected == self.observed


@dataclass(frozen=True)
class Outcome:
    """A test and how each thing that it expects came out."""

    played: Played
    compared: tuple[Compared, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether it took place with an answer to everything that was asked, and all came out as expected."""
        return not (self.played.trouble or self.played.missing) and all(one.holds for one in self.compared)

    @property
    def troubles(self) -> list[str]:
        """Why it does not hold, in sentences."""
        told = [self.played.trouble] if self.played.trouble else []
        told += self.played.missing
        return told + [said(one) for one in self.compared if not one.holds]


def said(one: Compared) -> str:
    """`gate: go expected, no-go came: error_rate < 2%: 8 %`."""
    told = f"{one.title}: {one.expected} expected, {one.observed} came"
    return f"{told} ({one.message})" if one.message else told


def outcome_of(playbook: Playbook, played: Played) -> Outcome:
    """Everything that the test expects, compared."""
    if played.seen is None:
        return Outcome(played)
    return Outcome(played, tuple(_compared(playbook, played, played.seen)))


def _compared(playbook: Playbook, played: Played, seen: Seen) -> Iterator[Compared]:
    expect, decision = played.trial.expect, seen.decision
    if expect.gate is not None:
        came = Decision(decision.came_from, decision.to, decision.rows).verdict
        yield Compared("gate", expect.gate, came.value, "" if came == expect.gate else _against(decision))
    for name, status in expect.gates.items():
        yield _row(name, status, decision.rows)
    for name, status in expect.checks.items():
        yield _check(name, status, seen.look.checks)
    if expect.fires is not None:
        yield _fires(expect.fires, seen)
    if expect.severity is not None:
        proposed = propose_severity(playbook.severities, seen.facts)
        yield Compared("severity", expect.severity, proposed.severity, proposed.why)
    if expect.metrics:
        rows = {row.name: row for row in health_of(playbook, seen.facts) if row.name in seen.facts.series or row.value}
        for name, level in expect.metrics.items():
            row = rows.get(name)
            yield Compared(f"metric {name}", level, row.level if row else "unknown", row.observed if row else "")
    if expect.preflight is not None:
        verdict = verdict_of(counted_checks(seen.entering))
        yield Compared("preflight", expect.preflight, verdict.value, _not_held(seen.entering, verdict))


def _against(decision: Decision) -> str:
    """What the verdict of a gate rests on."""
    rows = decision.against()
    if not rows:
        return "every row holds"
    more = f"; and {len(rows) - MOST_TOLD} more" if len(rows) > MOST_TOLD else ""
    return "; ".join(f"{row.title}: {row.observed or row.message}" for row in rows[:MOST_TOLD]) + more


def _row(name: str, status: str, rows: Sequence[Row]) -> Compared:
    found = next((row for row in rows if name in (row.title, row.id)), None)
    if found is None:
        return Compared(f"gate {name}", status, "not judged", "no such row came up in this decision")
    told = "; ".join(text for text in (found.observed, found.message) if text)
    return Compared(f"gate {name}", status, found.status.value, told)


def _check(name: str, status: str, results: Sequence[CheckResult]) -> Compared:
    found = next((row for row in _flat(results) if name in (row.check.full_id, row.check.id)), None)
    if found is None:
        return Compared(f"check {name}", status, "not looked at")
    return Compared(f"check {name}", status, found.status.value, found.message or found.observed)


def _flat(results: Sequence[CheckResult]) -> Iterator[CheckResult]:
    for row in results:
        yield row
        yield from _flat(row.nested)


def _fires(wanted: Sequence[str], seen: Seen) -> Compared:
    """The actions of what fires, in one word each; an expected condition has to be among what fires itself.

    A condition accounts for its own rules only: whatever else fires has to be expected too.
    """
    fired = [(one.rule.when.text, ACTIONS.get(one.rule.then, one.rule.then)) for one in seen.fired]
    actions = {ACTIONS.get(name, name) for name in wanted if name in ACTIONS}
    conditions = {name for name in wanted if name not in ACTIONS}
    quiet = conditions - {when for when, _ in fired}
    expected = actions | {then for when, then in fired if when in conditions}
    beside = [pair for pair in fired if pair[0] not in conditions and pair[1] not in actions]
    came = {then for _, then in fired} | {f"{then} ({when})" for when, then in beside if then in expected}
    told = "; ".join(f"{when} -> {then}" for when, then in fired) or "nothing fires"
    said = sorted(expected | {f"[{name}]" for name in quiet})
    return Compared("fires", ", ".join(said) or "nothing", ", ".join(sorted(came)) or "nothing", told)


def _not_held(results: Sequence[CheckResult], verdict: Verdict) -> str:
    if verdict is Verdict.GO:
        return "every check holds"
    rows = [row for row in results if row.status in (Status.FAIL, Status.UNKNOWN)]
    return "; ".join(f"{row.check.title}: {row.observed or row.message}" for row in rows[:MOST_TOLD])
