"""`runbook contacts`: who to call, in every form, and what to add where nobody is named."""

from __future__ import annotations

import pytest

from tests.command.project import Project

CONTACTS = """
  On-call: {name: Mira, phone: "${ONCALL}", mail: mira@example.com, timezone: Asia/Tokyo, note: first}
  Manager: {name: Jo, chat: "#managers", timezone: America/New_York}
  Pager: {phone: "${PAGER_TOKEN}"}"""
SET = {"ONCALL": "+49 30 5550", "PAGER_TOKEN": "open-sesame-42"}


@pytest.fixture
def named(project: Project) -> Project:
    project.write(contacts=CONTACTS)
    return project


def test_each_contact_is_a_row_with_the_time_there(named: Project) -> None:
    rows = {row["role"]: row for row in named.json("contacts", env=SET).document["contacts"]}
    assert (rows["On-call"]["name"], rows["On-call"]["phone"], rows["On-call"]["note"]) == (
        "Mira",
        SET["ONCALL"],
        "first",
    )
    assert rows["On-call"]["there"] and rows["Manager"]["there"] and not rows["Pager"]["there"]
    assert rows["Manager"]["chat"] == "#managers"


@pytest.mark.parametrize("form", ["plain", "markdown", "table"])
def test_every_form_shows_every_contact(named: Project, form: str) -> None:
    ran = named.run("contacts", "--format", form, env=SET)
    assert ran.code == 0
    for text in ("On-call", "Mira", "+49 30 5550", "Jo", "role", "time there"):
        assert text in ran.out


def test_what_is_not_set_stands_as_it_is_written_and_is_said(named: Project) -> None:
    ran = named.run("contacts")
    assert ran.code == 0
    assert "${ONCALL}" in ran.out and "ONCALL is not set" in ran.out


def test_a_secret_is_masked(named: Project) -> None:
    assert SET["PAGER_TOKEN"] not in named.run("contacts", env=SET).said


def test_with_nobody_named_the_lines_to_add_are_shown_and_they_work(project: Project) -> None:
    ran = project.run("contacts")
    assert ran.code == 0
    lines = [line for line in ran.out.splitlines() if line.startswith(("contacts:", "  On-call"))]
    assert len(lines) == 2
    project.playbook.write_text(project.playbook.read_text() + "\n".join(lines) + "\n")
    assert project.run("lint").code == 0
    assert "On-call engineer" in project.run("contacts").out


def test_a_broken_playbook_has_no_contacts_and_is_no_crash(named: Project) -> None:
    named.at_first()
    named.playbook.write_text(named.playbook.read_text() + "stages: 5\n")
    ran = named.run("contacts")
    assert ran.code == 0 and "is broken" in ran.err


def test_hostile_names_are_harmless(project: Project) -> None:
    project.write(contacts='\n  On-call: {name: "\\e[31mred\\a [bold]x[/bold] | y", phone: "`id`"}')
    for form in ("plain", "markdown", "json"):
        ran = project.run("contacts", "--format", form)
        assert ran.code == 0 and "On-call" in ran.out
