"""The baseline is captured when the stage is left, from samples enough, and never by a way back."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runbook.actions.journal import open_journals
from runbook.actions.steps import StepRecord
from runbook.judge.verdicts import Reason, Status
from runbook.rollout.baseline import baseline_rows, leaving_payload, left_events
from runbook.rollout.emergency import Alarm, emergency
from runbook.rollout.resume import finish_cut_off, reopen
from runbook.rollout.underway import underway
from runbook.system.refusals import Refusal
from tests.places import PROJECT
from tests.rollout.measured import TEXT, payloads, row, see, sight, step, take
from tests.rollout.site import Heard, House, make_house


@pytest.fixture
def house(tmp_path: Path) -> House:
    """At off@0, whose numbers become the reference, just entered; error_rate is 0.1 %, and nobody measures `slow`."""
    house = make_house(tmp_path, TEXT)
    house.ramp()
    assert house.at() == "off@0"
    return house


def test_the_row_says_what_it_will_be_captured_from(house: House) -> None:
    see(house, 12)
    found = row(house)
    assert (found.status, found.observed, found.n, found.counts) == (
        Status.PASS,
        "will be captured from 12 samples",
        12,
        True,
    )


def test_too_few_samples_hold_the_step_and_say_how_to_get_more(house: House) -> None:
    see(house, 3)
    found = row(house)
    assert (found.status, found.reason, found.observed) == (
        Status.UNKNOWN,
        Reason.NODATA,
        "3 of 10 samples of error_rate",
    )
    assert found.remedy == "runbook baseline capture --for 7m"


def test_what_a_person_captured_is_shown_and_stays(house: House) -> None:
    see(house, 12)
    take(house)
    see(house, 60, 0.5)
    assert row(house).observed.startswith("captured by ana ")
    house.ramp()
    assert [one["how"] for one in payloads(house, "baseline.captured")] == ["person"]
    assert house.site.state().baseline is not None


@pytest.mark.parametrize("name", ["canary@5", "canary@10", "full@50"])
def test_other_stages_have_no_such_row(tmp_path: Path, name: str) -> None:
    house = make_house(tmp_path, TEXT)
    house.stand_at(name)
    here = sight(house)
    assert baseline_rows(house.site, here.standing, here.facts) == []


def test_a_stage_of_several_rungs_captures_on_the_last(tmp_path: Path) -> None:
    text = TEXT.replace("percent: 0, bake: 1h,", "percent: [0, 1], bake: 1h,")
    house = make_house(tmp_path, text)
    house.stand_at("off@0")
    here = sight(house)
    assert baseline_rows(house.site, here.standing, here.facts) == []
    see(house, 20, 0.5)
    step(house)
    assert payloads(house, "baseline.captured") == []
    see(house, 20, 0.01)
    step(house)
    assert house.at() == "canary@5"
    assert payloads(house, "baseline.captured")[0]["numbers"]["error_rate"][0] == pytest.approx(
        (20 * 0.01 + 0.001) / 21
    )


def test_ramp_captures_when_it_leaves_and_the_next_gate_is_judged_by_it(house: House) -> None:
    see(house, 59, 0.01)
    house.clock.pass_time(60)
    house.numbers(error_rate=0.01)
    house.ramp()
    (told,) = payloads(house, "baseline.captured")
    assert told["how"] == "ramp" and (told["stage"], told["percent"]) == ("off", 0)
    assert told["numbers"]["error_rate"][:2] == [pytest.approx(0.01), 60]
    house.site.forget_state()
    baseline = house.site.state().baseline
    assert baseline is not None and baseline.rollout == 1  # it ends with this rollout
    house.clock.pass_time(3600)
    house.numbers(error_rate=0.02)
    gates = {one.id: one.status for one in house.propose().decision.rows}
    assert gates["gate/0"] is Status.FAIL


def test_every_rung_that_is_left_tells_its_numbers(house: House) -> None:
    see(house, 3, 0.01)
    step(house)
    see(house, 2, 0.03)
    step(house)
    first, second = payloads(house, "bake.passed")
    assert (first["stage"], first["numbers"]["error_rate"][1]) == ("off", 4)
    assert (second["stage"], second["percent"], second["numbers"]["error_rate"][1]) == ("canary", 5, 3)
    assert payloads(house, "baseline.captured") == []  # four samples are no reference
    house.site.forget_state()
    assert set(house.site.state().stages) == {"off", "canary"}


def test_without_numbers_the_rung_is_left_without(tmp_path: Path) -> None:
    house = make_house(tmp_path, TEXT, files={"numbers.json": "{}"})
    house.ramp()
    here = sight(house)
    assert leaving_payload(house.site, here.standing, here.facts) == {"stage": "off", "percent": 0.0}
    house.ramp()
    assert payloads(house, "bake.passed") == [{"stage": "off", "percent": 0}]


def test_a_step_that_is_taken_back_captures_nothing(house: House) -> None:
    see(house, 20)
    house.file("deploy.sh").write_text("exit 1\n")
    assert house.ramp().outcome != "done"
    assert payloads(house, "baseline.captured") == payloads(house, "bake.passed") == []


def test_a_way_back_captures_nothing(house: House) -> None:
    see(house, 20)
    house.ramp()
    see(house, 20, 0.5)
    house.rollback()
    house.ramp()
    see(house, 20, 0.5)
    emergency(house.site, house.heard, Alarm(reason="it is bad"))
    assert len(payloads(house, "baseline.captured")) == 1


def test_the_numbers_of_before_a_way_back_do_not_become_the_next_baseline(house: House) -> None:
    see(house, 20, 0.01)
    step(house)
    see(house, 20, 0.5)
    house.clock.pass_time(5)
    house.rollback()
    assert row(house).status is Status.UNKNOWN  # nothing was seen here since
    see(house, 10, 0.03)
    step(house)
    told = payloads(house, "baseline.captured")[-1]
    assert told["numbers"]["error_rate"][0] == pytest.approx((10 * 0.03 + 0.001) / 11)


def test_a_first_stage_that_only_the_file_shows_captures_too(tmp_path: Path) -> None:
    text = TEXT.replace("bake: 1h, baseline: capture, gates: ['error_rate < 2%']", "baseline: capture")
    house = make_house(tmp_path, text)
    assert row(house).observed == "0 of 10 samples of error_rate"
    see(house, 20)
    house.ramp()
    assert house.at() == "canary@5"
    assert payloads(house, "baseline.captured")[0]["numbers"]["error_rate"][1] == 21
    assert payloads(house, "bake.passed") == []


def test_what_is_left_behind_stands_in_the_journal_before_anything_is_changed(house: House) -> None:
    see(house, 20)
    noted: list[list[str]] = []

    class Reading(Heard):
        def begun(self, record: StepRecord) -> None:
            (found,) = open_journals(house.site.journals, house.site.slug)
            noted.append([event.kind for event in left_events(house.site, found, 7)])
            assert {event.rollout for event in left_events(house.site, found, 7)} == {7}

    house.heard = Reading()
    house.ramp()
    assert noted[0] == ["bake.passed", "baseline.captured"]


def test_a_ramp_that_was_cut_off_and_finished_has_its_baseline(house: House) -> None:
    see(house, 20, 0.01)
    argv = [sys.executable, "-m", "tests.rollout.cut_off", str(house.folder), "ramp"]
    killed = subprocess.run(argv, cwd=PROJECT, capture_output=True, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert payloads(house, "baseline.captured") == []
    after = house.again()
    found = underway(after.site)
    assert found is not None and not found.alive
    assert finish_cut_off(reopen(after.site, found), after.heard).outcome == "done"
    (told,) = payloads(house, "baseline.captured")
    assert (told["how"], told["numbers"]["error_rate"][1]) == ("ramp", 21)
    (passed,) = payloads(house, "bake.passed")
    assert passed["numbers"]["error_rate"][1] == 21
    after.site.forget_state()
    baseline = after.site.state().baseline
    assert baseline is not None and baseline.rollout == 1


def test_numbers_beyond_critical_are_no_reference(tmp_path: Path) -> None:
    house = make_house(tmp_path, TEXT.replace("unit: ratio", 'unit: ratio, critical: "> 5%"', 1))
    house.ramp()
    see(house, 12, 0.08)
    found = row(house)
    assert (found.status, found.remedy) == (Status.FAIL, "runbook now")
    assert found.observed.startswith("error_rate is 8 % on average, and > 5% is critical")
    with pytest.raises(Refusal, match="no reference"):
        take(house)
