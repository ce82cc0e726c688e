"""The decision matrix: which row decides, the time people have, what is told once, and what to type."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from runbook.incidents.incident import open_incident
from runbook.judge.verdicts import Reason, Status, Verdict
from runbook.rollout.countdowns import command_here, command_of, countdowns
from runbook.rollout.facts import facts_of
from runbook.rollout.matrix import KEPT, due_of, matrix_rules
from runbook.rollout.rules import advance_rules
from tests.rollout.matrices import GOOD, ROWS, STAGES, house_with, rows_of, see, told
from tests.rollout.site import PLAYBOOK, House, make_house


@pytest.fixture
def house(tmp_path: Path) -> House:
    return house_with(tmp_path)


def test_quiet_rows_are_shown_and_say_nothing_against_the_step(house: House) -> None:
    rows = rows_of(see(house))
    assert [(row.id, row.status, row.message, row.severity, row.due) for row in rows] == [
        ("matrix/0", Status.PASS, "quiet", "P0", None),
        ("matrix/1", Status.PASS, "quiet", "P1", None),
        ("matrix/2", Status.PASS, "quiet", "P2", None),
        ("matrix/3", Status.PASS, "quiet", None, None),
    ]
    assert rows[0].title == "P0 error_rate > 5% -> rollback"
    assert house.site.state().matrix == {}


def test_a_row_that_becomes_true_counts_down_and_is_told_once(house: House) -> None:
    rows = rows_of(see(house, p95=4000))
    began = house.clock.wall()
    assert (rows[2].status, rows[2].counts, rows[2].due) == (Status.FAIL, True, began + 3600)
    assert (rows[2].message, rows[2].remedy) == ("firing: within 1 h, 1 h left", "runbook rollback --partial")
    later = rows_of(see(house, 18 * 60, p95=4100))
    assert later[2].message == "firing: within 1 h, 42 m left"
    assert later[2].due == began + 3600
    [event] = [one for one in told(house, "matrix.fired") if one["then"] == "halve"]
    assert event == {
        "when": "p95 > 3500ms", "then": "halve", "severity": "P2", "due": began + 3600, "observed": "4 s"
    }  # fmt: skip
    [shown, _] = countdowns(house.site.playbook, house.site.state())
    assert shown.line(house.clock.wall()) == (
        "P2 p95 > 3500ms: halve within 1 h, 42 m left: runbook rollback --partial"
    )


def test_the_first_row_that_is_true_decides_and_the_others_are_shown(house: House) -> None:
    tick = see(house, p95=8000)
    rows = rows_of(tick)
    assert [row.message for row in rows] == [
        "quiet",
        "firing: within 15 m, 15 m left",
        "firing, but p95 > 7s is true before it and decides",
        "firing, but p95 > 7s is true before it and decides",
    ]
    assert [one.rule.id for one in tick.fired] == ["matrix/1"]
    assert [row.remedy for row in rows] == ["", "runbook rollback", "", ""]


@pytest.mark.parametrize(("then", "counts"), [("notify", False), ("investigate", False), ("hold", True)])
def test_what_only_tells_does_not_count_against_the_step(tmp_path: Path, then: str, counts: bool) -> None:
    house = house_with(tmp_path, f'  - {{when: "p95 > 3s", then: {then}}}\n')
    house.clock.pass_time(48 * 3600)
    tick = see(house, p95=4000)
    [row] = rows_of(tick)
    assert (row.status, row.counts) == (Status.FAIL, counts)
    assert tick.decision.verdict is (Verdict.NO_GO if counts else Verdict.GO)


def test_a_row_that_cannot_be_judged_is_unknown_and_does_not_count(house: House) -> None:
    rows = rows_of(see(house, p95=None))
    assert (rows[1].status, rows[1].reason, rows[1].counts) == (Status.UNKNOWN, Reason.NODATA, False)


def test_it_is_cleared_when_it_is_false_and_not_when_it_is_unknown(house: House) -> None:
    see(house, p95=4000)
    due = house.site.state().matrix["p95 > 3500ms"].due
    see(house, p95=None)
    assert house.site.state().matrix["p95 > 3500ms"].due == due
    see(house, p95=4000)
    assert house.site.state().matrix["p95 > 3500ms"].due == due
    see(house, p95=900)
    assert house.site.state().matrix == {}
    see(house, p95=4000)
    assert house.site.state().matrix["p95 > 3500ms"].due == house.clock.wall() + 3600
    assert len(told(house, "matrix.cleared")) == 2  # the row, and the one that only tells


def test_a_row_that_is_no_longer_in_the_playbook_is_cleared(house: House) -> None:
    see(house, p95=4000)
    path = house.file("playbooks/checkout.yaml")
    path.write_text(path.read_text().replace(ROWS, '  - {when: "error_rate > 5%", then: rollback}\n'))
    see(house.again(), p95=4000)
    house.site.forget_state()
    assert house.site.state().matrix == {}


def test_the_countdown_says_when_it_is_over(house: House) -> None:
    see(house, p95=4000)
    rows = rows_of(see(house, 65 * 60, p95=4000))
    assert rows[2].message == "firing: within 1 h, over by 5 m"


def test_at_the_safe_flags_there_is_nothing_to_type(tmp_path: Path) -> None:
    house = house_with(tmp_path, at="off@0")
    see(house, p95=8000)
    first, second, last = countdowns(house.site.playbook, house.site.state())
    now = house.clock.wall()
    assert first.line(now) == "P1 p95 > 7s: previous, already safe, look elsewhere"
    assert (second.safe, second.command) == (True, "")
    assert (last.safe, last.line(now)) == (False, "p95 > 3s: notify at once")


def test_what_is_investigated_already_is_not_asked_for(tmp_path: Path) -> None:
    house = house_with(tmp_path, '  - {when: "p95 > 3s", then: investigate}\n')
    see(house, p95=4000)
    [row] = countdowns(house.site.playbook, house.site.state())
    assert row.command == "runbook incident open"
    told_of = open_incident(house.site.state(), "slow", "P2")
    for kind, payload in ((told_of.kind, told_of.payload), ("matrix.cleared", {"when": row.when})):
        house.site.record(house.site.event(kind, payload))
    see(house, p95=4000)
    assert countdowns(house.site.playbook, house.site.state()) == []


def test_it_is_judged_where_nothing_was_entered_too(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK + STAGES + ROWS)
    tick = see(house, p95=4000)
    assert not tick.standing.entered
    assert [one.rule.id for one in tick.fired] == ["matrix/2"]


def test_a_dry_run_keeps_nothing(tmp_path: Path) -> None:
    house = house_with(tmp_path, at="canary@10")
    see(house)
    house.store.put_note(house.site.chain, KEPT, None)
    standing = house.standing()
    house.numbers(**{**GOOD, "p95": 8000})
    advance_rules(house.site, standing, facts_of(house.site, standing, None), keep=False)
    assert house.store.get_note(house.site.chain, KEPT) is None
    house.propose()
    assert house.store.get_note(house.site.chain, KEPT) is not None


def test_another_position_does_not_begin_its_clocks_anew(tmp_path: Path) -> None:
    house = house_with(tmp_path, '  - {when: "p95 > 3s for 3m", then: halve}\n', at="canary@5")
    see(house, p95=4000)
    see(house, 120, p95=4000)
    house.stand_at("canary@10")
    assert [one.rule.id for one in see(house, 60, p95=4000).fired] == ["matrix/0"]


def test_a_sandbox_does_not_hurry_people(house: House) -> None:
    rule = matrix_rules(house.site.playbook)[2]
    assert due_of(house.site, rule) == house.clock.wall() + 3600
    assert due_of(house.site, replace(rule, within=None)) is None
    house.site.environment = msgspec.structs.replace(house.site.environment, bake_scale=0.01)
    assert due_of(house.site, rule) == house.clock.wall() + 3600
    see(house, 1.0, p95=4000)
    assert house.site.state().matrix["p95 > 3500ms"].due == house.clock.wall() + 3600


@pytest.mark.parametrize(
    ("then", "typed"),
    [
        ("rollback", "runbook rollback --emergency"),
        ("auto_rollback", "runbook rollback --emergency"),
        ("investigate_and_rollback", "runbook rollback --emergency"),
        ("fallback", "runbook rollback --fallback"),
        ("reduce", "runbook rollback --fallback"),
        ("halve", "runbook rollback --partial"),
        ("previous", "runbook rollback"),
        ("hold", "runbook hold --reason TEXT"),
        ("pause", "runbook hold --reason TEXT"),
        ("investigate", "runbook incident open"),
        ("notify", ""),
    ],
)
def test_what_a_person_types(then: str, typed: str) -> None:
    assert command_of(then) == typed


def test_what_a_person_types_here(house: House) -> None:
    site = house.site
    site.record(site.event("bake.passed", {"stage": "canary", "percent": 10.0}, epoch=1))
    assert command_here(site.playbook, site.state(), "previous") == "runbook rollback --to canary@10"
    assert command_here(site.playbook, site.state(), "reduce") == "runbook rollback --fallback"
    house.stand_at("canary@10")
    assert command_here(site.playbook, site.state(), "reduce") == "runbook rollback --partial"
    assert command_here(site.playbook, site.state(), "previous") == "runbook rollback"
