"""After a way back: the numbers are watched until they have recovered, and that is recorded once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from runbook.rollout.emergency import Alarm, emergency
from runbook.rollout.facts import look_from_here
from runbook.rollout.recovery import awaited, note_recovery, watch_recovery
from tests.places import PROJECT
from tests.rollout.site import PLAYBOOK, House, make_house, open_house

STAGES = """\
metrics:
  error_rate: {file: numbers.json, jq: .error_rate, unit: ratio, interval: 60s, max_age: 1h}
stages:
  - {stage: off, percent: 0}
  - {stage: canary, percent: [5, 10], set: {NEW_CART: true, LIMIT: 3}}
rollback: {set: safe, recovered: "error_rate < 1% for 5m"}
"""
AT_BASELINE = STAGES.replace("error_rate < 1% for 5m", "error_rate <= error_rate@baseline")


def after_emergency(folder: Path, stages: str = STAGES) -> House:
    house = make_house(folder, PLAYBOOK + stages)
    house.stand_at("canary@10")
    house.site.forget_state()
    emergency(house.site, house.heard, Alarm(reason="answers are wrong"))
    house.site.forget_state()
    return house


def look(house: House, rate: float | str | None) -> str:
    house.numbers(error_rate=rate)
    house.site.forget_state()
    return note_recovery(house.site, look_from_here(house.site, [], 5.0).facts)


def told(house: House) -> list[dict[str, Any]]:
    return [record.event.payload for record in house.store.events(house.site.chain) if record.event.kind == "recovered"]


def test_it_has_recovered_when_the_condition_held_for_its_time_and_that_is_recorded_once(tmp_path: Path) -> None:
    house = after_emergency(tmp_path)
    said = []
    for rate in [0.07, 0.03, *[0.004] * 8]:
        house.clock.pass_time(60)
        said.append(look(house, rate))
    assert [bool(text) for text in said] == [False] * 7 + [True] + [False] * 2
    assert said[7] == "recovered after 8 m: error_rate < 1% for 5m (0.4 %)"
    [said_once] = told(house)
    assert said_once["observed"] == "0.4 %" and said_once["condition"] == "error_rate < 1% for 5m"
    assert said_once["seconds"] == 480.0
    assert house.site.state().recovered == house.clock.now - 120
    assert awaited(house.site) == ""


def test_what_was_measured_before_the_recovery_is_no_evidence_for_the_next_step(tmp_path: Path) -> None:
    house = after_emergency(tmp_path, STAGES.replace("percent: 0}", 'percent: 0, gates: ["error_rate < 1%"]}'))
    for rate in [*[0.08] * 20, *[0.004] * 7]:
        house.clock.pass_time(60)
        look(house, rate)
    position = house.site.state().position
    assert position is not None and position.rebaked is not None and position.rebaked > position.since
    row = next(row for row in house.propose("5").decision.rows if row.kind == "gate")
    assert row.status == "pass", row


def test_a_relapse_begins_anew_and_what_is_unknown_never_recovers(tmp_path: Path) -> None:
    house = after_emergency(tmp_path)
    for rate in [0.004, 0.004, 0.004, 0.05, 0.004, 0.004, None, "broken"]:
        house.clock.pass_time(60)
        assert look(house, rate) == ""
    assert told(house) == []


def test_the_time_counts_over_the_restart_of_whoever_looks(tmp_path: Path) -> None:
    house = after_emergency(tmp_path)
    for _ in range(5):
        house.clock.pass_time(60)
        assert look(house, 0.004) == ""
    house.store.close()
    later = open_house(tmp_path, house.clock, operator="ben")
    seen = []
    for _ in range(3):
        house.clock.pass_time(60)
        seen.append(look(later, 0.004))
    assert any(seen)
    assert len(told(later)) == 1


def test_without_a_way_back_after_a_ramp_and_without_the_condition_nothing_is_awaited(tmp_path: Path) -> None:
    house = make_house(tmp_path / "before", PLAYBOOK + STAGES)
    assert awaited(house.site) == ""
    house = after_emergency(tmp_path / "after")
    assert awaited(house.site) == "error_rate < 1% for 5m"
    house.ramp_to("canary@5")
    assert awaited(house.site) == ""
    assert look(house, 0.001) == ""
    house = after_emergency(tmp_path / "none", STAGES.replace(', recovered: "error_rate < 1% for 5m"', ""))
    assert awaited(house.site) == ""


def test_a_step_back_by_hand_is_watched_too(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK + STAGES.replace(" for 5m", ""))
    house.stand_at("canary@10")
    house.rollback()
    house.clock.pass_time(30)
    assert look(house, 0.002) == "recovered after 30 s: error_rate < 1% (0.2 %)"


def test_without_a_baseline_it_says_so_and_stops_at_once(tmp_path: Path) -> None:
    house = after_emergency(tmp_path, AT_BASELINE)
    seen: list[str] = []
    watched = watch_recovery(house.site, seen.append)
    assert (watched.recovered, watched.message) == (
        None,
        "no baseline was captured; watching error_rate alone cannot tell",
    )
    assert seen == []


def test_the_baseline_of_the_rollout_that_was_ended_still_counts(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK + AT_BASELINE)
    captured = {"stage": "off", "percent": 0.0, "numbers": {"error_rate": [0.005, 20, 0.001]}, "how": "capture"}
    house.site.record(house.site.event("baseline.captured", captured))
    house.site.forget_state()
    house.stand_at("canary@10")
    emergency(house.site, house.heard, Alarm(reason="answers are wrong"))
    house.clock.pass_time(5)
    assert look(house, 0.02) == ""
    house.clock.pass_time(5)
    assert look(house, 0.004).startswith("recovered after 10 s")


def test_it_looks_until_the_numbers_are_there_and_shows_each_once(tmp_path: Path) -> None:
    house = after_emergency(tmp_path, STAGES.replace(" for 5m", "").replace("interval: 60s", "interval: 0.2s"))
    house.numbers(error_rate=0.07)
    seen: list[str] = []

    def shown(text: str) -> None:
        seen.append(text)
        house.clock.pass_time(1)
        house.numbers(error_rate={"7 %": 0.03, "3 %": 0.004}.get(text, 0.004))

    watched = watch_recovery(house.site, shown)
    assert watched.recovered is True, watched.message
    assert seen == ["7 %", "3 %", "0.4 %"]


def test_it_ends_by_itself_saying_what_it_saw_last(tmp_path: Path) -> None:
    house = after_emergency(tmp_path)
    house.numbers(error_rate=0.07)
    watched = watch_recovery(house.site, lambda text: None, longest=0.3)
    assert (watched.recovered, watched.message) == (
        False,
        "not recovered after 300 ms of watching: it saw 7 % last",
    )


def test_with_the_store_away_it_says_that_it_cannot_be_watched(tmp_path: Path) -> None:
    house = after_emergency(tmp_path)
    away = open_house(tmp_path, house.clock, store=False)
    watched = watch_recovery(away.site, lambda text: None)
    assert watched.recovered is None and "the store is away" in watched.message


LEFT = """
import sys
from pathlib import Path
from runbook.rollout.recovery import watch_recovery
from tests.clocks import SetClock
from tests.rollout.site import open_house

house = open_house(Path(sys.argv[1]), SetClock())
watched = watch_recovery(house.site, lambda text: print(text, flush=True))
print(watched.recovered, watched.message, flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_person_leaves_and_nothing_is_lost(tmp_path: Path, number: signal.Signals) -> None:
    house = after_emergency(tmp_path)
    house.numbers(error_rate=0.07)
    house.store.close()
    argv = [sys.executable, "-c", LEFT, str(tmp_path)]
    with subprocess.Popen(argv, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "7 %\n"
        process.send_signal(number)
        began = time.monotonic()
        assert process.stdout.read() == "False left; it saw 7 % last\n"
        assert process.wait(20) == 0
        assert time.monotonic() - began < 10
