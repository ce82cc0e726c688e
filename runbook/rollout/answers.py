"""The kept answers to manual items, as checks and gates ask for them."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.checks.base import Answer, Waiver
from runbook.store.state import SignedAnswer, State


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
        """Waivers are not given yet."""
        return None
