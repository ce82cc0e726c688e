"""How a ramp ends when something on the way does not work: undone where that can be, half done and named where not."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from tests.command.project import AT_FIRST, FLAGS, SECTIONS, Project
from tests.command.waiting import wait_until
from tests.servers import answer

LOCAL = "\n  local: {url: http://127.0.0.1:PORT, flags_in: {env: ranker.env}"
NO_VERIFY = LOCAL + ", redeploy: {command: [sh, restart.sh], timeout: 10s}}"
NO_REDEPLOY = LOCAL + "}"
QUICK = LOCAL + ", redeploy: {command: [sh, restart.sh], verify_within: 500ms}}"
HANGING = LOCAL + ", redeploy: {command: [sh, hang.sh], timeout: 1s}}"


def test_a_verify_that_never_holds_is_undone(project: Project) -> None:
    project.write(environments=QUICK)
    project.script("/config", answer('{"share": 0}'))
    ran = project.json("ramp", "10", "--yes")
    assert ran.code == 4 and "Live share" in ran.document["message"]
    assert project.flags.read_text() == FLAGS and project.running()["RANKER_SHARE"] == "0"
    assert project.restarts() == 2, "once up, once back"
    status = project.json("status").document
    assert (status["stage"], status["operation"]["state"]) == ("off", "undone")
    assert project.run("resume", "--undo").code == 0, "nothing is left to resume"


def test_where_the_old_values_do_not_verify_either_it_stands_half_done(project: Project) -> None:
    project.write(environments=QUICK)
    project.script("/config", answer('{"share": 77}'))
    ran = project.run("ramp", "10", "--yes")
    assert ran.code == 4 and "runbook resume" in ran.said and "half done" in ran.said
    assert project.flags.read_text() == FLAGS
    for command in (["ramp", "10", "--yes"], ["rollback", "--yes"], ["adopt", "first@10", "--reason", "x"]):
        again = project.run(*command)
        assert again.code == 4 and "resume" in again.said, command
    status = project.run("status")
    assert (status.code == 0 and "CUT OFF" in status.out.splitlines()[0]) or "cut off" in status.out
    assert project.run("resume").code == 2, "which of the two has to be said"
    project.script("/config", answer('{"share": 0}'))
    assert project.run("resume", "--undo").code == 0
    assert project.json("status").document["operation"]["state"] == "undone"


def test_half_done_does_not_stop_an_emergency(project: Project) -> None:
    project.write(environments=QUICK)
    project.script("/config", answer('{"share": 77}'))
    assert project.run("ramp", "10", "--yes").code == 4
    project.script("/config", answer('{"share": 0}'))
    assert project.run("rollback", "--emergency", "--yes").code == 0
    assert project.run("resume", "--undo").code == 0
    assert project.json("status").document["operation"]["kind"] == "emergency"


def test_no_verify_is_done_and_said_as_not_verified(project: Project) -> None:
    project.write(verify=None, environments=NO_VERIFY)
    ran = project.run("ramp", "10", "--yes")
    assert ran.code == 0 and "not verified" in ran.out
    lint = project.run("lint")
    assert lint.code == 0 and "verify" in lint.out
    assert "not verified" in project.run("rollback", "--yes").out
    emergency = project.run("rollback", "--emergency", "--yes")
    assert emergency.code == 0 and "not verified" in emergency.out


def test_a_verify_of_other_environments_is_none_here(project: Project) -> None:
    """It is not a list that can never hold, which would be waited for and the step then undone."""
    environments = (
        str(SECTIONS["environments"]) + "\n  other: {url: 'http://127.0.0.1:PORT', flags_in: {env: other.env}}"
    )
    project.write(verify="[{check: Up, http: /health, only: [other]}]", environments=environments)
    ran = project.run("ramp", "10", "--yes", "-e", "local")
    assert ran.code == 0 and "not verified" in ran.out


def test_no_redeploy_edits_the_file_alone(project: Project) -> None:
    project.write(environments=NO_REDEPLOY, verify="\n  - {check: Up, http: /health}")
    assert project.run("ramp", "10", "--yes").code == 0
    assert project.restarts() == 0 and project.flags.read_text() == AT_FIRST


def alive(pid: int) -> bool:
    """Whether a process runs; one that waits to be reaped does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_a_redeploy_that_hangs_is_ended_with_its_children(project: Project) -> None:
    project.write(environments=HANGING, verify=None)
    (project.folder / "hang.sh").write_text(
        "trap '' TERM\nsh -c 'trap \"\" TERM; echo $$ > child; sleep 60' &\nsleep 60\n"
    )
    began = time.monotonic()
    ran = project.run("ramp", "10", "--yes")
    assert ran.code == 4 and time.monotonic() - began < 30
    child = int((project.folder / "child").read_text())
    wait_until(lambda: not alive(child))
    assert project.flags.read_text() == FLAGS


def test_the_output_of_a_redeploy_that_fails_is_shown_and_harmless(project: Project) -> None:
    (project.folder / "restart.sh").write_text("printf 'no \\033[31mroom\\007\\rOK done\\n'; exit 9\n")
    ran = project.run("ramp", "10", "--yes")
    assert ran.code == 4 and "\\x1b[31mroom" in ran.said and "9" in ran.said


def test_the_password_of_a_redeploy_is_masked(project: Project) -> None:
    (project.folder / "restart.sh").write_text('echo "login with $RANKER_API_KEY"; exit 1\n')
    ran = project.run("ramp", "10", "--yes", "-v", env={"RANKER_API_KEY": "kjh34kjhsdfjkh2"})
    assert ran.code == 4 and "kjh34kjhsdfjkh2" not in ran.said
    assert "kjh34kjhsdfjkh2" not in project.run("history", "--format", "json").out


def test_killed_in_the_middle_the_next_command_says_what_was_cut_off(project: Project) -> None:
    project.at_first()
    with project.restarting_slowly("ramp", "50", "--yes") as process:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    status = project.run("status")
    assert status.code == 0 and "CUT OFF" in status.out.splitlines()[0]
    for command in (["ramp", "50", "--yes"], ["rollback", "--yes"]):
        assert project.run(*command).code == 4
    ran = project.json("resume", "--finish")
    assert ran.code == 0 and project.running()["RANKER_SHARE"] == "50"
    assert project.json("status").document["stage"] == "wide"
    assert len(project.events("operation.ended")) == 2


def test_waiting_for_another_operator(project: Project) -> None:
    with project.restarting_slowly("ramp", "10", "--yes", seconds="2") as first:
        assert project.run("rollback", "--yes", "--wait", "100ms").code == 5, "shorter than the other takes"
        assert project.run("rollback", "--yes", "--wait", "20s").code == 0
        assert project.ended(first).code == 0
    assert project.flags.read_text() == FLAGS


def test_the_step_is_recorded_with_who_and_why(project: Project) -> None:
    project.run("ramp", "10", "--yes", "--reason", "first friends", env={"RUNBOOK_OPERATOR": "night-shift"})
    started = project.events("operation.started")[0]
    assert (started["who"], started["known"], started["payload"]["reason"]) == (
        "night-shift",
        "claimed",
        "first friends",
    )
    assert started["payload"]["decision"], "the decision is kept with its values"
    kinds = [event["kind"] for event in project.events()]
    assert kinds == ["operation.started", "rollout.started", "position.entered", "operation.ended"]
