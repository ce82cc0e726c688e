"""Questions on a terminal: what is asked, and what each answer does."""

from __future__ import annotations

import os
import signal

import pytest

from tests.command.project import AT_FIRST, FLAGS, Project
from tests.command.waiting import wait_until
from tests.terminal.screen import on_terminal

LIVE = """
  live:
    url: http://127.0.0.1:PORT
    flags_in: {env: ranker.env}
    redeploy: {command: [sh, restart.sh]}
    protected: true"""


def test_yes_goes_on(project: Project) -> None:
    with on_terminal(project, "ramp", "10") as terminal:
        terminal.wait_for("Ramp ranker · local to first@10?").key_in("y\r")
        assert terminal.end() == 0
        assert "GO" in terminal.text and "first@10" in terminal.text
    assert project.flags.read_text() == AT_FIRST


@pytest.mark.parametrize("answer", ["n", "\r"])
def test_no_and_nothing_change_nothing(project: Project, answer: str) -> None:
    before = project.files()
    with on_terminal(project, "ramp", "10") as terminal:
        terminal.wait_for("to first@10?").key_in(answer)
        assert terminal.end() == 1
        assert "nothing was changed" in terminal.text
    assert project.files() == before and project.events() == []


def test_ctrl_c_at_the_question(project: Project) -> None:
    before = project.files()
    with on_terminal(project, "ramp", "10") as terminal:
        terminal.wait_for("to first@10?").key_in("\x03")
        assert terminal.end() == 130
        assert "Traceback" not in terminal.text
    assert project.files() == before


def test_the_plan_and_its_undo_stand_above_the_question(project: Project) -> None:
    with on_terminal(project, "ramp", "10") as terminal:
        terminal.wait_for("to first@10?")
        for words in ("- RANKER_SHARE = 0", "+ RANKER_SHARE = 10", "undo:", "sh restart.sh", "way back"):
            assert words in terminal.text, words
        terminal.key_in("n")
        terminal.end()


def test_a_protected_environment_is_typed_out(project: Project) -> None:
    project.write(environments=LIVE)
    with on_terminal(project, "ramp", "10", "-e", "live", "--yes") as terminal:
        terminal.wait_for("Type live to go on").key_in("y\r")
        assert terminal.end() == 1
    assert project.flags.read_text() == FLAGS
    with on_terminal(project, "ramp", "10", "-e", "live") as terminal:
        terminal.wait_for("Type live to go on").key_in("live\r")
        assert terminal.end() == 0
    assert project.flags.read_text() == AT_FIRST


def test_manual_items_are_asked_and_kept(project: Project) -> None:
    project.write(checklists="\n  ready: [{check: Team is told, sign: true}, {check: Support is told, sign: true}]")
    with on_terminal(project, "preflight") as terminal:
        terminal.wait_for("Team is told?").key_in("\r")
        terminal.wait_for("Support is told?").key_in("\x1b[B\r")
        assert terminal.end() == 1, "the second answer is no"
    answers = {event["payload"]["title"]: event["payload"]["yes"] for event in project.events("check.signed")}
    assert answers == {"Team is told": True, "Support is told": False}
    assert project.run("sign", "support_is_told").code == 0
    with on_terminal(project, "preflight") as terminal:
        assert terminal.end() == 0, "nothing is asked twice"


def test_a_manual_item_that_is_put_off_stays_unknown(project: Project) -> None:
    project.write(checklists="\n  ready: [{check: Team is told, sign: true}]")
    with on_terminal(project, "preflight") as terminal:
        terminal.wait_for("Team is told?").key_in("\x1b[B\x1b[B\r")
        assert terminal.end() == 3
    with on_terminal(project, "preflight") as terminal:
        terminal.wait_for("Team is told?").key_in("\x03")
        assert terminal.end() == 130, "Ctrl-C is no answer"
    assert project.events("check.signed") == []


def test_yes_never_answers_a_manual_item(project: Project) -> None:
    project.write(checklists="\n  ready: [{check: Team is told, sign: true}]")
    with on_terminal(project, "ramp", "10", "--yes") as terminal:
        terminal.child.expect(["Team is told", "UNKNOWN"])
        terminal.key_in("\x03")
        assert terminal.end() in (3, 130)
    assert project.flags.read_text() == FLAGS


def test_the_emergency_asks_one_question(project: Project) -> None:
    project.at_first()
    with on_terminal(project, "rollback", "--emergency") as terminal:
        terminal.wait_for("back to the safe flags?").key_in("y\r")
        assert terminal.end() == 0
        assert "SAFE" in terminal.text and "objective" in terminal.text
    assert project.flags.read_text() == FLAGS


def test_the_emergency_asks_which_environment_with_one_key_each(project: Project) -> None:
    one = "{url: http://127.0.0.1:PORT, flags_in: {env: NAME.env}, redeploy: {command: [sh, restart.sh]}}"
    two = f"\n  here: {one.replace('NAME', 'ranker')}\n  there: {one.replace('NAME', 'there')}"
    project.write(environments=two, verify="\n  - {check: Up, http: /health}")
    for name in ("ranker.env", "there.env"):
        (project.folder / name).write_text(AT_FIRST)
    with on_terminal(project, "rollback", "--emergency") as terminal:
        terminal.wait_for("2 there").key_in("2")
        assert terminal.end() == 0, "one key is one answer, and there is one question at most"
    assert "= 0" in (project.folder / "there.env").read_text()
    assert project.flags.read_text() == AT_FIRST, "the other one was not touched"


def test_a_closed_terminal_does_not_stop_an_emergency(project: Project) -> None:
    project.at_first()
    (project.folder / "slow-restart").write_text("1")
    with on_terminal(project, "rollback", "--emergency", "--yes") as terminal:
        wait_until((project.folder / "restarting").exists)
        terminal.hang_up()
        wait_until(lambda: project.json("status").document["stage"] == "off")
    assert project.flags.read_text() == FLAGS and project.running()["RANKER_SHARE"] == "0"
    assert project.events("operation.ended")[-1]["payload"]["outcome"] == "done"


def test_a_closed_terminal_does_not_stop_a_ramp_in_the_middle(project: Project) -> None:
    (project.folder / "slow-restart").write_text("1")
    with on_terminal(project, "ramp", "10", "--yes") as terminal:
        wait_until((project.folder / "restarting").exists)
        terminal.hang_up()
        wait_until(lambda: project.json("status").document["stage"] == "first")
    assert project.flags.read_text() == AT_FIRST


def test_ctrl_c_in_a_redeploy_undoes_the_ramp(project: Project) -> None:
    (project.folder / "slow-restart").write_text("20")
    with on_terminal(project, "ramp", "10", "--yes") as terminal:
        wait_until((project.folder / "restarting").exists)
        (project.folder / "slow-restart").unlink()
        terminal.key_in("\x03")
        assert terminal.end() == 130
    assert project.flags.read_text() == FLAGS and project.running()["RANKER_SHARE"] == "0"


def test_a_stopped_and_continued_ramp_goes_on(project: Project) -> None:
    (project.folder / "slow-restart").write_text("1")
    with on_terminal(project, "ramp", "10", "--yes") as terminal:
        wait_until((project.folder / "restarting").exists)
        os.kill(terminal.pid, signal.SIGSTOP)
        os.kill(terminal.pid, signal.SIGCONT)
        assert terminal.end() == 0
    assert project.flags.read_text() == AT_FIRST
