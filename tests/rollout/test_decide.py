"""May the next step be made? Each rule is a row, in the order of the design, and none is hidden by another."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from runbook.judge.verdicts import Reason, Status, Verdict
from runbook.rollout.holds import hold, release
from runbook.rollout.ramp import allowed
from runbook.rollout.rows import Decision, Row
from runbook.store.base import SampleRow
from tests.rollout.site import PLAYBOOK, STAGES, House, make_house

HOUR = 3600.0


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A service at canary@5, ten minutes after it got there."""
    house = make_house(tmp_path)
    house.stand_at("canary@5")
    house.clock.pass_time(600)
    return house


def decision(house: House) -> Decision:
    return house.propose().decision


def row(decision: Decision, identity: str) -> Row:
    return next(row for row in decision.rows if row.id == identity)


def seen(house: House, *values: float | None, every: float = 60.0) -> None:
    """Samples of the error rate, one after the other, as looks before this one left them; then it is now."""
    for value in values:
        house.store.keep_samples(house.site.chain, [SampleRow(metric="error_rate", t=house.clock.wall(), value=value)])
        house.clock.pass_time(every)


def test_a_bake_that_is_not_over_says_when_it_opens_and_what_to_do(house: House) -> None:
    made = decision(house)
    bake = row(made, "bake")
    assert (made.verdict, made.came_from, made.to) == (Verdict.NO_GO, "canary@5", "canary@10")
    assert (bake.status, bake.observed, bake.expected, bake.remedy) == (Status.FAIL, "10 m", ">= 1 h", "wait 50 m")
    house.clock.pass_time(HOUR)
    assert decision(house).verdict is Verdict.GO


def test_every_rule_is_shown_in_order_and_not_only_the_first_that_says_no(tmp_path: Path) -> None:
    calendar = "calendar: {freeze: [{from: 2026-01-01, to: 2026-12-31, why: the sale}]}\n"
    stages = STAGES.replace(
        'gates: ["error_rate < 2%"]',
        'gates: [{sign: No bug is open}, "error_rate < 2%", "percent < 50"]\n'
        "    sign: verified_by\n    baseline: capture",
    )
    text = PLAYBOOK + calendar + stages
    house = make_house(tmp_path, text)
    house.stand_at("canary@10")
    seen(house, 0.9, 0.9)
    house.numbers(error_rate=0.9)
    hold(house.site, reason="wait for legal", until=None)
    opened = {"id": 1, "title": "slow", "severity": "P2"}
    house.site.record(house.site.event("incident.opened", opened))
    house.file(".env").write_text(house.env().replace("LIMIT=3", "LIMIT=4"))
    house.clock.now -= 3600
    made = decision(house)
    kinds = [row.kind for row in made.rows]
    order = ["hold", "clock", "drift", "trigger", "bake", "sampled", "gate", "baseline", "calendar", "incident", "sign"]
    assert list(dict.fromkeys(kinds)) == order
    assert [row.id for row in made.rows if row.kind == "sign"] == ["no_bug_is_open", "verified_by"]
    assert kinds.count("gate") == 2
    assert list(dict.fromkeys(row.kind for row in made.against())) == [kind for kind in order if kind != "sampled"]
    assert made.verdict is Verdict.NO_GO


def test_a_gate_holds_now_and_over_the_bake(house: House) -> None:
    seen(house, *[0.05] * 60)
    house.numbers(error_rate=0.001)
    gate = row(decision(house), "gate/0")
    assert gate.status is Status.FAIL
    assert "now 0.1 %" in gate.observed
    assert "bake 4.9" in gate.observed


def test_a_good_average_does_not_help_a_bad_present(house: House) -> None:
    seen(house, *[0.001] * 60)
    house.numbers(error_rate=0.03)
    assert row(decision(house), "gate/0").status is Status.FAIL


def test_errors_and_missing_numbers_are_not_in_the_mean(house: House) -> None:
    seen(house, 0.01, None, 0.01, None)
    assert row(decision(house), "gate/0").status is Status.PASS


