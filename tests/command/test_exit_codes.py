"""Each exit status, reached as an operator reaches it, with the JSON document that belongs to it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.command.project import Project, Ran
from tests.command.waiting import wait_until

NAMES = {
    "0": "go", "1": "no-go", "2": "usage", "3": "unknown", "4": "failed", "5": "busy", "70": "bug",
    "130": "interrupted", "143": "interrupted",
}  # fmt: skip


def ends(ran: Ran, code: int, *said: str) -> None:
    assert ran.code == code, ran
    for word in said:
        assert word in ran.said, ran


def test_0_done(installed: Project) -> None:
    ends(installed.json("ramp", "10", "--yes"), 0, "first@10")


def test_1_a_check_says_no(installed: Project) -> None:
    (installed.folder / "words.txt").unlink()
    ran = installed.json("preflight")
    ends(ran, 1)
    assert ran.rows("checks")["words_are_there"]["status"] == "fail"


def test_1_a_gate_says_no(installed: Project) -> None:
    installed.at_first().numbers(errors=0.02)
    ends(installed.json("gate"), 1, "errors < 1%")


def test_2_an_answer_was_needed_and_nobody_could_be_asked(installed: Project) -> None:
    before = installed.files()
    ends(installed.json("ramp", "10"), 2, "--yes")
    assert installed.files() == before


def test_2_the_playbook_is_wrong(installed: Project) -> None:
    installed.write(rollback="{set: safe, objective: soon}")
    ran = installed.json("ramp", "10", "--yes")
    ends(ran, 2, "soon", "runbook rollback --emergency")
    assert ran.document["problems"][0]["line"] > 1


def test_3_a_number_could_not_be_measured(installed: Project) -> None:
    installed.at_first().numbers(errors=None)
    ran = installed.json("gate")
    ends(ran, 3)
    assert "nodata" in [row["reason"] for row in ran.document["gates"]]
    ends(installed.json("ramp", "50", "--yes"), 3)


def test_3_a_manual_item_is_not_answered(installed: Project) -> None:
    installed.write(checklists="\n  ready: [{check: Team is told, sign: true}]")
    ran = installed.json("preflight")
    ends(ran, 3, "Team is told")
    ends(installed.json("ramp", "10", "--yes"), 3, "Team is told")


def test_4_the_redeploy_fails(installed: Project) -> None:
    (installed.folder / "fail-restart").touch()
    before = installed.flags.read_bytes()
    ran = installed.json("ramp", "10", "--yes")
    ends(ran, 4, "no room to start")
    assert installed.flags.read_bytes() == before


def test_4_a_flag_file_cannot_be_read(installed: Project) -> None:
    installed.flags.unlink()
    ends(installed.json("ramp", "10", "--yes"), 4, "ranker.env", "is not there")


def test_5_somebody_else_is_at_work(installed: Project) -> None:
    with installed.restarting_slowly("ramp", "10", "--yes"):
        ends(installed.json("ramp", "10", "--yes"), 5, "ramp", "first@10", "--wait")
        assert installed.json("status").document["lock"]["kind"] == "ramp"
        ends(installed.json("rollback", "--yes"), 5)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_130_and_143_the_step_is_made_safe_first(installed: Project, number: int, code: int) -> None:
    before = installed.flags.read_bytes()
    with installed.restarting_slowly("ramp", "10", "--yes", "--format", "json") as process:
        process.send_signal(number)
        ran = installed.ended(process, ("ramp", "--format", "json"))
    ends(ran, code)
    assert installed.flags.read_bytes() == before
    assert installed.running()["RANKER_SHARE"] == "0"
    assert installed.json("status").document["operation"]["state"] == "undone"
    ends(installed.run("ramp", "10", "--yes"), 0)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_a_look_that_is_ended_ends_what_it_started(installed: Project, number: int, code: int) -> None:
    line = "{check: Slow, run: 'echo $$ > pid.new; mv pid.new pid; exec sleep 300', reads: true, timeout: 5m}"
    installed.write(checklists=f"\n  ready: [{line}]")
    process = installed.start("preflight", "--deadline", "5m", "--format", "json")
    wait_until((installed.folder / "pid").exists)
    child = int((installed.folder / "pid").read_text())
    process.send_signal(number)
    ran = installed.ended(process, ("preflight", "--format", "json"))
    ends(ran, code)
    assert ran.document["exit_reason"] == "interrupted"
    wait_until(lambda: not Path(f"/proc/{child}").exists())


def test_the_table_is_printed(project: Project) -> None:
    document = project.json("exit-codes").document
    assert {code: row["name"] for code, row in document["details"].items()} == NAMES
    plain = project.run("exit-codes").out
    assert all(name in plain for name in NAMES.values())


def test_help_prints_the_codes_and_four_panels(project: Project) -> None:
    ran = project.run("--help")
    ends(ran, 0, "Tonight", "Roll out", "Every day", "Write", "130/143")
    assert list(project.folder.glob(".runbook")) == []


@pytest.mark.parametrize(
    "args",
    [
        ["ramq"], ["ramp", "--no-such"], ["ramp", "10", "20"], ["sign"], ["rollback", "--takeover"], ["adopt"],
        ["adopt", "first@10"], ["adopt", "first@10", "--restore"], ["resume", "--finish", "--undo"],
        ["ramp", "--deadline", "soon"], ["ramp", "--wait", "-5m"], ["gate", "--deadline", ""], ["hold", "--until", "x"],
        ["history", "--last", "0"], ["history", "--last", "many"], ["history", "--since", "yesterday-ish"],
        ["watch", "--for", "1fortnight"], ["sign", "nothing"], ["preflight", "nowhere"], ["ramp", "nowhere"],
        ["rollback", "--to", "nowhere"], ["ramp", "10", "-e", "moon"], ["ramp", "10", "-p", "moon"], ["audit"],
        ["sandbox"], ["sandbox", "fault"], ["ramp", "10", "--override"], ["preflight", "--only", "nothing"],
        ["health-check", "morning"], ["ramp", "nan"], ["ramp", "-1"], ["ramp", "1e999"], ["ramp", "101"], ["ramp", ""],
    ],
)  # fmt: skip
def test_2_wrong_words_are_refused_in_the_wanted_format(project: Project, args: list[str]) -> None:
    before = project.files()
    ran = project.json(*args)
    ends(ran, 2)
    assert project.files() == before
    assert not ran.out.lstrip().startswith("Usage")


@pytest.mark.parametrize("args", [["--format", "json", "ramp"], ["ramp", "--format", "yaml"], ["-f", "json"]])
def test_2_the_format_itself_in_the_wrong_place(project: Project, args: list[str]) -> None:
    ends(project.run(*args), 2)


def test_a_mistyped_command_is_told_what_was_meant(project: Project) -> None:
    ends(project.run("rolback", "--emergency"), 2, "rollback")
    ends(project.run("ramp", "10", "-e", "locl"), 2, "local")
    ends(project.run("ramp", "10", "-p", "rankr"), 2, "ranker")
    ends(project.run("ramp", "fist"), 2, "first")
