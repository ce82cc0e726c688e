"""`runbook now`: what who is woken reads, as the installed command prints it."""

from __future__ import annotations

import pytest

from tests.command.project import SECTIONS, Project

TWO = (
    SECTIONS["environments"]
    + """
  live:
    url: http://127.0.0.1:PORT
    flags_in: {env: live.env}
    redeploy: {command: [sh, restart.sh], timeout: 10s}
    protected: true"""
)


@pytest.fixture
def bad(project: Project) -> Project:
    """The project at first@10, where the numbers were good and then bad."""
    project.at_first()
    project.run("gate")
    project.numbers(errors=0.072, p95=900)
    project.run("gate")
    return project


def test_the_card_names_what_is_bad_what_changed_and_the_next_command(bad: Project) -> None:
    ran = bad.run("now")
    lines = ran.out.splitlines()
    assert ran.code == 0 and ran.err == ""
    assert "ranker · local · first@10" in lines[0] and "UNSAFE for " in lines[0]
    assert lines[1].startswith("  errors     7.2 %  (limit 5 %, since ") and "before that 0.2 %" in lines[1]
    assert any("ramp off@0 -> first@10 by " in line for line in lines)
    assert any(line.startswith("  ->         runbook rollback --emergency") for line in lines)
    assert any(line.startswith("    undo     runbook preflight, then  runbook ramp 10") for line in lines)


def test_the_next_command_works_as_it_is_printed(bad: Project) -> None:
    [command] = bad.json("now").document["next"]
    done = bad.run(*command.split()[1:], "--yes")
    assert done.code == 0, done
    after = bad.json("now").document
    assert (after["state"], after["next"]) == ("SAFE", ["runbook incident show"])


def test_the_document(bad: Project) -> None:
    told = bad.json("now").document
    [row] = told["metrics"]
    assert (told["state"], told["stage"], told["percent"]) == ("UNSAFE", "first", 10)
    assert (row["name"], row["level"], row["observed"], row["before"]) == ("errors", "critical", "7.2 %", "0.2 %")
    assert row["since"] == told["since"]
    assert told["undo"].startswith("runbook preflight")


def test_it_asks_the_service_nothing(bad: Project) -> None:
    before = len(bad.service.asked)
    bad.run("now")
    bad.run("now", "--short")
    assert len(bad.service.asked) == before


def test_short_is_one_line_and_nothing_where_nothing_is_known(project: Project) -> None:
    nothing = project.run("now", "--short")
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "")
    project.at_first()
    [line] = project.run("now", "--short").out.splitlines()
    assert line.startswith("ranker·local first@10 BAKED ")


def test_short_says_nothing_of_a_folder_without_playbooks(project: Project) -> None:
    project.playbook.unlink()
    ran = project.run("now", "--short")
    assert (ran.code, ran.said) == (0, "")


def test_of_several_environments_the_worst_has_the_card(project: Project) -> None:
    project.write(environments=TWO)
    (project.folder / "live.env").write_text(project.flags.read_text())
    project.run("ramp", "10", "--yes", "-e", "local")
    project.run("gate", "-e", "local")
    project.run("ramp", "10", "-e", "live", "--confirm", "live")
    project.numbers(errors=0.09)
    project.run("gate", "-e", "live")
    ran = project.run("now")
    lines = ran.out.splitlines()
    assert ran.code == 0
    assert lines[0].startswith("ranker · live  first@10") and "UNSAFE" in lines[0]
    assert lines[1].startswith("ranker · local  first@10")
    assert "ranker · live · first@10" in lines[2]
    assert any("runbook rollback --emergency -e live" in line for line in lines)
    assert project.json("now").document["next"] == ["runbook rollback --emergency -e live"]
    assert project.run("now", "--short").out.startswith("ranker·live first@10 UNSAFE")
    assert "ranker · local · first@10" in project.run("now", "-e", "local").out.splitlines()[0]


def test_several_playbooks_are_no_error(project: Project) -> None:
    project.at_first()
    other = project.playbook.read_text().replace("service: ranker", "service: sorter")
    (project.playbook.parent / "sorter.yaml").write_text(other)
    ran = project.run("now")
    assert ran.code == 0
    assert "ranker · local · first@10" in ran.out.splitlines()[0]


def test_a_broken_playbook_is_said_and_the_card_comes_all_the_same(bad: Project) -> None:
    bad.playbook.write_text(bad.playbook.read_text() + "stages: 5\n")
    ran = bad.run("now")
    assert ran.code == 0
    assert "is broken" in ran.err
    assert "first@10" in ran.out.splitlines()[0]
    assert "runbook " in ran.out.split("->")[-1]


def test_a_broken_playbook_that_never_ran_is_a_refusal_with_the_next_command(project: Project) -> None:
    project.playbook.write_text("runbook: 1\nservice: [")
    ran = project.run("now")
    assert ran.code == 2
    assert "runbook lint" in ran.err


@pytest.mark.parametrize("spoilt", [b"junk", b""], ids=["junk", "empty"])
def test_without_the_store_the_flag_file_and_the_kit_tell(project: Project, spoilt: bytes) -> None:
    project.at_first()
    for path in (project.folder / ".runbook").glob("state.db*"):
        path.unlink()
    (project.folder / ".runbook" / "state.db").write_bytes(spoilt or b"\0" * 4096)
    ran = project.run("now")
    assert ran.code == 0
    assert "first@10" in ran.out.splitlines()[0] and "UNKNOWN" in ran.out.splitlines()[0]
    assert "store      away: " in ran.out and "the kit is " in ran.out
    assert "runbook rollback --emergency  needs no store" in ran.out


def test_a_flag_file_that_is_gone_is_said(project: Project) -> None:
    project.at_first()
    project.flags.unlink()
    ran = project.run("now")
    assert ran.code == 0 and "  flags      ranker.env: " in ran.out


def test_a_hold_and_an_incident_stand_on_the_card(bad: Project) -> None:
    bad.run("hold", "--reason", "wait for the vendor")
    bad.run("incident", "open", "Wrong answers", "--severity", "P1")
    told = bad.run("now").out
    assert "  incident   1 P1 Wrong answers · opened " in told and "answer due in 1" in told
    assert "  held       by " in told and "wait for the vendor" in told


def test_who_to_call_is_on_the_card(project: Project) -> None:
    project.write(contacts="\n  On-call: {name: Mira, phone: '${ONCALL}', timezone: Asia/Tokyo}")
    project.at_first()
    told = project.run("now", env={"ONCALL": "+49 30 5550"}).out.splitlines()[-1]
    assert told.startswith("  call       On-call  Mira  +49 30 5550  it is ") and told.endswith(" there")


@pytest.mark.parametrize("form", ["plain", "markdown", "table"])
def test_the_card_is_at_most_24_lines_in_every_form(bad: Project, form: str) -> None:
    ran = bad.run("now", "--format", form, env={"NO_COLOR": "1"})
    assert len(ran.out.splitlines()) <= 24
    assert "\x1b" not in ran.out
