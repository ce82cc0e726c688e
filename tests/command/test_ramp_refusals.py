"""`ramp` says no: the reason, the next thing to type, and nothing changed."""

from __future__ import annotations

import pytest

from tests.command.project import AT_FIRST, FLAGS, Project, Ran

GATED = """
  - {stage: off, percent: 0}
  - stage: first
    percent: 10
    set: {RANKER_MODEL: small}
    BODY
  - {stage: wide, percent: [50, 100]}"""


def stages(body: str) -> str:
    return GATED.replace("BODY", body)


def refused(project: Project, ran: Ran, code: int, *said: str) -> None:
    """Refused, in words, with nothing changed."""
    assert ran.code == code, ran
    for word in said:
        assert word in ran.said, ran
    assert "Next:" in ran.said, ran


@pytest.mark.parametrize("target", ["50", "wide", "wide@100", "100", "100%"])
def test_a_step_is_not_skipped(project: Project, target: str) -> None:
    refused(project, project.run("ramp", target, "--yes"), 1, "next step is first@10", "runbook ramp 10")
    assert project.flags.read_text() == FLAGS and project.restarts() == 0


def test_already_there_and_below(project: Project) -> None:
    project.at_first()
    restarts = project.restarts()
    refused(project, project.run("ramp", "10", "--yes"), 1, "already at first@10")
    refused(
        project, project.run("ramp", "off", "--yes"), 1, "off@0", "we are at first@10", "runbook rollback --to off@0"
    )
    assert project.flags.read_text() == AT_FIRST and project.restarts() == restarts


def test_the_top_of_the_ladder(project: Project) -> None:
    for step in ("10", "50", "100"):
        assert project.run("ramp", step, "--yes").code == 0
    refused(project, project.run("ramp", "--yes"), 1, "top of its ladder", "runbook rollback")
    refused(project, project.run("ramp", "100", "--yes"), 1, "already at wide@100")


def test_an_edit_by_hand_is_named_with_both_ways_out(project: Project) -> None:
    project.at_first()
    project.flags.write_text(AT_FIRST.replace("small", "large"))
    ran = project.run("ramp", "50", "--yes")
    refused(project, ran, 1, "RANKER_MODEL", "large", "small", "runbook adopt", "--restore")
    assert "large" in project.flags.read_text()


def test_without_history_the_file_has_to_show_the_first_stage(project: Project) -> None:
    project.flags.write_text(FLAGS.replace("= 0", "= 50"))
    for words in (["ramp", "--yes"], ["ramp", "10", "--yes"]):
        refused(project, project.run(*words), 1, "RANKER_SHARE", "50", "runbook adopt")
    refused(project, project.run("adopt", "--restore", "--yes"), 1, "nothing is recorded")
    assert project.run("adopt", "50", "--reason", "it stood there before").code == 0
    assert project.run("ramp", "100", "--yes").code == 0
    assert project.flags.read_text() == AT_FIRST.replace("= 10", "= 100"), "a step up writes the whole state"


def test_all_reasons_are_listed_at_once(project: Project) -> None:
    project.at_first().numbers(errors=0.03, p95=3000)
    project.run("hold", "--reason", "maintenance of the database")
    project.flags.write_text(AT_FIRST.replace("small", "large"))
    ran = project.run("ramp", "50", "--yes")
    refused(project, ran, 1, "errors < 1%", "p95 < 2s", "maintenance of the database", "RANKER_MODEL", "held by")
    failing = [row["kind"] for row in project.json("ramp", "50", "--yes").document["rules"] if row["status"] == "fail"]
    assert {"hold", "drift", "gate"} <= set(failing)


def test_no_and_unknown_together_are_no(project: Project) -> None:
    project.at_first().numbers(errors=None, p95=3000)
    assert project.run("ramp", "50", "--yes").code == 1


def test_a_bake_that_is_not_over(project: Project) -> None:
    project.write(stages=stages("bake: 1h"))
    project.at_first()
    ran = project.json("ramp", "50", "--yes")
    assert ran.code == 1 and ran.rows("gates")["bake"]["status"] == "fail"
    bake = project.json("status").document["bake"]
    assert bake["over"] is False and bake["asked_s"] == 3600


