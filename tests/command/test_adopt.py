"""Edits by hand: taken as they are by `adopt`, put back by `adopt --restore`."""

from __future__ import annotations

import pytest

from tests.command.project import AT_FIRST, FLAGS, Project

BY_HAND = AT_FIRST.replace("= 10", "= 12").replace("'small'", "'large'")


@pytest.fixture
def edited(project: Project) -> Project:
    """A project at first@10 whose flag file somebody edited."""
    project.at_first().flags.write_text(BY_HAND)
    return project


def test_adopt_takes_what_is_there(edited: Project) -> None:
    restarts = edited.restarts()
    ran = edited.json("adopt", "first@10", "--reason", "tried with a friend")
    assert ran.code == 0 and edited.flags.read_text() == BY_HAND and edited.restarts() == restarts
    assert edited.run("gate").code == 0, "it is no drift any more"
    assert "tried with a friend" in edited.run("history", "-f", "json").out
    assert edited.run("ramp", "50", "--yes").code == 0


def test_restore_puts_the_recorded_values_back(edited: Project) -> None:
    ran = edited.run("adopt", "--restore", "--dry-run")
    assert ran.code == 0 and "- RANKER_SHARE = 12" in ran.out and edited.flags.read_text() == BY_HAND
    assert edited.run("adopt", "--restore").code == 2, "it is asked for"
    assert edited.json("adopt", "--restore", "--yes").code == 0
    assert edited.flags.read_text() == AT_FIRST and edited.running()["RANKER_SHARE"] == "10"
    assert edited.run("gate").code == 0
    ran = edited.run("adopt", "--restore", "--yes")
    assert ran.code == 0 and "nothing to do" in ran.said


def test_restore_leaves_what_is_not_ours(edited: Project) -> None:
    edited.flags.write_text(BY_HAND + "OTHER=7\n")
    assert edited.run("adopt", "--restore", "--yes").code == 0
    assert edited.flags.read_text() == AT_FIRST + "OTHER=7\n"


def test_a_reason_is_needed(edited: Project) -> None:
    ran = edited.run("adopt", "first@10")
    assert ran.code == 2 and "--reason" in ran.said


def test_a_service_that_was_there_before_the_tool(project: Project) -> None:
    project.flags.write_text(AT_FIRST.replace("= 10", "= 50"))
    assert project.run("adopt", "wide@50", "--reason", "it stood there before").code == 0
    document = project.json("status").document
    assert (document["stage"], document["percent"]) == ("wide", 50)
    assert project.run("ramp", "100", "--yes").code == 0
    assert project.run("rollback", "--to", "first", "--yes").code == 0
    assert project.run("rollback", "--emergency", "--yes").code == 0
    assert project.flags.read_text() == FLAGS


def test_an_adopted_step_bakes_from_now(project: Project) -> None:
    project.write(stages="\n  - {stage: off, percent: 0}\n  - {stage: first, percent: [10, 50], bake: 1h}")
    project.flags.write_text(FLAGS.replace("= 0", "= 10"))
    assert project.run("adopt", "10", "--reason", "x").code == 0
    assert project.json("status").document["bake"]["over"] is False
    assert project.run("ramp", "50", "--yes").code == 1


def test_an_emergency_goes_on_in_the_incident_that_is_open(edited: Project) -> None:
    assert edited.run("incident", "open", "Answers in the wrong order", "--severity", "P2").code == 0
    ran = edited.json("rollback", "--emergency", "--yes")
    assert ran.code == 0 and ran.document["incident"] == 1
    incidents = edited.json("incident", "list").document["incidents"]
    assert [(one["id"], one["title"]) for one in incidents] == [(1, "Answers in the wrong order")]
    assert edited.flags.read_text() == FLAGS
