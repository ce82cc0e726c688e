"""A new build in mid-bake begins the bake again; what is no version changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbook.checks.base import Check, CheckResult
from runbook.judge.verdicts import Status
from runbook.rollout.decide import Evidence, decide
from runbook.rollout.facts import Sight, facts_of, look_from_here
from runbook.rollout.looking import Look, look_with_build
from runbook.rollout.ramp import carry_out, propose
from runbook.rollout.versions import build_in, build_told, note_version
from runbook.store.base import SampleRow
from runbook.store.state import Position
from runbook.system.refusals import Refusal
from tests.rollout.site import PLAYBOOK, STAGES, House, make_house, open_house

HOUR = 3600.0
TEXT = (PLAYBOOK + STAGES).replace(
    "    flags_in: {env: .env}\n", "    flags_in: {env: .env}\n    version: {file: build.json, jq: .version}\n"
)


def build(house: House, version: object) -> None:
    house.file("build.json").write_text(json.dumps({"version": version}))


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A service at canary@10, with build 2.4.0 seen there half an hour after it got there."""
    house = make_house(tmp_path, TEXT, files={"build.json": '{"version": "2.4.0"}'})
    house.stand_at("canary@10")
    house.clock.pass_time(HOUR / 2)
    see(house)
    return house


def see(house: House) -> Sight:
    house.site.forget_state()
    return look_from_here(house.site, [], 10.0)


def position(house: House) -> Position:
    house.site.forget_state()
    here = house.site.state().position
    assert here is not None
    return here


def rows(house: House, sight: Sight) -> dict[str, str]:
    decision = decide(house.site, sight.standing, sight.standing.next, Evidence(sight.facts))
    return {row.id: row.observed for row in decision.rows}


def test_the_first_build_seen_is_kept_and_changes_nothing(house: House) -> None:
    assert house.kinds().count("version.seen") == 1
    here = position(house)
    assert (here.version, here.rebaked) == ("2.4.0", None)
    assert here.baking_since == here.since
    assert rows(house, see(house)) | {"build": "2.4.0", "bake": "30 m"} == rows(house, see(house))
    assert house.kinds().count("version.seen") == 1


def test_a_new_build_begins_the_bake_again_and_is_told_once(house: House) -> None:
    house.clock.pass_time(HOUR / 4)
    build(house, "2.4.1")
    sight = see(house)
    assert sight.told == "a new build 2.4.1 (it was 2.4.0) came in mid-bake: the bake begins again"
    assert sight.facts.entered == house.clock.wall()
    assert rows(house, sight)["bake"] == "0 s"
    assert rows(house, sight)["build"].startswith("2.4.1 since ")
    here = position(house)
    assert (here.version, here.rebaked, here.boot_time) == ("2.4.1", house.clock.wall(), house.clock.boot_time())
    house.clock.pass_time(60)
    assert see(house).told == ""
    assert house.kinds().count("bake.restarted") == 1


def test_evidence_of_the_build_before_does_not_count(house: House) -> None:
    chain, now = house.site.chain, house.clock.wall()
    house.store.keep_samples(chain, [SampleRow(metric="error_rate", t=now - 60 * n, value=0.9) for n in range(1, 20)])
    build(house, "2.4.1")
    see(house)
    house.clock.pass_time(60)
    facts = see(house).facts
    assert facts.entered is not None
    everything = facts.series["error_rate"].samples
    assert {sample.value for sample in everything} == {0.9, 0.001}
    assert {sample.value for sample in everything if sample.t >= facts.entered} == {0.001}


@pytest.mark.parametrize("answers", [["2.4.0", None, "2.4.0"], ["2.4.0", "", 5 * [1], "2.4.0"]])
def test_a_version_that_comes_and_goes_is_no_new_build(house: House, answers: list[object]) -> None:
    for answer in answers:
        build(house, answer)
        house.clock.pass_time(60)
        assert see(house).told == ""
    assert "bake.restarted" not in house.kinds()


def test_two_builds_that_answer_in_turn_begin_the_bake_again_each_time(house: House) -> None:
    for version in ("2.4.1", "2.4.0", "2.4.1"):
        build(house, version)
        house.clock.pass_time(60)
        assert see(house).told
    assert position(house).baking_since == house.clock.wall()


@pytest.mark.parametrize(
    "page", ["<html><body>Sign in</body></html>", "", "[]", '{"version": {"a": 1}}', '{"version": true}', "\x00\x01"]
)
def test_what_is_no_version_changes_nothing(house: House, page: str) -> None:
    house.file("build.json").write_text(page)
    house.clock.pass_time(60)
    assert see(house).told == ""
    house.file("build.json").unlink()
    assert see(house).told == ""
    assert position(house).version == "2.4.0"