def test_a_hold_is_shown_until_released(project: Project) -> None:
    project.at_first()
    assert project.run("hold", "--until", "2h", "--reason", "rain").code == 0
    refused(project, project.run("ramp", "50", "--yes"), 1, "rain", "runbook release")
    hold = project.json("status").document["hold"]
    assert hold["reason"] == "rain" and hold["until"] and hold["automatic"] is False
    assert project.run("rollback", "--yes").code == 0, "a way back by a person stays open"
    assert project.run("release").code == 0
    assert project.json("status").document["hold"] is None
    assert project.run("ramp", "10", "--yes").code == 0
    assert "was not held" in project.run("release").said


def test_an_open_incident(project: Project) -> None:
    project.at_first()
    assert project.run("incident", "open", "Strange order of results", "--severity", "P2").code == 0
    refused(project, project.run("ramp", "50", "--yes"), 1, "incident 1", "Strange order", "runbook incident resolve")
    assert project.run("incident", "resolve", "--incident", "1").code == 0
    assert project.run("ramp", "50", "--yes").code == 0


def test_what_may_not_be_overridden_is_not(project: Project) -> None:
    project.at_first().numbers(errors=0.03)
    refused(project, project.run("ramp", "50", "--yes", "--override", "the boss wants it"), 1, "errors < 1%")
    assert project.flags.read_text() == AT_FIRST


def test_what_may_be_overridden_is_and_it_is_recorded(project: Project) -> None:
    project.write(stages=stages('gates: [{gate: "errors < 1%", override: true}]'))
    project.at_first().numbers(errors=0.03)
    assert project.run("ramp", "50", "--yes").code == 1
    assert project.run("ramp", "50", "--yes", "--override", "known, harmless").code == 0
    assert "known, harmless" in project.run("history").out


def test_an_override_covers_only_what_allows_it(project: Project) -> None:
    project.write(stages=stages('gates: [{gate: "errors < 1%", override: true}, "p95 < 2s"]'))
    project.at_first().numbers(errors=0.03, p95=3000)
    assert project.run("ramp", "50", "--yes", "--override", "known").code == 1


def test_a_checklist_that_fails_is_not_overridden(project: Project) -> None:
    (project.folder / "words.txt").unlink()
    refused(project, project.run("ramp", "10", "--yes", "--override", "known"), 1, "Words are there")


def test_a_dry_run_writes_nothing(project: Project) -> None:
    before = project.files()
    ran = project.json("ramp", "10", "--dry-run")
    assert ran.code == 0 and [row["kind"] for row in ran.document["plan"]] == ["set", "redeploy", "verify"]
    assert "+ RANKER_SHARE = 10" in "\n".join(ran.document["plan"][0]["diff"])
    assert project.files() == before
    assert project.events() == []
    project.at_first()
    events, before = project.events(), project.files()
    project.run("ramp", "50", "--dry-run")
    project.run("rollback", "--dry-run")
    project.run("rollback", "--emergency", "--dry-run")
    assert (project.events(), project.files()) == (events, before)


def test_a_dry_run_of_a_step_that_is_refused_says_so(project: Project) -> None:
    project.at_first().numbers(errors=0.03)
    ran = project.json("ramp", "50", "--dry-run")
    assert ran.code == 1 and ran.document["plan"], "the plan is shown all the same"


def test_a_playbook_without_stages_has_no_ladder(project: Project) -> None:
    project.write(stages=None, checklists=None)
    assert project.run("ramp", "10", "--yes").code == 2
    assert project.run("status").code == 0


def test_a_protected_environment_wants_its_name(project: Project) -> None:
    local = (
        "\n  live: {url: http://127.0.0.1:PORT, flags_in: {env: ranker.env}, redeploy: {command: [sh, restart.sh]}, "
    )
    project.write(environments=local + "protected: true}")
    refused(project, project.run("ramp", "10", "--yes"), 2, "protected", "-e live")
    refused(project, project.run("ramp", "10", "--yes", "-e", "live"), 2, "--confirm live")
    refused(project, project.run("ramp", "10", "-e", "live", "--confirm", "alive"), 2, "--confirm live")
    assert project.flags.read_text() == FLAGS
    assert project.run("ramp", "10", "-e", "live", "--confirm", "live").code == 0
    refused(project, project.run("rollback", "-e", "live", "--yes"), 2, "--confirm live")
    assert project.run("rollback", "--emergency", "--yes").code == 0, "the emergency chooses it and asks nothing"