@pytest.mark.parametrize("numbers", ["{}", '{"error_rate": null}', '{"error_rate": NaN}', "", "<html>", "[1, 2]"])
def test_a_number_that_is_not_there_is_unknown_and_never_a_pass(house: House, numbers: str) -> None:
    house.clock.pass_time(HOUR)
    house.file("numbers.json").write_text(numbers)
    made = decision(house)
    assert row(made, "gate/0").status is Status.UNKNOWN
    assert row(made, "gate/0").reason in (Reason.NODATA, Reason.ERROR)
    assert made.verdict is Verdict.UNKNOWN


def test_a_number_that_nobody_wrote_for_long_is_unknown(house: House) -> None:
    house.clock.pass_time(HOUR)
    house.file("numbers.json").unlink()
    seen(house, 0.001, every=600)
    assert decision(house).verdict is Verdict.UNKNOWN


def test_what_no_data_means_can_be_said(tmp_path: Path) -> None:
    for policy, status in {"fail": Status.FAIL, "pass": Status.PASS, "hold": Status.UNKNOWN}.items():
        gate = f'gates: [{{gate: "error_rate < 2%", on_nodata: {policy}}}]'
        house = make_house(tmp_path / policy, PLAYBOOK + STAGES.replace('gates: ["error_rate < 2%"]', gate))
        house.stand_at("canary@5")
        house.numbers(error_rate=None)
        assert row(decision(house), "gate/0").status is status, policy


def test_a_dry_gate_is_shown_apart_and_counts_for_nothing(tmp_path: Path) -> None:
    gate = 'gates: [{gate: "error_rate < 2%", dry_run: true}]'
    house = make_house(tmp_path, PLAYBOOK + STAGES.replace('gates: ["error_rate < 2%"]', gate))
    house.stand_at("canary@5")
    house.clock.pass_time(HOUR)
    house.numbers(error_rate=0.03)
    made = decision(house)
    assert (row(made, "gate/0").status, row(made, "gate/0").counts) == (Status.FAIL, False)
    assert made.verdict is Verdict.GO


def test_a_rule_that_cannot_be_judged_at_all_disturbs_no_other(house: House) -> None:
    stages = list(house.site.playbook.stages)
    broken = msgspec.structs.replace(stages[1].gates[0], condition="error_rate <<< 2%")
    stages[1] = msgspec.structs.replace(stages[1], gates=(broken, stages[1].gates[0]))
    house.site.playbook = msgspec.structs.replace(house.site.playbook, stages=tuple(stages))
    house.clock.pass_time(HOUR)
    made = decision(house)
    assert (row(made, "gate/0").status, row(made, "gate/0").reason) == (Status.UNKNOWN, Reason.ERROR)
    assert row(made, "gate/1").status is Status.PASS
    assert made.verdict is Verdict.UNKNOWN


def test_a_gate_may_be_judged_in_some_environments_only(tmp_path: Path) -> None:
    gate = 'gates: [{gate: "error_rate < 2%", unless: production}]'
    house = make_house(tmp_path, PLAYBOOK + STAGES.replace('gates: ["error_rate < 2%"]', gate))
    house.stand_at("canary@5")
    house.clock.pass_time(HOUR)
    house.numbers(error_rate=0.03)
    skipped = row(decision(house), "gate/0")
    assert (skipped.status, skipped.message) == (Status.SKIPPED, "not judged in production")
    assert decision(house).verdict is Verdict.GO


def test_a_gate_says_what_it_lets_through_among_the_treated(house: House) -> None:
    told = {"stage": "off", "percent": 0.0, "numbers": {"error_rate": [0.005, 200, 0.001]}, "how": "by hand"}
    house.site.record(house.site.event("baseline.captured", told))
    gate = row(decision(house), "gate/0")
    assert gate.status is Status.PASS
    assert gate.message == "lets up to 30.5 % through among the treated (5 % of the traffic)"


