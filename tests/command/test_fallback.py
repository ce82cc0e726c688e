"""`rollback --fallback`: what the stage says itself; and stages that are not gone back past."""

from __future__ import annotations

import pytest

from tests.command.project import Project

STAGES = """
  - {stage: off, percent: 0, fallback: {do: Put the version before, command: [sh, previous.sh]}}
  - {stage: first, percent: 10, set: {RANKER_MODEL: small}, fallback: 5}
  - {stage: moved, percent: 40, set: {RANKER_MODEL: large}, one_way: true, fallback: 20}
  - {stage: wide, percent: [50, 100], fallback: previous}
  - {stage: second, percent: 10, again: true, set: {RANKER_MODEL: huge}, fallback: rollback}"""


@pytest.fixture
def project_of(project: Project) -> Project:
    project.write(stages=STAGES)
    (project.folder / "previous.sh").write_text('echo "$PREVIOUS" > version.txt\n')
    return project


def at(project: Project) -> tuple[str, float, str]:
    document = project.json("status").document
    return document["stage"], document["percent"], project.running()["RANKER_MODEL"]


def up_to(project: Project, *steps: str) -> Project:
    for step in steps:
        ran = project.run("ramp", step, "--yes")
        assert ran.code == 0, ran
    return project


def test_a_percentage_off_the_ladder_keeps_the_flags_and_the_next_step_is_the_rung_above(project_of: Project) -> None:
    project = up_to(project_of, "10")
    ran = project.json("rollback", "--fallback", "--yes")
    assert ran.code == 0, ran
    assert (ran.document["how"], ran.document["stage"], ran.document["percent"]) == ("fallback", "first", 5)
    assert at(project) == ("first", 5, "small") and project.running()["RANKER_SHARE"] == "5"
    again = project.json("rollback", "--fallback", "--yes")
    assert (again.code, again.document["plan"]) == (0, []) and "nothing to do" in again.document["message"]
    ran = project.json("ramp", "40", "--yes")
    assert ran.code == 1 and "runbook ramp 10" in ran.document["next"]
    assert up_to(project, "10").json("status").document["percent"] == 10


def test_previous_is_the_last_step_that_passed_and_rollback_is_the_way_back(project_of: Project) -> None:
    project = up_to(project_of, "10", "40", "50", "100")
    assert project.run("rollback", "--fallback", "--yes").code == 0
    assert at(project) == ("wide", 50, "large")
    project = up_to(project, "100", "second")
    assert at(project) == ("second", 10, "huge")
    ran = project.json("rollback", "--fallback", "--yes")
    assert ran.code == 1 and "moved is one_way" in ran.document["message"], ran


def test_an_action_runs_and_nothing_else_is_changed(project_of: Project) -> None:
    project, before = project_of, project_of.files()
    assert project.run("ramp", "off", "--yes").code in (0, 1)
    ran = project.run("rollback", "--fallback", "--dry-run")
    assert ran.code == 0 and "Put the version before" in ran.out and "nothing was changed" in ran.out
    restarts = project.restarts()
    ran = project.run("rollback", "--fallback", "--yes", env={"PREVIOUS": "2.3.0"})
    assert ran.code == 0, ran
    assert (project.folder / "version.txt").read_text() == "2.3.0\n"
    assert project.restarts() == restarts and project.flags.read_bytes() == before["ranker.env"]
    assert project.events("position.entered")[-1]["payload"]["how"] == "fallback"


def test_an_action_that_fails_stands_half_done_and_resume_does_it_again(project_of: Project) -> None:
    (project_of.folder / "previous.sh").write_text("exit 3\n")
    ran = project_of.json("rollback", "--fallback", "--yes")
    assert ran.code == 4 and ran.document["by_hand"] == ["sh previous.sh"]
    (project_of.folder / "previous.sh").write_text("touch put-back\n")
    assert project_of.run("resume", "--finish").code == 0
    assert (project_of.folder / "put-back").exists()


