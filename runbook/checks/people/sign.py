"""`sign`: a person confirms. The kept answer counts as long as it is valid."""

from __future__ import annotations

from typing import ClassVar

from runbook.checks.base import Answer, Finding, Kind, Surroundings
from runbook.checks.findings import AroundCheck, unknown
from runbook.judge.verdicts import Reason, Status
from runbook.language.durations import DurationError, parse_duration, show_duration


class Sign(Kind, frozen=True, kw_only=True):
    """`valid` is how long an answer counts; `evidence` names what may stand for it."""

    KEY: ClassVar[str] = "sign"
    LOOKS_AT: ClassVar[str] = "a person's answer: `valid: 30d` says how long it is kept"
    EXAMPLE: ClassVar[str] = "{check: Team is trained, sign: true, valid: 30d}"

    sign: bool
    valid: str | None = None
    evidence: str | None = None

    def takes_value(self) -> bool:
        return False

    def asserts(self) -> bool:
        return self.sign

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        try:
            parse_duration(self.valid or "1d")
        except DurationError as trouble:
            return [f"valid: {trouble}"]
        return []

    async def look(self, around: Surroundings) -> Finding:
        if not isinstance(around, AroundCheck):
            return unknown("nobody said whose answer is meant")
        check = around.check
        answer = around.answers.answer(check.full_id, check.title) if around.answers is not None else None
        if answer is None:
            return unknown(f"no answer yet: runbook sign {check.id}", Reason.NODATA)
        return self._judge(answer, around.now, check.id)

    def _judge(self, answer: Answer, now: float, check_id: str) -> Finding:
        ago = f"{show_duration(max(0.0, now - answer.at))} ago"
        until = self._until(answer)
        if until is not None and now >= until:
            again = f"the answer of {answer.who} no longer counts: runbook sign {check_id}"
            return unknown(again, Reason.NODATA, f"signed {ago}")
        if not answer.yes:
            return Finding(Status.FAIL, observed=f"{answer.who} said no, {ago}", message=answer.evidence)
        left = "" if until is None else f", valid {show_duration(until - now)} more"
        return Finding(Status.PASS, observed=f"signed by {answer.who}, {ago}{left}", message=answer.evidence)

    def _until(self, answer: Answer) -> float | None:
        """Until when an answer counts: the earlier of its own end and the playbook's."""
        ends = [end for end in (answer.valid_until,) if end is not None]
        if self.valid is not None:
            ends.append(answer.at + parse_duration(self.valid))
        return min(ends, default=None)
