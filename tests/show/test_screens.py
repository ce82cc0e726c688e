"""The screens of a decision, of the end of an operation, and of where a service stands."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from pathlib import Path

import pytest
from msgspec.structs import replace as replace_struct

from runbook.actions.journal import Journal
from runbook.checks.base import Check, CheckResult
from runbook.checks.here.file import File
from runbook.judge.facts import Sample
from runbook.judge.verdicts import Reason, Status
from runbook.rollout.emergency import Alarm, emergency
from runbook.rollout.glance import Glance, glance_at
from runbook.rollout.holds import hold
from runbook.rollout.operation import Ended
from runbook.rollout.rows import Decision, Row
from runbook.rollout.watchers import Watcher
from runbook.show.checked import counts_of
from runbook.show.decisions import decision_page, rests_on
from runbook.show.outcomes import emergency_page, ended_page
from runbook.show.page import MARKS
from runbook.show.printing import as_plain
from runbook.show.rows import check_rows, plan_rows, rule_rows
from runbook.show.standing import Seen, sparkline, status_page
from runbook.system.processes import process_identity
from runbook.system.refusals import Exit
from tests.actions.making import header
from tests.rollout.site import House, make_house, open_house
from tests.show.test_page import HOSTILE, obeyed


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = make_house(tmp_path)
    house.stand_at("canary@5")
    return house


def seen(house: House, **more: object) -> Seen:
    """What `status` gathered; `more` replaces parts of it, those of the glance too."""
    house.site.forget_state()
    glance = glance_at(house.site)
    names = {field.name for field in fields(Glance)}
    glance = replace(glance, **{name: value for name, value in more.items() if name in names})  # type: ignore[arg-type]
    given = {name: value for name, value in more.items() if name not in names}
    return Seen(glance=glance, **given)  # type: ignore[arg-type]


def status(house: House, **more: object) -> str:
    return as_plain(status_page(house.site, seen(house, **more)))


def test_where_we_are_and_what_comes(house: House) -> None:
    house.clock.pass_time(900)
    told = status(house)
    assert told.startswith("checkout · production   canary@5 for 15 m   STALE\n")
    assert "ladder     off 0 > canary [5], 10 > full 50, 100" in told
    assert "#####---------------" in told
    assert "45 m left" in told
    assert "watching   nobody, triggers are not armed" in told
    assert "open       rollout 1 · no incident · no hold · lock free" in told
    assert "Next: runbook gate" in told
    assert "Back: runbook rollback" in told


def test_before_the_first_step(tmp_path: Path) -> None:
    told = status(make_house(tmp_path))
    assert "off@0, by its flag file" in told
    assert "Next: runbook preflight, then  runbook ramp 5" in told
    assert "Back:" not in told


def test_what_is_wrong_stands_on_the_screen(house: House) -> None:
    hold(house.site, reason="wait for legal", until=house.clock.now + 600)
    opened = {"id": 3, "title": "slow answers", "severity": "P1"}
    house.site.record(house.site.event("incident.opened", opened))
    house.file(".env").write_text(house.env().replace("LIMIT=3", "LIMIT=4"))
    told = status(house, flags_trouble="one.env is not there")
    assert "HELD" in told.splitlines()[0]
    assert "hold       by ana until " in told
    assert "wait for legal" in told
    assert "incident   3 P1 slow answers" in told
    assert "drift      LIMIT is 4, 3 was left" in told
    assert "flags      one.env is not there" in told
    assert "no hold" not in told


@pytest.mark.parametrize(("process", "word"), [((0, "", "", ""), "cut off"), (None, "at work")], ids=["dead", "alive"])
def test_an_operation_under_way_comes_first(house: House, process: tuple[int, str, str, str] | None, word: str) -> None:
    if process is None:
        started, boot, namespace = process_identity(os.getpid()) or (0, "", "")
        process = (os.getpid(), str(started), boot, namespace)
    told_of = {"service": "checkout", "environment": "production", "process": process}
    Journal.begin(house.site.journals, house.site.slug, replace_struct(header(), **told_of))
    told = status(house)
    assert word.upper() in told.splitlines()[0]
    assert f"{word}    ramp to canary@5 by ana" in told.splitlines()[1]
    assert ("Next: runbook resume" in told) is (word == "cut off")
    assert "runbook rollback --emergency" in told.splitlines()[-1]


def test_who_watches_and_what_the_numbers_were(house: House) -> None:
    house.clock.pass_time(60)
    watcher = Watcher("ben", "app-2", 1, "1", house.clock.now - 60, house.clock.now - 5, armed=True)
    samples = [Sample(house.clock.now - 20, value) for value in (0.0, 0.01, 0.02)]
    told = status(house, watcher=watcher, samples={"error_rate": samples})
    assert "watching   ben on app-2, looked 5 s ago (0 triggers)" in told
    assert "error_rate" in told
    assert "2.0 %" in told or "2 %" in told
    assert "20 s ago" in told
    missing = status(house, samples={"error_rate": [*samples, Sample(house.clock.now, None)]})
    assert "??" in missing


def test_without_the_store_it_says_so(house: House) -> None:
    away = open_house(house.folder, house.clock, store=False)
    assert "store      away: the store is away for this test" in status(away)


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([], ""),
        ([1.0], "▃"),
        ([2.0, 2.0], "▃▃"),
        ([0.0, 7.0], "▁█"),
        ([float(n) for n in range(8)], "▁▂▃▄▅▆▇█"),
        ([0.0] * 20 + [1.0], "▁▁▁▁▁▁▁█"),
    ],
)
def test_a_spark_of_the_last_values(values: list[float], bars: str) -> None:
    assert sparkline(values) == bars


def rows() -> tuple[Row, ...]:
    return (
        Row(
            "gate/0", "error_rate < 2%", "gate", Status.FAIL, "7.5 %", "< 2 %", "too many", n=12, age=3.0, remedy="wait"
        ),
        Row("gate/1", "p95 < 3s", "gate", Status.UNKNOWN, message="no data", reason=Reason.NODATA),
        Row("gate/2", "x < 1", "gate", Status.FAIL, counts=False),
        Row("bake", "bake 1 h", "bake", Status.PASS, "2 h", remedy="never shown"),
    )


def check(title: str, status: Status, **more: object) -> CheckResult:
    made = Check(title=title, id=title, kind="file", options=File(file="x"), advice="make it", checklist="ready")
    return CheckResult(made, status, **more)  # type: ignore[arg-type]


def test_a_decision_shows_every_rule_with_what_it_rests_on() -> None:
    checks = (check("Backup", Status.FAIL, message="too old", listed=["a", "b"]), check("Fine", Status.PASS))
    told = as_plain(decision_page(Decision("canary@5", "canary@10", rows(), checks), "checkout", 1.25))
    assert told.startswith("NO-GO  checkout  1.2 s\n")
    assert "NO  error_rate < 2%" in told
    assert "n 12  age 3 s" in told
    assert "do: wait" in told
    assert "??  p95 < 3s" in told
    assert "(not counted)" in told
    assert "never shown" not in told
    assert "do: make it" in told
    assert told.count("do: make it") == 1
    assert "- a\n" in told


def test_rows_become_rows_of_the_document() -> None:
    made = rule_rows(rows(), "gate")
    assert [(row.id, row.status, row.reason, row.counts) for row in made] == [
        ("gate/0", "fail", None, True),
        ("gate/1", "unknown", "nodata", True),
        ("gate/2", "fail", None, False),
    ]
    assert len(rule_rows(rows())) == 4
    nested = check("All", Status.FAIL, nested=[check("One", Status.UNKNOWN, reason=Reason.ERROR)], duration=0.0123)
    [row] = check_rows([nested])
    assert (row.duration_ms, row.checks[0].status, row.checks[0].reason) == (12.3, "unknown", "error")


def test_a_plan_tells_which_steps_ran(house: House) -> None:
    proposal = house.propose()
    assert [row.ok for row in plan_rows(proposal.plan.records())] == [None, None, None]
    ended = house.ramp()
    assert [row.ok for row in plan_rows([one.record for one in ended.results], ended.results)] == [True, True, True]


def test_what_rests_on_nothing_says_nothing() -> None:
    assert rests_on(Row("a", "a", "gate", Status.PASS)) == ""
    assert counts_of([Status.PASS, Status.FAIL, Status.PASS]) == "2 ok · 1 no"
    assert set(MARKS) == set(Status)


@pytest.mark.parametrize(
    ("exit_", "word"),
    [(Exit.GO, "GO"), (Exit.NO_GO, "NO-GO"), (Exit.FAILED, "FAILED"), (Exit.INTERRUPTED, "STOPPED")],
)
def test_the_end_of_an_operation_begins_with_its_word(house: House, exit_: Exit, word: str) -> None:
    ended = Ended("done", exit_, "checkout is at canary@5", by_hand=("PERCENT=0", "sh deploy.sh"))
    told = as_plain(ended_page(ended, house.site, next_steps=("runbook status",)))
    assert told.startswith(f"{word}  checkout is at canary@5\n")
    assert "2 steps did not work. Do this now:\n  PERCENT=0\n  sh deploy.sh\n" in told
    assert told.endswith("Next: runbook status\n")


def test_the_end_of_an_emergency_is_safe_or_unsafe(house: House) -> None:
    ended = emergency(house.site, house.heard, Alarm(reason="try"))
    told = as_plain(emergency_page(ended, house.site, 300.0))
    assert told.startswith("SAFE  after ")
    assert "within the objective of 5 m" in told
    assert "Incident 1 is open" in told
    house.file("deploy.sh").write_text("exit 1")
    failed = emergency(house.site, house.heard, Alarm(reason="try"))
    told = as_plain(emergency_page(failed, house.site, 0.0))
    assert told.startswith("UNSAFE  ")
    assert "sh deploy.sh" in told
    assert "runbook rollback --emergency" in told


@pytest.mark.parametrize("text", HOSTILE[:-1], ids=lambda text: repr(text[:20]))
def test_hostile_names_are_shown_and_not_obeyed_on_every_screen(house: House, text: str) -> None:
    hold(house.site, reason=text, until=None)
    house.site.record(house.site.event("incident.opened", {"id": 1, "title": text, "severity": "P1"}))
    hostile = Row("gate/0", text, "gate", Status.FAIL, text, text, text, remedy=text)
    result = check(text, Status.FAIL, message=text, observed=text, listed=[text])
    ended = Ended("half-done", Exit.FAILED, text, by_hand=(text,))
    screens = [
        status_page(house.site, seen(house, flags_trouble=text, rules=(hostile,))),
        decision_page(Decision("a", "b", (hostile,), (result,)), text),
        ended_page(ended, house.site, next_steps=(text,)),
        emergency_page(ended, house.site, 1.0),
    ]
    for page in screens:
        assert obeyed(as_plain(page)) == set()
