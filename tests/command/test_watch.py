"""Triggers while a step bakes: what fires, what it does, and what it leaves."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.command.project import AT_FIRST, FLAGS, Project, Ran
from tests.command.waiting import wait_until
from tests.servers import raw

# A practice environment shortens waits; its URL, flag file and redeploy are the project's own.
PRACTICE = """
  practice:
    sandbox: true
    bake_scale: 0.01
    url: http://127.0.0.1:PORT
    flags_in: {env: ranker.env}
    redeploy: {command: [sh, restart.sh], timeout: 10s, verify_within: 3s}"""
STAGES = """
  - {stage: off, percent: 0}
  - stage: first
    percent: 10
    set: {RANKER_MODEL: small}
    bake: BAKE
    gates: ["errors < 1%"]
    triggers: [TRIGGERS]
  - {stage: wide, percent: [50, 100]}"""
ROLLBACK = '{when: "errors > 5% for 20s", then: rollback}'


def practising(project: Project, triggers: str = ROLLBACK, bake: str = "30m", **sections: str | None) -> Project:
    stages = STAGES.replace("BAKE", bake).replace("TRIGGERS", triggers)
    project.write(environments=PRACTICE, stages=stages, **sections)
    return project


@contextmanager
def when_at_first(project: Project, *args: str) -> Iterator[list[Ran]]:
    """The command running in the background; the block is entered when the step has been entered."""
    done: list[Ran] = []
    thread = threading.Thread(target=lambda: done.append(project.json(*args)))
    thread.start()
    try:
        wait_until(lambda: project.json("status").document["stage"] == "first")
        yield done
    finally:
        thread.join(timeout=60)


def test_a_trigger_rolls_back_without_help(project: Project) -> None:
    practising(project)
    with when_at_first(project, "ramp", "10", "--yes", "--watch") as done:
        project.numbers(errors=0.08)
    ran = done[0]
    assert ran.code == 1 and "errors > 5%" in ran.document["message"] + ran.err
    assert project.flags.read_text() == FLAGS and project.running()["RANKER_SHARE"] == "0"
    status = project.json("status").document
    assert status["stage"] == "off" and status["operation"]["kind"] == "emergency"
    assert [one["severity"] for one in status["incidents"]] == ["P1"]
    assert status["hold"]["automatic"] is True, "after an automatic way back people release"
    assert project.events("trigger.fired")[0]["payload"]["then"] == "rollback"
    refused = project.run("ramp", "10", "--yes")
    assert refused.code == 1 and "release" in refused.said and "incident" in refused.said


def test_a_trigger_that_holds(project: Project) -> None:
    practising(project, '{when: "errors > 5% for 20s", then: hold}').at_first().numbers(errors=0.08)
    ran = project.json("watch", "--act", "--for", "3s")
    assert ran.code == 1
    assert project.flags.read_text() == AT_FIRST
    hold = project.json("status").document["hold"]
    assert hold["automatic"] is True and "errors" in hold["reason"]


def test_a_trigger_that_notifies(project: Project) -> None:
    practising(project, '{when: "errors > 5% for 20s", then: notify}').at_first().numbers(errors=0.08)
    ran = project.json("watch", "--act", "--for", "3s")
    assert ran.code == 1 and "notify" in ran.err
    status = project.json("status").document
    assert status["hold"] is None and status["incidents"] == [] and project.flags.read_text() == AT_FIRST
    assert len(project.events("trigger.fired")) == 1, "told once, not at every look"


def test_a_watch_that_only_looks_changes_nothing(project: Project) -> None:
    practising(project).at_first().numbers(errors=0.08)
    ran = project.json("watch", "--for", "2s")
    assert ran.code == 1, "a trigger fires, and nobody acted"
    assert project.flags.read_text() == AT_FIRST and project.json("status").document["stage"] == "first"


def test_the_service_that_stops_answering_is_rolled_back(project: Project) -> None:
    practising(project)
    with when_at_first(project, "ramp", "10", "--yes", "--watch") as done:
        health = project.service.scripts["/health"]
        project.script("/health", raw(b""))
        wait_until(lambda: "= 0" in project.flags.read_text())
        project.script("/health", health)
    assert done[0].code == 1 and "service" in done[0].document["message"] + done[0].err
    assert project.json("status").document["stage"] == "off"


def test_a_stage_may_hold_instead_when_the_service_is_down(project: Project) -> None:
    stages = STAGES.replace("bake: BAKE", "bake: 30m\n    on_down: hold").replace("TRIGGERS", ROLLBACK)
    project.write(environments=PRACTICE, stages=stages)
    project.at_first().script("/health", raw(b""))
    assert project.run("watch", "--act", "--for", "4s").code == 1
    assert project.flags.read_text() == AT_FIRST
    assert project.json("status").document["hold"]["automatic"] is True


def test_no_number_never_rolls_back(project: Project) -> None:
    practising(project).at_first().numbers(errors=None)
    assert project.run("watch", "--act", "--for", "2s").code in (1, 3)
    assert project.flags.read_text() == AT_FIRST


def test_a_good_bake_ends_with_go(project: Project) -> None:
    practising(project, bake="100s")
    ran = project.json("ramp", "10", "--yes", "--watch")
    assert ran.code == 0 and project.json("status").document["bake"]["over"] is True
    assert project.run("ramp", "50", "--yes").code == 0


def test_a_spike_shorter_than_its_time_does_not_fire(project: Project) -> None:
    practising(project, '{when: "errors > 5% for 10m", then: rollback}', bake="200s")
    with when_at_first(project, "ramp", "10", "--yes", "--watch") as done:
        project.numbers(errors=0.08)
        asked = project.asked("/numbers")
        wait_until(lambda: project.asked("/numbers") > asked + 1)
        project.numbers()
    assert done[0].code in (0, 1) and project.flags.read_text() == AT_FIRST
    assert project.events("trigger.fired") == []


def test_ctrl_c_leaves_a_watch_and_nothing_is_lost(project: Project) -> None:
    practising(project).at_first()
    process = project.start("watch", "--act", "--format", "json")
    wait_until(lambda: "looked" in project.run("status").out)
    process.send_signal(signal.SIGINT)
    ran = project.ended(process, ("watch", "--format", "json"))
    assert ran.code == 130 and project.flags.read_text() == AT_FIRST
    assert "nobody" in project.run("status").out


def test_a_hold_by_a_person_stops_the_robot(project: Project) -> None:
    practising(project).at_first().numbers(errors=0.08)
    project.run("hold", "--reason", "we are looking")
    ran = project.run("watch", "--act", "--for", "2s")
    assert ran.code == 1 and "held by" in ran.said and "rollback --emergency" in ran.said
    assert project.flags.read_text() == AT_FIRST


def test_a_rollback_rule_at_safe_flags_only_tells(project: Project) -> None:
    practising(project).at_first()
    assert project.run("adopt", "off", "--reason", "set by hand").code == 0
    project.flags.write_text(FLAGS)
    project.run("adopt", "first", "--reason", "so that the triggers are those of first")
    restarts = project.restarts()
    project.numbers(errors=0.08)
    ran = project.run("watch", "--act", "--for", "2s")
    assert "already safe" in ran.said and project.restarts() == restarts
    assert project.json("status").document["incidents"] == []


def test_bake_scale_is_refused_outside_a_sandbox(project: Project) -> None:
    project.write(environments="\n  local: {url: http://127.0.0.1:PORT, flags_in: {env: ranker.env}, bake_scale: 0.01}")
    ran = project.run("ramp", "10", "--yes")
    assert ran.code == 2 and "bake_scale" in ran.said


def test_a_watch_that_ends_because_somebody_moved_the_service_says_where_to(project: Project) -> None:
    practising(project).at_first()
    process = project.start("watch", "--for", "30s", "--format", "json")
    asked = project.asked("/numbers")
    wait_until(lambda: project.asked("/numbers") > asked)
    assert project.run("rollback", "--yes", env={"RUNBOOK_OPERATOR": "ben"}).code == 0
    ran = project.ended(process, ("watch", "--format", "json"))
    assert ran.code == 3 and ran.document["message"] == "the service was moved: ranker is at off@0, by ben (rollback)"
