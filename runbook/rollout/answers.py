"""The kept answers to manual items and the waivers, as checks and gates ask for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from runbook.checks.base import Answer, CheckResult, Waiver
from runbook.judge.verdicts import Status
from runbook.store.state import SignedAnswer, State
from runbook.system.clock import local_day_and_clock


@dataclass(frozen=True)
class KeptAnswers:
    """Answers from the events. One without `valid` counts for its rollout, or for the one begun next."""

    state: State
    now: float

    def answer(self, check_id: str, title: str) -> Answer | None:
        """The newest answer that still counts; `check_id` is `LIST/ID`."""
        short = check_id.rpartition("/")[2]
        found = self.state.answers.get(check_id) or self.state.answers.get(short)
        if found is None:
            return None
        if found.valid_until is not None and found.valid_until <= self.now:
            return None
        if found.valid_until is None and not self._of_this_journey(found):
            return None
        return Answer(found.yes, found.who, found.at, found.evidence, found.valid_until)

    def _of_this_journey(self, found: SignedAnswer) -> bool:
        if found.rollout is not None:
            return found.rollout == self.state.rollout
        begun_since = self.state.rollouts - found.rollouts
        return begun_since <= (1 if self.state.rollout is not None else 0)

    def waiver(self, check_id: str) -> Waiver | None:
        """The newest waiver of a check, `LIST/ID`, whether it has ended or not."""
        found = self.state.waivers.get(check_id)
        return None if found is None else Waiver(found.who, found.until, found.reason)

    def waived(self, check_id: str) -> bool:
        """Whether a waiver of the check is in force."""
        found = self.state.waivers.get(check_id)
        return found is not None and found.until > self.now

    def run_out(self, check_id: str) -> Waiver | None:
        """The waiver of a check that has ended by itself; one that a person ended is over and forgotten."""
        found = self.state.waivers.get(check_id)
        if found is None or found.until > self.now or found.until <= found.at:
            return None
        return self.waiver(check_id)


def beside_waivers(results: Iterable[CheckResult], answers: KeptAnswers) -> list[CheckResult]:
    """The rows, with the waiver told that has ended beside each one that does not hold, nested ones too."""
    return [_beside_waiver(one, answers) for one in results]


def _beside_waiver(result: CheckResult, answers: KeptAnswers) -> CheckResult:
    nested = tuple(beside_waivers(result.nested, answers))
    waiver = answers.run_out(result.check.full_id)
    if waiver is None or result.status not in (Status.FAIL, Status.UNKNOWN):
        return replace(result, nested=nested) if nested else result
    told = f"waived until {local_day_and_clock(waiver.until, answers.now)} by {waiver.who}; it has ended"
    return replace(result, message=f"{result.message}; {told}" if result.message else told, nested=nested)
