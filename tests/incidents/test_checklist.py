"""The checklist of an incident: where it comes from, who did what, and that it belongs to its incident for good."""

from __future__ import annotations

import pytest

from runbook.incidents.checklist import checklist_of, incident_of, item_id
from runbook.incidents.incident import open_or_join
from runbook.incidents.words import words_of
from runbook.store.state import State
from tests.incidents.scene import Chain

LINES = ["Root cause", "fix", "re-enable"]


def opened(*lines: str) -> Chain:
    chain = Chain()
    told = open_or_join(State(), "Emergency rollback", "P0", checklist=lines)
    chain.add(0, told.kind, "op-1", **told.payload)
    return chain


def boxes(chain: Chain, number: int = 1) -> dict[str, str]:
    state = chain.state()
    return {item.text: item.box for item in checklist_of(state.incidents[number], state.answers)}


def test_each_line_is_answered_under_its_incidents_number() -> None:
    chain = opened(*LINES)
    items = checklist_of(chain.state().incidents[1], chain.state().answers)
    assert [(item.id, item.slug) for item in items] == [
        ("incident/1/root_cause", "root_cause"), ("incident/1/fix", "fix"), ("incident/1/re_enable", "re_enable"),
    ]  # fmt: skip
    chain.add(60, "check.signed", check="incident/1/fix", yes=True, evidence="https://git.example.com/7")
    chain.add(70, "check.signed", check="incident/1/re_enable", yes=False)
    chain.add(80, "check.signed", check="ready/fix", yes=False)
    assert boxes(chain) == {"Root cause": "[ ]", "fix": "[x]", "re-enable": "[ ]"}
    chain.add(90, "check.signed", check="incident/1/fix", yes=False)
    assert boxes(chain)["fix"] == "[ ]"  # the newest word counts


def test_an_incident_that_goes_on_gets_the_lines_that_it_lacks() -> None:
    chain = opened("fix")
    told = open_or_join(chain.state(), "again", "P0", checklist=["fix", "tell users"])
    assert told.kind == "incident.joined"
    chain.add(100, told.kind, "op-2", **told.payload)
    assert list(boxes(chain)) == ["fix", "tell users"]


def test_without_a_checklist_nothing_is_asked_for() -> None:
    assert "checklist" not in open_or_join(State(), "slow", "P1").payload
    assert boxes(opened()) == {}


def test_two_lines_of_one_id_are_one_line_and_a_line_of_signs_is_none() -> None:
    assert list(boxes(opened("Re-enable", "re enable", "fix", "---"))) == ["Re-enable", "fix"]


@pytest.mark.parametrize(
    ("check", "number"),
    [("incident/3/fix", 3), ("incident/12/a_b", 12), ("incident/fix", None), ("incident/x/fix", None),
     ("ready/3/fix", None), ("", None)],
)  # fmt: skip
def test_which_checks_are_of_an_incident(check: str, number: int | None) -> None:
    assert incident_of(check) == number
    assert item_id(3, "Root cause") == "incident/3/root_cause"


def test_what_is_done_after_the_end_belongs_to_the_incident_all_the_same() -> None:
    chain = opened("fix")
    chain.add(100, "incident.resolved", id=1, text="over")
    chain.add(200, "incident.opened", id=2, title="another", severity="P2")
    late = chain.add(300, "check.signed", check="incident/1/fix", yes=True, evidence="done")
    assert words_of(late) == "checklist: fix done (done)"
    assert late in chain.story(1).events
    assert late not in chain.story(2).events
