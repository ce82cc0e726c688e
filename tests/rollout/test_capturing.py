"""A person captures the baseline: from samples enough, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.actions.steps import StepRecord
from runbook.rollout.capturing import capture
from runbook.system.refusals import Exit, Refusal
from tests.rollout.measured import TEXT, payloads, see, take
from tests.rollout.site import Heard, House, make_house, open_house


@pytest.fixture
def house(tmp_path: Path) -> House:
    """At off@0, whose numbers become the reference, just entered; error_rate is 0.1 %, and nobody measures `slow`."""
    house = make_house(tmp_path, TEXT)
    house.ramp()
    assert house.at() == "off@0"
    return house


def test_a_person_captures_mean_n_and_spread(house: House) -> None:
    see(house, 5, 0.01)
    see(house, 5, 0.03)
    house.numbers(error_rate=0.02)
    taken = take(house)
    mean, n, spread = taken.captured.numbers["error_rate"]
    assert [mean, n, spread] == [pytest.approx(0.02), 11, pytest.approx(0.01)]
    assert (taken.captured.stage, taken.captured.percent, taken.captured.who) == ("off", 0.0, "ana")
    assert taken.replaced is None and "slow" not in taken.captured.numbers
    assert taken.left_out == {}  # nothing is held against a baseline of it
    assert payloads(house, "baseline.captured")[0]["how"] == "person"


def test_two_samples_are_no_baseline(house: House) -> None:
    see(house, 1)
    with pytest.raises(Refusal) as refused:
        take(house)
    assert refused.value.exit is Exit.NO_GO
    assert refused.value.message == "2 samples of error_rate since off@0 was entered, 10 are needed"
    assert refused.value.next_steps == ("runbook baseline capture --for 8m",)
    assert "baseline.captured" not in house.kinds()


def test_samples_of_before_the_step_do_not_count(house: House) -> None:
    house.clock.pass_time(-3600)
    see(house, 30)
    house.clock.pass_time(1800)
    with pytest.raises(Refusal, match="1 sample of error_rate since off@0 was entered"):
        take(house)


def test_why_the_newest_look_failed_is_told(house: House) -> None:
    house.file("numbers.json").write_text("<html>")
    with pytest.raises(Refusal, match=r"0 samples of error_rate .* are needed\. The newest look: "):
        take(house)


def test_a_second_capture_replaces_the_first(house: House) -> None:
    see(house, 10, 0.01)
    first = take(house).captured
    see(house, 10, 0.05)
    second = take(house)
    assert second.replaced == first
    assert second.captured.numbers["error_rate"][1] == 22
    house.site.forget_state()
    assert house.site.state().baseline == second.captured


def test_before_the_first_step_the_last_hour_counts(tmp_path: Path) -> None:
    house = make_house(tmp_path, TEXT)
    see(house, 100)
    captured = take(house).captured
    assert (captured.stage, captured.numbers["error_rate"][1]) == ("", 62)  # 61 that were kept, and this look


def test_what_only_grows_has_no_mean_worth_keeping(tmp_path: Path) -> None:
    text = TEXT.replace("  slow:", "  asked: {file: numbers.json, jq: .asked, unit: count, is: counter}\n  slow:")
    house = make_house(tmp_path, text)
    see(house, 20)
    see(house, 20, 5.0, "asked")
    assert set(take(house).captured.numbers) == {"error_rate"}


def test_a_metric_that_is_held_against_it_and_too_rare_is_told(tmp_path: Path) -> None:
    text = TEXT.replace('"error_rate increase < 50%"', '"error_rate increase < 50%", "slow < slow@baseline"')
    house = make_house(tmp_path, text)
    see(house, 20)
    assert list(take(house).left_out) == ["slow"]


QUICK = TEXT.replace("interval: 60s", "interval: 10ms")


def test_looking_for_a_while_gathers_what_is_missing(tmp_path: Path) -> None:
    house = make_house(tmp_path, QUICK)
    counts: list[int] = []
    taken = capture(house.site, seconds=0.5, reason="", shown=lambda numbers: counts.append(numbers["error_rate"][1]))
    assert counts[0] == 1 and counts[-1] == taken.captured.numbers["error_rate"][1] >= 10


def test_nothing_is_captured_when_it_is_stopped(house: House) -> None:
    see(house, 20)
    house.site.forget_state()

    def stop(_: object) -> None:
        house.site.interruptions.stopping = True

    with pytest.raises(Refusal) as refused:
        capture(house.site, seconds=60.0, reason="", shown=stop)
    assert refused.value.exit is Exit.INTERRUPTED
    assert "baseline.captured" not in house.kinds()


def test_nothing_is_captured_of_a_service_that_moves(tmp_path: Path) -> None:
    house = make_house(tmp_path, QUICK)
    house.ramp()
    see(house, 60)
    house.site.forget_state()

    def move() -> None:
        ended = house.again().ramp()
        assert ended.outcome == "done"

    looks = iter([move])
    with pytest.raises(Refusal, match="was moved while"):
        capture(house.site, seconds=30.0, reason="", shown=lambda numbers: next(looks, lambda: None)())
    assert [one["how"] for one in payloads(house, "baseline.captured")] == ["ramp"]  # by the one who moved it


def test_nothing_is_captured_without_the_store(house: House) -> None:
    see(house, 20)
    away = open_house(house.folder, house.clock, store=False)
    with pytest.raises(Refusal, match="the store is away") as refused:
        take(away)
    assert refused.value.exit is Exit.FAILED


def test_nothing_is_captured_beside_an_operation(house: House) -> None:
    see(house, 20)
    refusals: list[Refusal] = []

    class Meanwhile(Heard):
        def begun(self, record: StepRecord) -> None:
            with pytest.raises(Refusal) as refused:
                take(house.again())
            refusals.append(refused.value)

    house.heard = Meanwhile()
    house.ramp()
    assert {one.exit for one in refusals} == {Exit.BUSY}
