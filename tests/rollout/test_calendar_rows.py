"""The calendar and the clock as rows: when a step up may be made, and whether anybody can tell what time it is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from runbook.judge.verdicts import Status, Verdict
from runbook.rollout.calendar_rows import calendar_rows
from runbook.rollout.clock_rows import clock_rows
from runbook.rollout.ramp import allowed
from runbook.rollout.rows import Row
from runbook.rollout.watch import look_once
from tests.clocks import START
from tests.rollout.site import PLAYBOOK, STAGES, House, make_house

# START is Monday, 21 September 2026, 14:13:20 in UTC.
HOUR, DAY = 3600.0, 86_400.0
OPEN = 'calendar: {timezone: UTC, ramp: "Mon-Thu 09:00-16:00"}\n'
FROZEN = (
    'calendar: {timezone: UTC, ramp: "Mon-Thu 09:00-16:00", '
    "freeze: [{from: 2026-09-20, to: 2026-09-22, why: the sale}]}\n"
)


@pytest.fixture(autouse=True)
def in_utc() -> Iterator[None]:
    yield from in_zone("UTC")


def in_zone(name: str) -> Iterator[None]:
    """The operator's zone, for as long as it is needed."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def house_with(folder: Path, calendar: str, where: str = "canary@5") -> House:
    house = make_house(folder, PLAYBOOK + calendar + STAGES)
    if where:
        house.stand_at(where)
    return house


def calendar(house: House) -> Row:
    [row] = calendar_rows(house.site)
    return row


def test_an_open_window_says_when_it_closes(tmp_path: Path) -> None:
    row = calendar(house_with(tmp_path, OPEN))
    assert (row.status, row.observed) == (Status.PASS, "open, closes 16:00")
    assert row.expected == "Mon-Thu 09:00-16:00 (UTC)"


def test_a_closed_one_says_why_and_when_it_opens(tmp_path: Path) -> None:
    house = house_with(tmp_path, OPEN)
    house.clock.pass_time(5 * HOUR)
    row = calendar(house)
    assert (row.status, row.observed) == (Status.FAIL, "closed")
    assert row.message == "Mon-Thu 09:00-16:00 (UTC); opens Tue 09:00 (in 13 h 47 m)"
    assert row.remedy == "wait until Tue 22 Sep 09:00"


def test_a_freeze_tells_its_reason_and_the_first_window_after_it(tmp_path: Path) -> None:
    row = calendar(house_with(tmp_path, FROZEN))
    assert row.status is Status.FAIL
    assert row.message.startswith("frozen: the sale; opens Wed 09:00 (in ")
    assert row.remedy == "wait until Wed 23 Sep 09:00"


def test_one_that_never_opens_is_not_waited_for(tmp_path: Path) -> None:
    row = calendar(house_with(tmp_path, FROZEN.replace("2026-09-22", "2030-01-01")))
    assert "no window within 400 days" in row.message
    assert row.remedy == "correct the calendar of playbooks/checkout.yaml, then  runbook lint"


def test_without_windows_and_freezes_it_is_always_open(tmp_path: Path) -> None:
    row = calendar(house_with(tmp_path, "calendar: {timezone: UTC}\n"))
    assert (row.status, row.observed, row.expected) == (Status.PASS, "open", "at any time")


@pytest.mark.parametrize(
    ("zone", "told"),
    [("UTC", "opens Mon 11:00, Mon 07:00 in America/New_York (in "), ("America/New_York", "opens Mon 07:00 (in ")],
)
def test_times_are_the_operators_and_the_calendars_where_they_differ(zone: str, told: str, tmp_path: Path) -> None:
    text = 'calendar: {timezone: America/New_York, ramp: "Mon 07:00-07:30"}\n'
    house = house_with(tmp_path, text)
    house.clock.pass_time(3 * DAY)
    switch = in_zone(zone)
    next(switch)
    try:
        assert told in calendar(house).message
    finally:
        next(switch, None)


def test_no_calendar_no_row(tmp_path: Path) -> None:
    assert calendar_rows(house_with(tmp_path, "").site) == []


def test_it_binds_no_sandbox(tmp_path: Path) -> None:
    house = house_with(tmp_path, FROZEN)
    house.site.environment = msgspec.structs.replace(house.site.environment, sandbox=True)
    assert calendar_rows(house.site) == []


