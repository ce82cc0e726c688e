"""`declare stable`, and what calendar and clock say to those who type `gate` and `ramp`."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from tests.command.project import RUNBOOK, SECTIONS, Project, environment

ROLES = SECTIONS["stages"].replace('gates: ["errors < 1%"]}', 'gates: ["errors < 1%"], sign: final_review}')
OPTIONAL = SECTIONS["stages"] + "\n  - {stage: more, percent: 100, set: {RANKER_MODEL: large}, optional: true}"
PROTECTED = SECTIONS["environments"].rstrip() + "\n    protected: true"


def at_the_top(project: Project, *here: str) -> Project:
    for _ in range(3):
        ran = project.run("ramp", "--yes", *here)
        assert ran.code == 0, ran
    return project


def test_the_end_of_the_ladder_is_declared_once(project: Project) -> None:
    at_the_top(project)
    assert "Next: runbook declare stable" in project.run("gate").out
    ran = project.json("declare", "stable", "--reason", "quiet days")
    assert (ran.code, ran.document["message"]) == (0, "ranker · local is declared stable at wide@100")
    assert (ran.document["command"], ran.document["stage"], ran.document["percent"]) == (
        "declare stable",
        "wide",
        100.0,
    )
    [ended] = project.events("rollout.ended")
    assert ended["payload"] == {"why": "stable", "reason": "quiet days"}
    ran = project.json("declare", "stable")
    assert (ran.code, "is stable at wide@100 since" in ran.document["message"]) == (0, True)
    assert len(project.events("rollout.ended")) == 1
    assert "declare stable" not in project.run("gate").out


def test_the_next_ramp_begins_a_new_rollout(project: Project) -> None:
    project.write(stages=OPTIONAL)
    at_the_top(project)
    gate = project.run("gate").out
    assert "runbook ramp 100" in gate
    assert "runbook declare stable  # ends the rollout here" in gate
    assert project.run("declare", "stable").code == 0
    assert project.run("ramp", "--yes").code == 0
    assert [event["payload"]["number"] for event in project.events("rollout.started")] == [1, 2]


def test_all_reasons_are_listed(project: Project) -> None:
    project.write(stages=ROLES)
    at_the_top(project)
    assert project.run("declare", "stable").code == 3
    project.numbers(errors=0.03)
    assert project.run("incident", "open", "slow", "--severity", "P2").code == 0
    ran = project.json("declare", "stable")
    assert ran.code == 1
    for reason in ("errors < 1%: ", "no open incident: ", "final_review: no sign-off yet"):
        assert reason in ran.document["message"]
    shown = project.run("declare", "stable")
    assert shown.out.startswith("NO-GO  declaring wide@100 stable")
    assert "runbook sign final_review" in shown.out
    assert project.events("rollout.ended") == []


@pytest.mark.parametrize(("steps", "said"), [(0, "nothing to declare stable"), (1, "the next step is wide@50")])
def test_before_the_end_it_is_refused(project: Project, steps: int, said: str) -> None:
    for _ in range(steps):
        project.at_first()
    ran = project.json("declare", "stable")
    assert (ran.code, said in ran.document["message"]) == (1, True)
    assert ran.document["next"]


def test_in_a_protected_environment_the_name_is_typed(project: Project) -> None:
    project.write(environments=PROTECTED)
    here = ("-e", "local")
    at_the_top(project, *here, "--confirm", "local")
    assert project.run("declare", "stable", *here).code == 2
    assert project.run("declare", "stable", *here, "--yes").code == 2
    assert project.run("declare", "stable", *here, "--confirm", "locale").code == 2
    assert project.run("declare", "stable", *here, "--confirm", "local").code == 0


def day(days: int) -> str:
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}"


def test_a_freeze_that_covers_today_stops_the_way_up_and_not_the_way_back(project: Project) -> None:
    project.at_first()
    freeze = f"{{from: {day(-1)}, to: {day(1)}, why: the sale}}"
    project.write(calendar=f"{{timezone: UTC, freeze: [{freeze}]}}")
    ran = project.json("gate")
    row = ran.rows("rules")["calendar"]
    assert (ran.code, row["status"], row["observed"]) == (1, "fail", "closed")
    assert row["message"].startswith("frozen: the sale; opens ")
    assert row["remedy"].startswith("wait until ")
    assert project.run("ramp", "--yes").code == 1
    assert project.run("rollback", "--yes").code == 0


def test_a_closed_window_says_when_it_opens_and_an_open_one_when_it_closes(project: Project) -> None:
    far, near = datetime.now(UTC) + timedelta(hours=10), datetime.now(UTC) - timedelta(hours=1)
    closed = f"{{timezone: UTC, ramp: 'daily {far:%H}:00-{far:%H}:30'}}"
    project.write(calendar=closed)
    ran = project.run("ramp", "10", "--yes", env={"TZ": "UTC"})
    assert ran.code == 1
    assert f"opens {far:%a} {far:%H}:00" in ran.out or f"opens {far:%H}:00" in ran.out
    assert f"wait until {far:%a} {far.day} {far:%b} {far:%H}:00" in ran.out
    until = near + timedelta(hours=8)
    project.write(calendar=f"{{timezone: UTC, ramp: 'daily {near:%H}:00-{until:%H}:00'}}")
    row = project.json("gate", env={"TZ": "UTC"}).rows("rules")["calendar"]
    assert row["status"] == "pass"
    assert row["observed"].startswith("open, closes ")
    assert row["observed"].endswith(f"{until:%H}:00")
    assert project.run("ramp", "10", "--yes").code == 0


def test_today_is_the_calendars_day(project: Project) -> None:
    """Where it is a day later than in UTC, or earlier, `${today}` and `${month}` say so."""
    for zone, shift in (("Pacific/Kiritimati", 14), ("Etc/GMT+12", -12)):
        there = datetime.now(UTC) + timedelta(hours=shift)
        lists = "\n  ready: [{check: The log of the day, id: log, file: 'logs/${month}/${today}.txt'}]"
        project.write(calendar=f"{{timezone: {zone}}}", checklists=lists)
        log = project.folder / "logs" / f"{there:%Y-%m}" / f"{there:%Y-%m-%d}.txt"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("x")
        assert project.run("preflight").code == 0, zone
        log.unlink()


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed")
def test_a_clock_set_back_a_day_is_told(project: Project) -> None:
    project.at_first()
    ran = subprocess.run(
        ["faketime", "-f", "-1d", str(RUNBOOK), "gate"],
        cwd=project.folder, env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 1, ran
    assert "this clock says " in ran.stdout
    assert "date; timedatectl" in ran.stdout