@pytest.mark.parametrize(
    ("value", "version"),
    [
        ("2.4.1", "2.4.1"), (" 2.4.1\n", "2.4.1"), (20261121.0, "20261121"), (2.5, "2.5"), (7, "7"),
        ("<!doctype html>", None), ("a\nb", None), ("x" * 101, None), ("", None), ("  ", None), (None, None),
        (True, None), ([1], None), ("a\x1b[2Jb", None),
    ],
)  # fmt: skip
def test_what_a_version_is(house: House, value: object, version: str | None) -> None:
    check = house.site.environment.version
    assert check is not None
    assert build_in(Look(0.0, version=result(check, Status.PASS, value))) == version
    assert build_in(Look(0.0, version=result(check, Status.UNKNOWN, value))) is None
    assert build_in(Look(0.0)) is None


def result(check: Check, status: Status, value: object) -> CheckResult:
    return CheckResult(check=check, status=status, value=value)


def test_a_dry_run_keeps_nothing_of_the_build(house: House) -> None:
    build(house, "2.4.1")
    before = house.kinds()
    house.site.forget_state()
    propose(house.site, None, deadline=10.0, dry_run=True)
    assert house.kinds() == before


def test_a_ramp_sees_the_new_build_before_it_decides(house: House) -> None:
    house.clock.pass_time(HOUR)
    house.propose()
    build(house, "2.4.1")
    made = house.propose()
    assert {row.id: row.status for row in made.decision.rows}["bake"] is Status.FAIL


def test_a_build_that_comes_between_the_look_and_the_step_stops_it(house: House) -> None:
    house.clock.pass_time(HOUR)
    proposal = house.propose()
    build(house, "2.4.1")
    see(house.again())
    with pytest.raises(Refusal, match="a new build"):
        carry_out(house.site, proposal, house.heard)
    assert house.at() == "canary@10" and house.deploys() == 0


def test_a_position_entered_anew_begins_without_a_build(house: House) -> None:
    house.ramp()
    assert position(house).version is None
    build(house, "2.4.1")
    assert see(house).told == ""  # the deploy of the step brought it: there is nothing to begin again
    assert position(house).version == "2.4.1"


def test_nothing_is_noted_while_an_operation_is_under_way(house: House) -> None:
    started = {"kind": "ramp", "to": "full@50"}
    house.site.record(house.site.event("operation.started", started, operation="abc", epoch=2))
    build(house, "2.4.1")
    assert see(house).told == ""
    assert "bake.restarted" not in house.kinds()


def test_of_two_who_look_at_once_one_tells(house: House) -> None:
    build(house, "2.4.1")
    other = house.again()
    here, there = see_only(house), see_only(other)
    assert note_version(house.site, here.standing, here.look)
    assert not note_version(other.site, there.standing, there.look)
    assert house.kinds().count("bake.restarted") == 1


def see_only(house: House) -> Sight:
    """A look of which nothing was kept yet."""
    standing = house.standing()
    seen = look_with_build(house.site, [], deadline=10.0, percent=10.0, stage="canary")
    return Sight(standing, seen, facts_of(house.site, standing, seen))


def test_without_the_store_nothing_is_noted(house: House) -> None:
    build(house, "2.4.1")
    away = open_house(house.folder, house.clock, store=False)
    assert look_from_here(away.site, [], 10.0).told == ""


def test_a_service_that_was_never_entered_is_not_asked_for_its_build(tmp_path: Path) -> None:
    house = make_house(tmp_path, TEXT, files={"build.json": '{"version": "2.4.0"}'})
    assert see(house).look.version is None


def test_how_a_build_is_told() -> None:
    here = Position(stage="canary", percent=10, since=0.0)
    assert build_told(here, 60.0) == ""
    assert build_told(Position(stage="canary", percent=10, since=0.0, version="2.4.0"), 60.0) == "2.4.0"


def test_builds_that_answer_in_turn_are_named_and_do_not_fill_the_history(house: House) -> None:
    house.clock.pass_time(10)
    build(house, "2.5.0")
    assert "a new build 2.5.0" in see(house).told
    for number in range(1, 30):
        house.clock.pass_time(2)
        build(house, "2.4.0" if number % 2 else "2.5.0")
        sight = see(house)
        if number % 2:
            assert sight.told.startswith("the builds 2.5.0 and 2.4.0 answer in turn")
    assert house.kinds().count("bake.restarted") == 1
    house.clock.pass_time(10)
    build(house, "2.4.0")
    see(house)
    assert house.kinds().count("bake.restarted") == 2
    assert position(house).rebaked == pytest.approx(house.clock.wall(), abs=0.01)


def test_a_third_build_is_no_turn(house: House) -> None:
    for version in ("2.5.0", "2.6.0"):
        house.clock.pass_time(2)
        build(house, version)
        assert see(house).told.startswith(f"a new build {version}")
    assert house.kinds().count("bake.restarted") == 2
