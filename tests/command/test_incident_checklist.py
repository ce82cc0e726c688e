"""By command: the checklist that a way back opens in the incident, the countdown to an answer, and the counters."""

from __future__ import annotations

import re

import pytest

from tests.command.project import SECTIONS, Project

ROLLBACK = "{set: safe, objective: 1m, incident: P1, checklist: [Root cause, fix, re-enable]}"
BEN = {"RUNBOOK_OPERATOR": "ben"}


@pytest.fixture
def after(project: Project) -> Project:
    """A project after an emergency whose playbook asks for three things."""
    project.write(rollback=ROLLBACK)
    project.at_first()
    assert project.run("rollback", "--emergency", "--yes").code == 0
    return project


def test_the_checklist_opens_in_the_incident_and_is_worked_through(after: Project) -> None:
    shown = after.run("incident", "show").out
    assert "checklist  0 of 3 done" in shown
    assert "[ ] Root cause   runbook sign root_cause" in shown
    signed = after.run("sign", "root_cause", "--evidence", "ticket 7", env=BEN)
    assert signed.code == 0, signed
    shown = after.run("incident", "show").out
    assert "checklist  1 of 3 done" in shown
    assert re.search(r"\[x\] Root cause   ben, \d\d:\d\d, ticket 7", shown)
    [row] = after.json("incident", "list").document["incidents"]
    assert [(line["id"], line["done"]) for line in row["checklist"]] == [
        ("incident/1/root_cause", True), ("incident/1/fix", False), ("incident/1/re_enable", False)
    ]  # fmt: skip
    assert (row["checklist"][0]["by"], row["checklist"][0]["evidence"]) == ("ben", "ticket 7")


def test_the_report_shows_it_among_the_next_steps(after: Project) -> None:
    after.run("sign", "fix", "--evidence", "a *bold* <b>claim</b>", env=BEN)
    assert after.run("incident", "report").code == 0
    report = (after.folder / "incident_report.md").read_text()
    steps = report.partition("## Next steps")[2].partition("## Contact")[0]
    assert "The checklist, 1 of 3 done:" in steps
    assert "\n- [ ] Root cause\n" in steps
    assert re.search(r"\n- \[x\] fix: ben, [\d -]+:\d\d:\d\d UTC, a \\\*bold\\\* &lt;b&gt;claim", steps)
    assert "`runbook sign root_cause --evidence TEXT -e local`" in steps
    assert after.run("incident", "postmortem").code == 0
    items = (after.folder / "post_mortem.md").read_text().partition("## Action items")[2].partition("## Lessons")[0]
    assert "- [ ] re-enable" in items


def test_an_end_with_open_lines_is_said_and_not_refused(after: Project) -> None:
    after.run("sign", "fix", env=BEN)
    ran = after.run("incident", "resolve", "a wrong index", env=BEN)
    assert ran.code == 0
    assert "2 lines of its checklist not done yet: Root cause, re-enable" in ran.out
    assert "runbook sign root_cause" in ran.out


def test_a_second_way_back_goes_on_in_the_incident(after: Project) -> None:
    assert after.run("rollback", "--emergency", "--yes").code == 0
    [row] = after.json("incident", "list").document["incidents"]
    assert len(row["checklist"]) == 3


def test_the_countdown_runs_until_somebody_answers(after: Project) -> None:
    shown = after.run("incident", "show").out
    assert re.search(r"answer due in 1[45] m.* \(by \d\d:\d\d\)", shown)
    after.run("incident", "note", "I am on it", env=BEN)
    assert re.search(r"answered after [\d.]+ (ms|s) by ben", after.run("incident", "show").out)
    [row] = after.json("incident", "list").document["incidents"]
    assert row["opened_at"] < row["answered_at"] < row["respond_by"]


def test_opening_one_says_when_an_answer_is_due(project: Project) -> None:
    opened = project.run("incident", "open", "slow", "--severity", "P1")
    assert re.search(r"answer due in 1[45] m.* \(by ", opened.out)
    assert "answer" not in project.run("incident", "open", "slower", "--severity", "P3", "--another").out


def test_complaints_propose_the_severity_and_count_from_the_bake(project: Project) -> None:
    project.write(severities='{P0: {respond: 0m, when: "complaints > 2"}, P1: {respond: 15m}}')
    assert "complaints is 1 in all" in project.run("note", "complaint").out
    project.at_first()
    for count in (1, 2, 3):
        assert f"complaints is {count} since the step was entered" in project.run("note", "complaint", "wrong").out
    opened = project.run("incident", "open", "answers are wrong")
    assert "severity P0: complaints > 2: 3" in opened.out
    assert "answer due at once" in opened.out


def test_a_notice_tells_of_the_incident(project: Project) -> None:
    project.write(
        channels="{hook: {webhook: 'http://127.0.0.1:9'}}",
        notices='{bad: {to: hook, on: incident, text: "incident ${incident}, ${severity}: ${why}"}}',
        rollback=SECTIONS["rollback"],
    )
    opened = project.run("incident", "open", "slow", "--severity", "P2")
    assert "notice bad is drafted: runbook notify bad" in opened.out
    assert project.events("notice.drafted")[0]["payload"]["text"] == "incident 1, P2: slow"
