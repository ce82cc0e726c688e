"""A number that nobody measured is told, and spoils neither the bake, nor the baseline, nor what rests on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbook.checks.base import CheckResult
from runbook.judge.verdicts import Status
from runbook.rollout.capturing import capture
from runbook.rollout.looking import reading
from runbook.rollout.rows import Decision
from runbook.store.base import SampleRow
from tests.rollout.site import PLAYBOOK, STAGES, House, make_house

METRICS = """\
  p95: {file: numbers.json, jq: .p95, unit: ms, n: requests}
  requests: {file: numbers.json, jq: .requests, unit: count, is: counter}
"""
TEXT = PLAYBOOK + STAGES.replace("stages:\n", METRICS + "stages:\n", 1).replace(
    'gates: ["error_rate < 2%"]', 'gates: ["p95 < 2s", "p95 < p95@baseline * 2"]'
).replace("percent: 0}", "percent: 0, baseline: capture}")  # fmt: skip


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = make_house(tmp_path, TEXT)
    numbers = {"p95": (700.0, 20, 9.0)}
    told = {"stage": "off", "percent": 0.0, "numbers": numbers, "how": "person"}
    house.site.record(house.site.event("baseline.captured", told))
    house.stand_at("canary@10")
    return house


def see(house: House, *values: float) -> Decision:
    for number, value in enumerate(values):
        house.clock.pass_time(60)
        told = {"error_rate": 0.001, "p95": value, "requests": value if value > 1e50 else 100 * number}
        house.file("numbers.json").write_text(json.dumps(told))
        made = house.propose().decision
    return made


@pytest.mark.parametrize("absurd", [1e308, -1e200], ids=["large", "negative"])
def test_one_absurd_number_is_told_and_spoils_no_bake(house: House, absurd: float) -> None:
    rows = {row.id: row for row in see(house, 700, 710, absurd).rows}
    assert rows["gate/0"].status is Status.UNKNOWN
    assert "larger than anything that is measured" in rows["gate/0"].message
    rows = {row.id: row for row in see(house, absurd, 700).rows}
    assert (rows["gate/0"].status, rows["gate/1"].status) == (Status.PASS, Status.PASS)


def test_one_that_is_longer_than_any_float_is_an_error_and_no_bug(house: House) -> None:
    metric = house.site.playbook.metrics["p95"]
    assert metric.check is not None
    sample = reading(metric, CheckResult(metric.check, Status.PASS, value=10**400), 1.0)
    assert (sample.value, sample.error) == (None, "p95 gave a number that is larger than anything that is measured")


def test_one_that_was_kept_earlier_is_left_out_as_well(house: House) -> None:
    house.clock.pass_time(60)
    at = house.clock.wall()
    kept = [SampleRow(metric=name, t=at, value=1e308) for name in ("p95", "requests")]
    house.store.keep_samples(house.site.chain, kept)
    rows = {row.id: row for row in see(house, *[700] * 12).rows}
    assert (rows["gate/0"].status, rows["gate/1"].status) == (Status.PASS, Status.PASS)
    taken = capture(house.site, seconds=0, reason="", shown=lambda numbers: None)
    assert taken.captured.numbers["p95"][0] == 700
