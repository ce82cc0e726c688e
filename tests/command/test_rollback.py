"""The way back along the ladder."""

from __future__ import annotations

import pytest

from tests.command.project import AT_FIRST, FLAGS, Project


def at(project: Project) -> tuple[str, float]:
    document = project.json("status").document
    return document["stage"], document["percent"]


@pytest.fixture
def top(project: Project) -> Project:
    """The project at wide@100."""
    for step in ("10", "50", "100"):
        assert project.run("ramp", step, "--yes").code == 0
    return project


def test_one_step_at_a_time(top: Project) -> None:
    seen = []
    for _ in range(3):
        assert top.run("rollback", "--yes").code == 0
        seen.append(at(top))
    assert seen == [("wide", 50), ("first", 10), ("off", 0)]
    assert top.flags.read_text() == FLAGS
    ran = top.json("rollback", "--yes")
    assert ran.code == 0 and "nothing to do" in ran.document["message"]


@pytest.mark.parametrize(
    ("to", "where"),
    [("50", ("wide", 50)), ("10", ("first", 10)), ("10%", ("first", 10)), ("wide", ("wide", 50)),
     ("first", ("first", 10)), ("first@10", ("first", 10)), ("off", ("off", 0)), ("0", ("off", 0))],
)  # fmt: skip
def test_to_a_named_step(top: Project, to: str, where: tuple[str, float]) -> None:
    ran = top.json("rollback", "--to", to, "--yes")
    assert ran.code == 0 and at(top) == where
    assert top.running()["RANKER_SHARE"] == f"{where[1]}"


@pytest.mark.parametrize("to", ["100", "wide@100", "50", "75", "wide@75", "moon", "", "@", "first@", "-10"])
def test_to_what_is_not_below(project: Project, to: str) -> None:
    project.at_first()
    ran = project.json("rollback", "--to", to, "--yes")
    assert ran.code in (1, 2) and ran.document["next"]
    assert project.flags.read_text() == AT_FIRST


def test_before_anything_happened_there_is_nothing_to_do(project: Project) -> None:
    ran = project.run("rollback", "--yes")
    assert ran.code == 0 and "nothing to do" in ran.said
    assert project.events() == []


def test_drift_a_hold_and_an_incident_do_not_stop_it(project: Project) -> None:
    project.at_first().numbers(errors=0.5)
    project.flags.write_text(AT_FIRST.replace("'small'", "'large'") + "MORE=1\n")
    project.run("hold")
    project.run("incident", "open", "x", "--severity", "P0")
    assert project.run("rollback", "--yes").code == 0
    assert project.flags.read_text() == FLAGS + "MORE=1\n"


def test_a_redeploy_that_fails_stands_half_done_with_the_lines_to_type(project: Project) -> None:
    project.at_first()
    (project.folder / "fail-restart").touch()
    ran = project.json("rollback", "--yes")
    assert ran.code == 4 and ran.document["by_hand"] == ["sh restart.sh"]
    assert project.flags.read_text() == FLAGS, "what can be done is done"
    assert project.json("status").document["operation"]["state"] == "cut off"
    assert project.run("rollback", "--yes").code == 4
    still = project.run("resume", "--finish")
    assert still.code == 4 and "sh restart.sh" in still.said
    (project.folder / "fail-restart").unlink()
    assert project.run("resume", "--finish").code == 0
    assert at(project) == ("off", 0) and project.running()["RANKER_SHARE"] == "0"
    assert project.run("resume", "--finish").code == 0, "nothing is left"


def test_undoing_a_half_done_way_back_goes_up_again(project: Project) -> None:
    project.at_first()
    (project.folder / "fail-restart").touch()
    assert project.run("rollback", "--yes").code == 4
    (project.folder / "fail-restart").unlink()
    assert project.run("resume", "--undo").code == 0
    assert project.flags.read_text() == AT_FIRST and at(project) == ("first", 10)


def test_the_steps_of_the_playbook_are_done_too(project: Project) -> None:
    project.write(rollback="{set: safe, steps: [{do: Empty the cache, command: [touch, emptied]}]}")
    project.at_first()
    ran = project.json("rollback", "--yes")
    assert ran.code == 0 and (project.folder / "emptied").exists()
    assert "Empty the cache" in str(ran.document["plan"])


def test_going_down_writes_the_percentage_first(project: Project) -> None:
    project.at_first()
    diff = project.json("rollback", "--dry-run").document["plan"][0]["diff"]
    assert "RANKER_SHARE" in diff[0]


def test_after_a_way_back_to_the_start_a_new_rollout_begins(project: Project) -> None:
    project.at_first()
    assert project.run("rollback", "--yes").code == 0
    assert project.run("ramp", "10", "--yes").code == 0
    numbers = [event["payload"].get("number") for event in project.events("rollout.started")]
    assert numbers == [1, 2]


def test_a_flag_file_that_is_gone(project: Project) -> None:
    project.at_first()
    project.flags.unlink()
    ran = project.run("rollback", "--yes")
    assert ran.code == 4 and "ranker.env" in ran.said
    assert project.run("status").code == 0
