"""Severity: the gravest that the numbers propose, and how an incident stands to the answer that it asks for."""

from __future__ import annotations

import pytest

from runbook.incidents.severity import Proposed, Response, propose_severity, respond_by, response_of
from runbook.judge.facts import Facts
from runbook.playbook.model import Severity
from runbook.store.state import Incident
from runbook.system.clock import local_clock, local_day_and_clock
from tests.incidents.scene import BASE, Chain

SEVERITIES = {
    "P0": Severity(respond=0.0, when="complaints > 10"),
    "P1": Severity(respond=900.0, when="complaints > 3"),
    "P2": Severity(when="unknown_metric > 3"),
}


def facts(complaints: float) -> Facts:
    return Facts(now=BASE, values={"complaints": complaints}, units={"complaints": "count"})


def incident(severity: str = "P1", *, responded: float | None = None, resolved: float | None = None) -> Incident:
    return Incident(
        id=1, title="slow", severity=severity, opened=BASE, by="ana",
        responded=None if responded is None else BASE + responded,
        resolved=None if resolved is None else BASE + resolved,
    )  # fmt: skip


@pytest.mark.parametrize(("complaints", "severity"), [(11, "P0"), (10, "P1"), (4, "P1"), (3, "P1")])
def test_counters_propose_a_severity_too(complaints: float, severity: str) -> None:
    assert propose_severity(SEVERITIES, facts(complaints)).severity == severity


def test_the_reason_says_what_was_seen_or_could_not_be() -> None:
    assert propose_severity(SEVERITIES, facts(11)) == Proposed("P0", "complaints > 10: 11")
    assert "unknown_metric > 3 could not be judged" in propose_severity(SEVERITIES, facts(0)).why


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (0, "answer due in 15 m (by {due})"),
        (180, "answer due in 12 m (by {due})"),
        (899, "answer due in 1 s (by {due})"),
        (1080, "answer overdue by 3 m (it was due by {due})"),
    ],
)
def test_the_countdown(now: float, words: str) -> None:
    response = response_of(SEVERITIES, incident(), BASE + now)
    due = local_day_and_clock(BASE + 900, BASE + now)
    assert response.words() == words.format(due=due)
    assert response.overdue == (now > 900)
    assert local_clock(BASE + 900).startswith(due)


def test_an_answer_stops_it_and_says_whether_it_was_late() -> None:
    in_time = response_of(SEVERITIES, incident(responded=240), BASE + 5000)
    assert (in_time.words("ben"), in_time.late, in_time.overdue) == ("answered after 4 m by ben", False, False)
    late = response_of(SEVERITIES, incident(responded=1020), BASE + 5000)
    assert (late.words(), late.late) == ("answered after 17 m, 2 m late", True)
    assert response_of(SEVERITIES, incident(resolved=60), BASE + 5000).words() == "answered after 1 m"


def test_one_that_is_due_at_once_is_not_late_in_the_same_minute() -> None:
    at_once = response_of(SEVERITIES, incident("P0"), BASE + 2)
    assert at_once.words().startswith("answer due at once (since ")
    assert response_of(SEVERITIES, incident("P0"), BASE + 90).words().startswith("answer overdue by 1 m 30 s")


def test_where_the_playbook_names_no_time_nothing_is_asked() -> None:
    assert respond_by(SEVERITIES, "P2", BASE) is None
    assert response_of(SEVERITIES, incident("P3"), BASE + 10_000) == Response(BASE, None, None, BASE + 10_000)
    assert response_of(SEVERITIES, incident("P3"), BASE + 10_000).words() == ""
    assert response_of({}, incident("P3", responded=60), BASE + 100).words("ben") == "answered after 1 m by ben"


def test_the_first_word_of_a_person_is_the_answer() -> None:
    chain = Chain()
    chain.add(0, "incident.opened", id=1, title="slow", severity="P1")
    assert chain.state().incidents[1].responded is None
    chain.add(60, "incident.noted", id=1, text="I am on it")
    chain.add(90, "incident.severity", id=1, severity="P0", before="P1")
    assert chain.state().incidents[1].responded == BASE + 60