def test_a_stage_without_one_says_what_else_there_is(project: Project) -> None:
    ran = project.at_first().json("rollback", "--fallback", "--yes")
    assert ran.code == 1 and "the stage first has no fallback" in ran.document["message"]
    assert any("runbook rollback" in line for line in ran.document["next"])


def test_a_one_way_stage_is_not_gone_back_past_and_each_refusal_says_what_is_possible(project_of: Project) -> None:
    project = up_to(project_of, "10", "40")
    for args in (("rollback",), ("rollback", "--to", "10"), ("rollback", "--to", "off")):
        ran = project.json(*args, "--yes")
        assert ran.code == 1 and "moved is one_way" in ran.document["message"], ran
        offered = [line for line in ran.document["next"] if line.startswith("runbook rollback --fallback")]
        assert [line.endswith("does the fallback of moved: to 20 %") for line in offered] == [True], ran
    assert at(project) == ("moved", 40, "large")
    assert project.run("rollback", "--fallback", "--yes").code == 0
    assert at(project) == ("moved", 20, "large")


def test_the_emergency_goes_to_its_fallback_and_says_so_before_and_after(project_of: Project) -> None:
    project = up_to(project_of, "10", "40", "50")
    told = project.run("rollback", "--emergency", "--dry-run").out
    assert "to moved@20: moved is one_way, and its own fallback is to 20 %" in told
    assert at(project) == ("wide", 50, "large")
    ran = project.run("rollback", "--emergency", "--yes")
    assert ran.code == 0 and "moved is one_way" in ran.err and not ran.out.startswith("SAFE"), ran
    assert at(project) == ("moved", 20, "large") and project.running()["RANKER_SHARE"] == "20"
    assert project.json("status").document["incidents"][0]["severity"] == "P1"


def test_without_the_playbook_the_kit_still_knows_it(project_of: Project) -> None:
    project = up_to(project_of, "10", "40", "50")
    project.playbook.unlink()
    ran = project.run("rollback", "--emergency", "--yes")
    assert ran.code == 0, ran
    assert project.running()["RANKER_SHARE"] == "20"


@pytest.mark.parametrize("mistake", ["fallbak: 20", "fallback: previous"])
def test_a_mistake_in_the_stage_does_not_hide_where_it_goes_instead(project_of: Project, mistake: str) -> None:
    project = up_to(project_of, "10", "40", "50")
    project.write(stages=STAGES.replace("fallback: 20", mistake))
    ran = project.run("rollback", "--emergency", "--yes")
    assert ran.code == 0 and "they are taken from the kit" in ran.err, ran
    assert at(project) == ("moved", 20, "large")


def test_a_stage_that_cannot_be_read_is_taken_from_the_kit(project_of: Project) -> None:
    project = up_to(project_of, "10", "40", "50")
    project.write(stages=STAGES.replace("{stage: moved,", "{stge: moved,"))
    assert project.run("rollback", "--emergency", "--yes").code == 0
    assert at(project) == ("moved", 20, "large")


def test_where_it_stands_already_a_refusal_does_not_offer_it(project_of: Project) -> None:
    project = up_to(project_of, "10", "40")
    assert project.run("rollback", "--fallback", "--yes").code == 0
    ran = project.json("rollback", "--yes")
    assert ran.code == 1 and not any("--fallback" in line for line in ran.document["next"]), ran
    for target in ("20", "moved@20"):
        ran = project.json("rollback", "--to", target, "--yes")
        assert ran.code == 1 and ran.document["message"] == "already at moved@20", ran


@pytest.mark.parametrize(
    "ways",
    [("--fallback", "--partial"), ("--fallback", "--emergency"), ("--partial", "--emergency"),
     ("--to", "0", "--partial"), ("--to", "0", "--emergency"), ("--to", "0", "--fallback")],
)  # fmt: skip
def test_two_ways_at_once_are_refused(project: Project, ways: tuple[str, ...]) -> None:
    ran = project.json("rollback", *ways, "--yes")
    assert ran.code == 2 and "choose one" in ran.document["message"] and len(ran.document["next"]) == 2