@pytest.mark.parametrize("where", ["", "off@0", "canary@5", "canary@10"])
def test_it_binds_every_step_up_and_stands_between_gates_and_incidents(where: str, tmp_path: Path) -> None:
    house = house_with(tmp_path, FROZEN, where)
    opened = {"id": 1, "title": "slow", "severity": "P2"}
    house.site.record(house.site.event("incident.opened", opened))
    made = house.propose().decision
    kinds = [row.kind for row in made.rows]
    assert made.verdict is Verdict.NO_GO
    assert kinds[-2:] == ["calendar", "incident"]
    assert "calendar" not in kinds[:-2]


def test_it_binds_no_way_back(tmp_path: Path) -> None:
    house = house_with(tmp_path, FROZEN, "canary@10")
    assert house.rollback().outcome == "done"
    assert house.at() == "canary@5"


def test_at_the_top_nothing_is_asked_of_it(tmp_path: Path) -> None:
    house = house_with(tmp_path, FROZEN, "full@100")
    assert [row for row in look_once(house.site).decision.rows if row.kind == "calendar"] == []


def test_a_clock_that_was_set_back_a_day_is_found_out(tmp_path: Path) -> None:
    house = house_with(tmp_path, "")
    house.clock.pass_time(HOUR)
    assert house.propose().decision.verdict is Verdict.GO
    house.clock.now -= DAY
    [row] = [row for row in house.propose().decision.rows if row.kind == "clock"]
    assert row.status is Status.FAIL
    assert row.observed == "this clock says Sun 20 Sep 15:13, the newest event is of Mon 21 Sep 14:13"
    assert row.remedy == "date; timedatectl"
    assert "sign-offs, waivers and the calendar cannot be judged" in row.message
    assert house.propose().decision.verdict is Verdict.NO_GO


@pytest.mark.parametrize(("behind", "rows"), [(0.0, 0), (60.0, 0), (61.0, 1), (-HOUR, 0)])
def test_a_minute_between_two_clocks_is_no_riddle(behind: float, rows: int, tmp_path: Path) -> None:
    house = house_with(tmp_path, "")
    house.clock.now = START - behind
    house.site.forget_state()
    assert len(clock_rows(house.site)) == rows


def test_where_the_event_is_the_wrong_one_an_override_passes_it(tmp_path: Path) -> None:
    house = house_with(tmp_path, "")
    house.clock.pass_time(HOUR)
    in_a_year = house.clock.wall() + 365 * DAY
    house.site.record(house.site.event("noted", {"kind": "text", "text": "x"}, at=in_a_year))
    made = house.propose().decision
    assert [row.id for row in made.against()] == ["clock"]
    assert not allowed(made, None)
    assert allowed(made, "the clock of app-2 was wrong")
    assert "runbook history" in made.against()[0].message


@pytest.mark.parametrize(
    ("now", "observed", "said", "remedy"),
    [
        # 02:00 to 03:00 is not there on 29 March 2026, and is there twice on 25 October.
        (
            "2026-03-28T12:00",
            "closed",
            "02:00-03:00 does not exist on 29 Mar: the clocks go forward",
            "Sun 5 Apr 00:00",
        ),
        (
            "2026-03-29T01:30",
            "closed",
            "opens Sun 5 Apr 00:00, Sun 02:00 in Europe/Berlin",
            "wait until Sun 5 Apr 00:00",
        ),
        ("2026-10-25T00:30", "open, closes 02:00, Sun 03:00 in Europe/Berlin", "", ""),
        ("2026-10-25T01:30", "open, closes 02:00, Sun 03:00 in Europe/Berlin", "", ""),
        (
            "2026-12-19T12:00",
            "closed",
            "; then frozen: holidays; opens Sun 10 Jan 01:00",
            "wait until Sun 10 Jan 01:00",
        ),
    ],
)
def test_where_the_clocks_change(tmp_path: Path, now: str, observed: str, said: str, remedy: str) -> None:
    text = (
        "calendar: {timezone: Europe/Berlin, ramp: 'Sun 02:00-03:00', "
        "freeze: [{from: 2026-12-20, to: 2027-01-03, why: holidays}]}\n"
    )
    house = house_with(tmp_path, text, where="")
    house.clock.now = datetime.fromisoformat(f"{now}+00:00").timestamp()
    row = calendar(house)
    assert row.observed == observed
    assert said in row.message and remedy in row.remedy