def test_a_hold_stops_until_it_is_released_or_runs_out(house: House) -> None:
    house.clock.pass_time(HOUR)
    hold(house.site, reason="legal", until=house.clock.wall() + 60)
    held = row(decision(house), "hold")
    assert (held.status, held.message, held.remedy) == (Status.FAIL, "legal", "runbook release")
    assert held.observed.startswith("held by ana until ")
    house.clock.pass_time(59)
    assert decision(house).verdict is Verdict.NO_GO
    house.clock.pass_time(1)
    assert decision(house).verdict is Verdict.GO
    hold(house.site, reason="again", until=None)
    assert decision(house).verdict is Verdict.NO_GO
    was = release(house.site, reason="over")
    assert was is not None
    assert was.reason == "again"
    assert release(house.site, reason="twice") is None
    assert decision(house).verdict is Verdict.GO


def test_an_open_incident_stops_until_it_is_resolved(house: House) -> None:
    house.clock.pass_time(HOUR)
    opened = {"id": 4, "title": "slow", "severity": "P2"}
    house.site.record(house.site.event("incident.opened", opened))
    stopped = row(decision(house), "incident/4")
    assert (stopped.status, stopped.message) == (Status.FAIL, "slow")
    house.site.record(house.site.event("incident.resolved", {"id": 4, "text": "mended"}))
    assert decision(house).verdict is Verdict.GO


def test_drift_names_the_key_and_both_ways_out(house: House) -> None:
    house.clock.pass_time(HOUR)
    house.file(".env").write_text(house.env().replace("PERCENT=5", "PERCENT=55"))
    drift = row(decision(house), "drift/PERCENT")
    assert (drift.observed, drift.expected) == ("PERCENT=55", "5")
    assert "adopt POSITION" in drift.remedy
    assert "adopt --restore" in drift.remedy


def test_before_the_first_step_only_what_entering_requires_is_asked(tmp_path: Path) -> None:
    lists = "checklists: {ready: [{check: Backup is there, file: backup}, {check: Nice, file: nice, level: warn}]}\n"
    text = PLAYBOOK + lists + STAGES.replace("{stage: off, percent: 0}", "{stage: off, percent: 0, requires: [ready]}")
    house = make_house(tmp_path, text)
    made = decision(house)
    assert (made.came_from, made.to, made.rows) == ("", "off@0", ())
    assert [check.check.title for check in made.checks] == ["Backup is there", "Nice"]
    assert made.verdict is Verdict.NO_GO
    house.file("backup").write_text("")
    assert decision(house).verdict is Verdict.GO
    house.ramp()
    assert decision(house).checks == ()


def test_an_override_needs_every_rule_against_it_to_allow_it() -> None:
    no = Row("gate/0", "a", "gate", Status.FAIL, can_override=True)
    unknown = Row("gate/1", "b", "gate", Status.UNKNOWN, can_override=True)
    firm = Row("hold", "c", "hold", Status.FAIL)
    dry = Row("gate/2", "d", "gate", Status.FAIL, counts=False)
    assert not allowed(Decision("", "x", (no,)), None)
    assert not allowed(Decision("", "x", (no,)), "")
    assert allowed(Decision("", "x", (no, unknown, dry)), "we know why")
    assert not allowed(Decision("", "x", (no, firm)), "we know why")
    assert allowed(Decision("", "x", (dry,)), None)


def test_one_no_makes_no_go_and_unknowns_alone_make_unknown() -> None:
    no, unknown = Row("a", "a", "gate", Status.FAIL), Row("b", "b", "gate", Status.UNKNOWN)
    fine, dry = Row("c", "c", "gate", Status.PASS), Row("d", "d", "gate", Status.FAIL, counts=False)
    assert Decision("", "", (fine, unknown, no)).verdict is Verdict.NO_GO
    assert Decision("", "", (fine, unknown, dry)).verdict is Verdict.UNKNOWN
    assert Decision("", "", (fine, dry)).verdict is Verdict.GO
    assert Decision("", "", (fine, unknown, dry, no)).against() == [unknown, no]
