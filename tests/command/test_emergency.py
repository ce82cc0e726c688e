"""`rollback --emergency`: back to the safe flags, whatever else is broken."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command.project import AT_FIRST, FLAGS, Project, Ran
from tests.servers import raw


def alarm(project: Project, *more: str, **env: str) -> Ran:
    return project.json("rollback", "--emergency", "--yes", *more, env=env)


def safe(project: Project, ran: Ran) -> None:
    assert ran.code == 0, ran
    assert project.flags.read_text() == FLAGS and project.running()["RANKER_SHARE"] == "0"


def test_done_verified_and_with_an_incident(project: Project) -> None:
    project.at_first().numbers(errors=0.5)
    ran = alarm(project, "--reason", "wrong answers")
    safe(project, ran)
    assert ran.document["incident"] == 1 and all(row["ok"] for row in ran.document["plan"])
    status = project.json("status").document
    assert (status["stage"], status["percent"]) == ("off", 0)
    assert "wrong answers" in status["incidents"][0]["title"]
    assert "objective" in project.run("rollback", "--emergency", "--yes").said


def test_a_second_one_joins_the_incident_and_redeploys_all_the_same(project: Project) -> None:
    project.at_first()
    safe(project, alarm(project))
    restarts = project.restarts()
    before = project.flags.stat()
    safe(project, alarm(project))
    after = project.flags.stat()
    assert project.restarts() == restarts + 1
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns), "it is not edited again"
    assert [one["id"] for one in project.json("incident", "list").document["incidents"]] == [1]


def spoilt(project: Project) -> None:
    project.playbook.write_text(project.playbook.read_text() + "dashboard: {panels: [}\n")


def deleted(project: Project) -> None:
    project.playbook.unlink()


def newer(project: Project) -> None:
    project.playbook.write_text(project.playbook.read_text().replace("runbook: 1", "runbook: 2"))


def binary(project: Project) -> None:
    project.playbook.write_bytes(bytes(range(256)) * 20)


def emptied(project: Project) -> None:
    project.playbook.write_bytes(b"")


def a_folder(project: Project) -> None:
    project.playbook.unlink()
    project.playbook.mkdir()


def without_its_sections(project: Project) -> None:
    project.playbook.write_text("runbook: 1\nservice: ranker\nflags: 7\nenvironments: []\nrollback: no\n")


def enormous(project: Project) -> None:
    with project.playbook.open("a") as file:
        file.write("# " + "x" * (2 << 20) + "\n")


@pytest.mark.parametrize("spoil", [spoilt, deleted, newer, binary, emptied, a_folder, without_its_sections, enormous])
def test_a_playbook_that_cannot_be_used(project: Project, spoil: Callable[[Project], None]) -> None:
    project.at_first()
    spoil(project)
    assert project.run("ramp", "50", "--yes").code == 2
    assert project.json("status").document["stage"] == "first"
    safe(project, alarm(project))
    assert project.json("status").document["incidents"][0]["id"] == 1


@pytest.mark.parametrize("spoil", [spoilt, deleted])
def test_what_needs_no_playbook_works_without_one(project: Project, spoil: Callable[[Project], None]) -> None:
    project.at_first()
    spoil(project)
    for words in ("history", "audit verify", "hold", "release", "incident list", "resume"):
        ran = project.json(*words.split())
        assert ran.code == 0, (words, ran)


@pytest.mark.parametrize("named", ["ranker", "playbooks/ranker.yaml"])
def test_a_deleted_playbook_is_found_by_name_path_and_service(project: Project, named: str) -> None:
    project.write(service="ordering")
    project.at_first()
    project.playbook.unlink()
    assert project.run("status", "-p", "ordering").code == 0
    safe(project, alarm(project, "-p", named))


def test_errors_elsewhere_are_warnings(project: Project) -> None:
    project.flags.write_text(AT_FIRST)
    project.write(stages="\n  - {stage: 7, percent: lots}", metrics="no")
    safe(project, alarm(project))


def test_nothing_to_work_from_is_said_clearly(project: Project) -> None:
    spoilt(project)
    ran = alarm(project)
    assert ran.code == 4 and "no kit" in ran.document["message"] and ran.document["next"]
    assert project.flags.read_text() == FLAGS


def test_the_service_and_the_metrics_are_down(project: Project) -> None:
    project.at_first().script("/numbers", raw(b""))
    safe(project, alarm(project))
    project.script("/health", raw(b""))
    ran = alarm(project)
    assert ran.code == 4 and "Up" in ran.document["message"], "flags and redeploy worked, verify did not"
    assert project.flags.read_text() == FLAGS


def test_a_redeploy_that_fails_leaves_the_lines_to_type(project: Project) -> None:
    project.at_first()
    (project.folder / "fail-restart").touch()
    ran = alarm(project)
    assert ran.code == 4 and "sh restart.sh" in ran.document["by_hand"]
    assert project.flags.read_text() == FLAGS
    assert "UNSAFE" in project.run("rollback", "--emergency", "--yes").out
    (project.folder / "fail-restart").unlink()
    safe(project, alarm(project))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("RANKER_SHARE=50\n", "RANKER_SHARE=0\nRANKER_MODEL=plain\n"),
        ("NOTE='it is\nRANKER_SHARE=50\nRANKER_MODEL=large\n", None),
        ("RANKER_SHARE='50\nRANKER_MODEL=large\n", None),
        ("RANKER_SHARE=5\r\nRANKER_SHARE=6\r\nRANKER_MODEL=", "RANKER_SHARE=0\r\nRANKER_SHARE=0\r\nRANKER_MODEL=plain"),
        ("", None),
    ],
    ids=["missing key", "inside an unclosed quote", "its own quote is not closed", "twice", "an empty file"],
)  # fmt: skip
def test_it_sets_the_values_over_whatever_stands_there(project: Project, text: str, wanted: str | None) -> None:
    project.at_first()
    project.write(verify="\n  - {check: Up, http: /health}")
    project.flags.write_bytes(text.encode())
    ran = alarm(project)
    assert ran.code == 0 or ran.document["by_hand"], ran
    if wanted is not None:
        assert project.flags.read_bytes() == wanted.encode()
    else:
        lines = [line.strip() for line in project.flags.read_text().splitlines()]
        assert "RANKER_SHARE=0" in lines and "RANKER_SHARE=50" not in lines, (ran, lines)


def test_a_file_that_is_gone_goes_on_with_the_rest(project: Project) -> None:
    project.at_first()
    project.flags.unlink()
    ran = alarm(project)
    assert ran.code == 4 and any("RANKER_SHARE=0" in line for line in ran.document["by_hand"])
    assert project.restarts() == 2, "the redeploy was done all the same"


def test_one_of_two_files_fails_and_the_other_is_done(project: Project) -> None:
    places = "flags_in: [{env: ranker.env}, {env: more.env}], redeploy: {command: [sh, restart.sh], verify_within: 1s}"
    project.write(environments=f"\n  local: {{url: http://127.0.0.1:PORT, {places}}}")
    more = project.folder / "more.env"
    more.write_text("RANKER_SHARE=0\n")
    project.at_first()
    more.unlink()
    more.mkdir()
    ran = alarm(project)
    assert ran.code == 4 and "more.env" in ran.document["message"]
    assert project.flags.read_text() == FLAGS


def store_garbage(state: Path) -> None:
    for path in state.glob("state.db*"):
        path.write_bytes(b"this is no database" * 1000)


def store_a_folder(state: Path) -> None:
    for path in list(state.glob("state.db*")):
        path.unlink()
        path.mkdir()


@pytest.mark.parametrize("spoil", [store_garbage, store_a_folder])
def test_the_store_is_unreadable(project: Project, spoil: Callable[[Path], None]) -> None:
    project.at_first()
    assert list((project.folder / ".runbook").glob("state.db*"))
    spoil(project.folder / ".runbook")
    safe(project, alarm(project))
    doctor = project.run("doctor")
    assert doctor.code == 1 and "store" in doctor.out
    assert project.run("ramp", "10", "--yes").code in (3, 4)


def test_the_store_is_locked_by_somebody(project: Project) -> None:
    project.at_first()
    store = next((project.folder / ".runbook").glob("state.db*"))
    with sqlite3.connect(store, isolation_level=None) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        ran = alarm(project)
        safe(project, ran)
        holder.execute("ROLLBACK")
    holder.close()
    assert project.json("status").document["stage"] == "off", "the spool was merged"
    assert project.run("audit", "verify").code == 0
    assert [event["payload"]["outcome"] for event in project.events("operation.ended")] == ["done", "done"]


def test_it_takes_over_from_a_ramp_that_is_at_work(project: Project) -> None:
    project.at_first()
    with project.restarting_slowly("ramp", "50", "--yes") as ramp:
        safe(project, alarm(project))
        beaten = project.ended(ramp)
    assert beaten.code == 5 and project.flags.read_text() == FLAGS
    assert project.json("status").document["stage"] == "off"


def test_a_second_emergency_attaches_to_the_first(project: Project) -> None:
    project.at_first()
    with project.restarting_slowly("rollback", "--emergency", "--yes", seconds="2") as first:
        second = alarm(project)
        assert project.ended(first).code == 0 and second.code == 0
    assert "attaches" in second.err
    kinds = [event["payload"]["kind"] for event in project.events("operation.started")]
    assert kinds == ["ramp", "emergency"]


def test_takeover_does_not_wait_for_the_first(project: Project) -> None:
    project.at_first()
    with project.restarting_slowly("rollback", "--emergency", "--yes") as first:
        ran = alarm(project, "--takeover")
        safe(project, ran)
        assert ran.seconds < 15
        assert project.ended(first).code == 5


def test_a_dead_emergency_is_taken_over_at_once(project: Project) -> None:
    project.at_first()
    with project.restarting_slowly("rollback", "--emergency", "--yes") as first:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        ran = alarm(project)
        safe(project, ran)
        assert ran.seconds < 15


def test_neither_a_closed_session_nor_one_ctrl_c_stops_it(project: Project) -> None:
    project.at_first()
    with project.restarting_slowly("rollback", "--emergency", "--yes", seconds="1") as process:
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        ran = project.ended(process)
    safe(project, ran)
    assert "once more" in ran.err


def test_without_yes_and_without_a_terminal(project: Project) -> None:
    project.at_first()
    ran = project.json("rollback", "--emergency")
    assert ran.code == 2 and "--yes" in str(ran.document["next"])
    assert project.flags.read_text() == AT_FIRST


def test_after_it_the_next_ramp_writes_the_whole_state(project: Project) -> None:
    project.write(rollback="{set: {RANKER_SHARE: 0}, incident: P2}")
    project.at_first()
    assert alarm(project).code == 0
    assert project.flags.read_text() == AT_FIRST.replace("= 10", "= 0"), "rollback.set names the share alone"
    assert project.run("incident", "resolve").code == 0
    ran = project.run("ramp", "10", "--yes")
    assert ran.code == 0, ran
    assert project.flags.read_text() == AT_FIRST
