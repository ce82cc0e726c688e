"""When a check passed last is kept, and told beside it when it does not hold, with what happened since."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runbook.checks.base import Check, CheckResult
from runbook.checks.here.file import File
from runbook.checks.people.sign import Sign
from runbook.judge.verdicts import Status
from runbook.rollout.last_good import (
    KEPT,
    MOST_KEPT,
    Good,
    beside_failing,
    keep_last_good,
    kept_last_good,
    since_option,
)
from runbook.rollout.ramp import propose
from runbook.rollout.watch import look_once
from runbook.store.base import StoreAway
from tests.rollout.site import House, make_house

DAY = 86_400.0


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path)


def row(name: str, status: Status = Status.PASS, at: float = 0.0, **more: object) -> CheckResult:
    check = Check(title=name, id=name, kind="file", options=File(file="x"), checklist="ready")
    return CheckResult(check, status, checked_at=at, **more)  # type: ignore[arg-type]


def by_people(name: str, status: Status) -> CheckResult:
    check = Check(title=name, id=name, kind="sign", options=Sign(sign=True), checklist="ready")
    return CheckResult(check, status)


def happen(house: House, event: str, **payload: object) -> None:
    house.clock.pass_time(60)
    house.site.record(house.site.event(event, dict(payload)))


def test_the_last_pass_is_told_beside_a_failure(house: House) -> None:
    at = house.clock.now
    keep_last_good(house.site, [row("backup", at=at, observed="26 h old"), row("other", Status.FAIL, at=at)])
    keep_last_good(house.site, [row("backup", Status.FAIL, at=at + 60, observed="31 h old")])
    house.clock.pass_time(22 * 3600)
    found = beside_failing(house.site, [row("backup", Status.FAIL), row("other", Status.UNKNOWN), row("fine")])
    assert set(found) == {"ready/backup", "ready/other"}
    assert found["ready/backup"].last == Good(at, "26 h old")
    assert found["ready/other"].last is None


def test_a_later_pass_takes_the_place_of_an_earlier_one(house: House) -> None:
    for seen in ("one", "two"):
        keep_last_good(house.site, [row("a", at=house.clock.now, observed=seen)])
        house.clock.pass_time(5)
    assert kept_last_good(house.site)["ready/a"].observed == "two"


def test_nested_checks_have_their_own_and_the_list_none(house: House) -> None:
    inner = row("inner", Status.FAIL)
    outer = replace(row("outer", Status.FAIL), nested=(inner, row("held")))
    keep_last_good(house.site, [replace(row("outer", at=1.0), nested=(row("inner", at=1.0, observed="2"),))])
    found = beside_failing(house.site, [outer])
    assert set(found) == {"ready/inner"}
    assert found["ready/inner"].last == Good(1.0, "2")


def test_what_nobody_ever_answered_is_not_said_to_have_never_passed(house: House) -> None:
    unanswered = by_people("trained", Status.UNKNOWN)
    assert beside_failing(house.site, [unanswered]) == {}
    keep_last_good(house.site, [by_people("trained", Status.PASS)])
    assert set(beside_failing(house.site, [unanswered])) == {"ready/trained"}


def test_the_three_newest_events_since_are_told(house: House) -> None:
    happen(house, "noted", kind="deploy", text="build 6")
    keep_last_good(house.site, [row("a", at=house.clock.now)])
    happen(house, "noted", kind="deploy", text="build 7")
    happen(house, "version.seen", version="7")
    happen(house, "check.answered.somehow", text="of no kind that explains anything")
    happen(house, "hold.set", reason="look first")
    happen(house, "incident.opened", id=1, severity="P1", title="slow")
    happen(house, "position.entered", stage="canary", percent=5, how="adopt", flags={})
    told = beside_failing(house.site, [row("a", Status.FAIL)])["ready/a"]
    assert [event.kind for event in told.events] == ["position.entered", "incident.opened", "hold.set"]
    assert told.more == 2
    assert told.events[1].text == "incident 1 opened as P1: slow" and told.events[1].who == "ana"
    assert told.events[0].at > told.events[1].at > told.events[2].at


def test_each_check_is_told_what_happened_since_its_own_pass(house: House) -> None:
    keep_last_good(house.site, [row("old", at=house.clock.now)])
    happen(house, "noted", kind="deploy", text="build 7")
    house.clock.pass_time(1)
    keep_last_good(house.site, [row("new", at=house.clock.now)])
    found = beside_failing(house.site, [row("old", Status.FAIL), row("new", Status.FAIL)])
    assert [event.text for event in found["ready/old"].events] == ["deploy: build 7"]
    assert found["ready/new"].events == ()


def test_a_look_keeps_and_a_dry_run_does_not(house: House) -> None:
    house.site.playbook.checklists["ready"] = (
        Check(title="Numbers", id="numbers", kind="file", options=File(file="numbers.json"), checklist="ready"),
    )
    house.numbers(error_rate=0.01)
    propose(house.site, None, deadline=10.0, dry_run=True)
    assert kept_last_good(house.site) == {}
    house.ramp_to("canary@5")
    look_once(house.site)
    assert "verify/the_service_runs_with_the_file" in kept_last_good(house.site)


def test_what_is_kept_is_bounded_and_the_newest_stay(house: House) -> None:
    for start in range(0, MOST_KEPT + 400, 200):
        keep_last_good(house.site, [row(f"c{number}", at=float(number)) for number in range(start, start + 200)])
    kept = kept_last_good(house.site)
    assert len(kept) == MOST_KEPT
    assert "ready/c399" not in kept and f"ready/c{MOST_KEPT + 399}" in kept
    keep_last_good(house.site, [row("long", at=1e9, observed="x" * 100_000)])
    assert len(kept_last_good(house.site)["ready/long"].observed) <= 160


def test_a_secret_is_never_kept(house: House) -> None:
    house.site.masker.learn("hunter2-hunter2")
    keep_last_good(house.site, [row("a", at=1.0, observed="it says hunter2-hunter2")])
    body = house.store.get_note(house.site.chain, KEPT)
    assert body is not None and b"hunter2" not in body and b"it says" in body


def test_a_note_that_cannot_be_read_is_as_none(house: House) -> None:
    house.store.put_note(house.site.chain, KEPT, b'{"ready/a": 7}')
    assert kept_last_good(house.site) == {}
    keep_last_good(house.site, [row("a", at=1.0)])
    assert set(kept_last_good(house.site)) == {"ready/a"}


def test_without_the_store_nothing_is_said(house: House) -> None:
    keep_last_good(house.site, [row("a", at=1.0)])
    house.site.lose_store(StoreAway("it went"))
    keep_last_good(house.site, [row("b", at=1.0)])
    assert beside_failing(house.site, [row("a", Status.FAIL)]) == {}


@pytest.mark.parametrize(
    ("ago", "option"), [(0.0, "1m"), (59.0, "1m"), (61.0, "2m"), (7000.0, "117m"), (7300.0, "3h"), (3 * DAY, "73h")]
)
def test_the_option_that_shows_everything_since(ago: float, option: str) -> None:
    assert since_option(1_000_000.0, 1_000_000.0 + ago) == option
