"""A playbook's tests as a screen and as rows of a document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runbook.judge.verdicts import Status
from runbook.language.durations import show_duration
from runbook.language.places import Place
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


def trial_rows(outcomes: Sequence[Outcome], places: Sequence[Place | None] = ()) -> list[CheckRow]:
    """The tests as rows; what each expects is nested, and what was not recorded too.

    Of one that does not hold `message` is the first sentence that says why, `listed` are the others.
    `places` are where they stand in the playbook, in the same order.
    """
    known = [*places, *[None] * (len(outcomes) - len(places))]
    return [_row(outcome, place) for outcome, place in zip(outcomes, known, strict=True)]


def _row(outcome: Outcome, place: Place | None) -> CheckRow:
    trial = outcome.played.trial
    troubles = [_trouble(outcome.played.trouble)] if outcome.played.trouble else []
    held = sum(one.holds for one in outcome.compared)
    return CheckRow(
        id=trial.name,
        title=trial.name,
        kind="test",
        status="pass" if outcome.holds else "fail",
        observed=f"{held} of {len(outcome.compared)} as expected",
        expected=_place(outcome),
        message=next(iter(outcome.troubles), ""),
        duration_ms=round(outcome.played.seconds * 1000, 3),
        checks=[
            *troubles,
            *(_missing(text) for text in outcome.played.missing),
            *(_compared(one) for one in outcome.compared),
        ],
        listed=outcome.troubles[1:],
        checklist="tests",
        file=place.file if place is not None else None,
        line=place.line if place is not None else None,
    )


def _place(outcome: Outcome) -> str:
    trial = outcome.played.trial
    bake = BAKED if trial.bake is None else show_duration(trial.bake)
    return f"at {trial.at}, bake {bake}" if trial.at else ""


def _trouble(text: str) -> CheckRow:
    return CheckRow(id="takes_place", title="the test can take place", kind="test", status="fail", message=text)


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
