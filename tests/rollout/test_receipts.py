"""A receipt keeps what a decision rested on, so that it can be explained later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from runbook.judge.facts import Series
from runbook.judge.verdicts import Verdict
from runbook.rollout.facts import facts_of
from runbook.rollout.kept import keep_note
from runbook.rollout.receipts import (
    KEPT,
    behind,
    keep_decision,
    kept_decision,
    last_operations,
    newest_receipt,
    receipt_of,
)
from runbook.rollout.watch import look_once
from tests.rollout.site import House, make_house, open_house


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = make_house(tmp_path)
    house.ramp_to("canary@5")
    return house


def look(house: House, about: str = "gate") -> None:
    house.site.forget_state()
    keep_decision(house.site, look_once(house.site).decision, about)


def test_a_decision_comes_back_with_every_rule(house: House) -> None:
    house.clock.pass_time(60)
    look(house)
    receipt = kept_decision(house.site)
    assert receipt is not None
    assert (receipt.who, receipt.about, receipt.at) == ("ana", "gate", house.clock.now)
    assert (receipt.came_from, receipt.to, receipt.verdict) == ("canary@5", "canary@10", Verdict.NO_GO.value)
    rows = {row.id: row for row in receipt.rows}
    assert rows["bake"].observed == "1 m" and rows["bake"].status == "fail"
    assert rows["gate/0"].n == 1 and rows["gate/0"].title == "error_rate < 2%"


def test_a_secret_is_never_kept(house: House) -> None:
    house.site.masker.learn("hunter2-hunter2")
    decision = look_once(house.site).decision
    first, *rest = decision.rows
    leaking = replace(decision, rows=(replace(first, message="it says hunter2-hunter2"), *rest))
    keep_decision(house.site, leaking, "gate")
    body = house.store.get_note(house.site.chain, KEPT)
    assert body is not None and b"hunter2" not in body


def test_the_newest_of_looks_and_steps_counts(house: House) -> None:
    house.clock.pass_time(4000)
    look(house)
    first = newest_receipt(house.site)
    assert first is not None and (first.about, first.operation) == ("gate", "")
    house.clock.pass_time(60)
    house.ramp_to("canary@10")
    second = newest_receipt(house.site)
    assert second is not None and second.about == "ramp"
    assert second.operation == last_operations(house.site, 1)[0].event.operation
    house.clock.pass_time(60)
    look(house, "watch")
    third = newest_receipt(house.site)
    assert third is not None and third.about == "watch"


def test_the_step_was_made_on_rules_that_held(house: House) -> None:
    house.clock.pass_time(4000)
    house.ramp_to("canary@10")
    receipt = receipt_of(last_operations(house.site, 1)[0])
    assert receipt is not None
    assert receipt.verdict == "go"
    assert any(row.title == "error_rate < 2%" and row.observed for row in receipt.rows)


def test_a_way_back_was_decided_on_nothing(house: House) -> None:
    house.rollback()
    assert receipt_of(last_operations(house.site, 1)[0]) is None


def test_the_last_operations_come_newest_first(house: House) -> None:
    house.clock.pass_time(4000)
    house.ramp_to("canary@10")
    told = [record.event.payload["to"] for record in last_operations(house.site, 5)]
    assert told == ["canary@10", "canary@5", "off@0"] or told == ["canary@10", "canary@5"]
    assert len(last_operations(house.site, 1)) == 1


def test_operations_far_back_are_found(house: House) -> None:
    house.site.record(*(house.site.event("noted", {"kind": "complaint", "text": "x"}) for _ in range(450)))
    assert last_operations(house.site, 1)[0].event.kind == "operation.started"


def series(house: House) -> Mapping[str, Series]:
    return facts_of(house.site, house.standing(), None).series


def test_behind_a_gate_stand_its_samples(house: House) -> None:
    for value in (0.01, 0.02, 0.03, 0.01, 0.02, 0.03, 0.04):
        house.numbers(error_rate=value)
        house.clock.pass_time(60)
        look(house)
    receipt = kept_decision(house.site)
    assert receipt is not None
    [one] = behind(house.standing(), series(house), receipt)["gate/0"]
    assert (one.metric, one.unit, one.n) == ("error_rate", "ratio", 7)
    assert one.mean == pytest.approx(0.16 / 7)
    assert [sample.value for sample in one.last] == [0.03, 0.01, 0.02, 0.03, 0.04]


def test_what_is_no_number_is_not_in_the_mean(house: House) -> None:
    for value in (0.01, "many", 15, None, 0.03):
        house.numbers(error_rate=value)
        house.clock.pass_time(60)
        look(house)
    receipt = kept_decision(house.site)
    assert receipt is not None
    [one] = behind(house.standing(), series(house), receipt)["gate/0"]
    assert one.n == 2
    assert one.mean == pytest.approx(0.02)
    assert len(one.last) == 5


def test_a_decision_about_an_earlier_rung_has_no_samples_here(house: House) -> None:
    house.clock.pass_time(4000)
    look(house)
    receipt = kept_decision(house.site)
    house.clock.pass_time(10)
    house.ramp_to("canary@10")
    assert receipt is not None
    assert behind(house.standing(), series(house), receipt) == {}


def test_a_spoilt_note_is_none(house: House) -> None:
    keep_note(house.site, KEPT, {"at": "yesterday"})
    assert kept_decision(house.site) is None


def test_without_the_store_nothing_is_kept_and_nothing_fails(house: House) -> None:
    away = open_house(house.folder, house.clock, store=False)
    keep_decision(away.site, look_once(away.site).decision, "gate")
    assert kept_decision(away.site) is None
    assert last_operations(away.site) == []
