"""A playbook's tests as a screen and as rows of a document."""

from __future__ import annotations

from collections.abc import Iterable

from runbook.judge.verdicts import Status
from runbook.language.durations import show_duration
from runbook.playbook.tests_section import BAKED
from runbook.rollout.trial_outcomes import Compared, Outcome
from runbook.show.document_rows import CheckRow
from runbook.show.page import MARKS, Page


def trial_lines(page: Page, outcomes: Iterable[Outcome], *, verbose: bool = False) -> None:
    """One row a test; under one that does not hold what came otherwise."""
    for outcome in outcomes:
        status = Status.PASS if outcome.holds else Status.FAIL
        page.mark(MARKS[status], outcome.played.trial.name)
        for told in outcome.troubles:
            page.under(told)
        if verbose:
            for one in outcome.compared:
                page.under(f"{one.title}: {one.observed}" + (f" ({one.message})" if one.message else ""))


def trial_rows(outcomes: Iterable[Outcome]) -> list[CheckRow]:
    """The tests as rows; what each expects is nested, and what was not recorded too."""
    return [_row(outcome) for outcome in outcomes]


def _row(outcome: Outcome) -> CheckRow:
    trial = outcome.played.trial
    troubles = [*([outcome.played.trouble] if outcome.played.trouble else []), *outcome.played.missing]
    held = sum(one.holds for one in outcome.compared)
    return CheckRow(
        id=trial.name,
        title=trial.name,
        kind="test",
        status="pass" if outcome.holds else "fail",
        observed=f"{held} of {len(outcome.compared)} as expected",
        expected=_place(outcome),
        message="; ".join(outcome.troubles),
        duration_ms=round(outcome.played.seconds * 1000, 3),
        checks=[*(_missing(text) for text in troubles), *(_compared(one) for one in outcome.compared)],
        checklist="tests",
    )


def _place(outcome: Outcome) -> str:
    trial = outcome.played.trial
    bake = BAKED if trial.bake is None else show_duration(trial.bake)
    return f"at {trial.at}, bake {bake}" if trial.at else ""


def _missing(text: str) -> CheckRow:
    return CheckRow(
        id="recorded", title="everything that is asked is recorded", kind="test", status="fail", message=text
    )


def _compared(one: Compared) -> CheckRow:
    return CheckRow(
        id=one.title,
        title=one.title,
        kind="test",
        status="pass" if one.holds else "fail",
        observed=one.observed,
        expected=one.expected,
        message=one.message,
    )
