"""Whether going down in part has helped: gates before it, held against the same gates after its bake."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.judge.facts import Facts, Reference, Sample, Series
from runbook.rollout.improvement import gate_seen, gates_now, improved
from tests.rollout.site import PLAYBOOK, make_house

NOW = 1_000_000.0


def facts(error_rate: float | None, p95: float = 900.0) -> Facts:
    def series(unit: str, value: float | None) -> Series:
        return Series(unit, (Sample(NOW - 1, value),))

    return Facts(
        now=NOW,
        series={"error_rate": series("ratio", error_rate), "p95": series("ms", p95)},
        references={"baseline": {"p95": Reference(800.0, 100, 40.0)}},
        percent=25.0,
    )


@pytest.mark.parametrize(
    ("gate", "before", "after", "better", "said"),
    [
        ("error_rate < 2%", facts(0.07), facts(0.01), True, "error_rate < 2% holds: 1 %"),
        ("error_rate < 2%", facts(0.07), facts(0.06), True, "came nearer: 7 %, then 6 %"),
        ("error_rate < 2%", facts(0.07), facts(0.065), True, "came nearer"),
        ("error_rate < 2%", facts(0.07), facts(0.0651), False, "did not come nearer: 7 %, then 6.51 %"),
        ("error_rate < 2%", facts(0.07), facts(0.07), False, "did not come nearer"),
        ("error_rate < 2%", facts(0.07), facts(0.09), False, "did not come nearer"),
        ("error_rate < 2%", facts(0.07), facts(None), None, "error_rate < 2% is unknown"),
        ("error_rate < 2%", facts(0.01), facts(0.01), True, "every gate holds"),
        ("error_rate < 2%", facts(0.01), facts(0.05), False, "error_rate < 2% says no: 5 %"),
        ("error_rate < 2%", facts(None), facts(None), None, "is unknown"),
        ("error_rate < 2%", facts(None), facts(0.01), True, "every gate holds"),
        ("p95 < 1s", facts(0.0, 3000.0), facts(0.0, 2700.0), True, "came nearer: 3 s, then 2.7 s"),
        ("p95 < 1s", facts(0.0, 3000.0), facts(0.0, 2950.0), False, "did not come nearer"),
        ("error_rate >= 5%", facts(0.01), facts(0.03), True, "came nearer"),
        ("error_rate >= 5%", facts(0.01), facts(0.005), False, "did not come nearer"),
        ("p95 increase < 30%", facts(0.0, 1600.0), facts(0.0, 1500.0), True, "came nearer"),
        ("p95 increase < 30%", facts(0.0, 1600.0), facts(0.0, 1590.0), False, "did not come nearer"),
        ("error_rate < 2% and p95 < 1s", facts(0.07), facts(0.03), False, "says no"),
        ("no_such_metric < 2%", facts(0.07), facts(0.07), None, "is unknown"),
    ],
)
def test_better_is_a_gate_that_holds_or_a_value_a_tenth_nearer_to_its_limit(
    gate: str, before: Facts, after: Facts, better: bool | None, said: str
) -> None:
    found = improved([gate_seen(gate, before)], [gate_seen(gate, after)])
    assert found.better is better
    assert said in found.said


def test_every_gate_that_said_no_counts_and_only_those() -> None:
    gates = ["error_rate < 2%", "p95 < 1s"]
    before = [gate_seen(gate, facts(0.07, 500.0)) for gate in gates]
    after = [gate_seen(gate, facts(0.01, 3000.0)) for gate in gates]
    assert improved(before, after).better is True, "p95 said nothing before"
    before = [gate_seen(gate, facts(0.07, 3000.0)) for gate in gates]
    found = improved(before, after)
    assert (found.better, found.said.count("p95 < 1s")) == (False, 1)


def test_the_gates_of_the_stage_that_count_here_are_looked_at(tmp_path: Path) -> None:
    stages = """\
metrics:
  error_rate: {file: numbers.json, jq: .error_rate, unit: ratio}
stages:
  - {stage: off, percent: 0}
  - stage: canary
    percent: 10
    gates:
      - error_rate < 2%
      - {gate: error_rate < 1%, dry_run: true}
      - {gate: error_rate < 3%, unless: [production]}
      - {sign: No critical bug}
"""
    house = make_house(tmp_path, PLAYBOOK + stages)
    house.stand_at("canary@10")
    house.numbers(error_rate=0.05)
    [seen] = gates_now(house.site)
    assert (seen.title, seen.holds) == ("error_rate < 2%", False)


def test_without_a_gate_nobody_can_tell() -> None:
    found = improved([], [])
    assert (found.better, found.said) == (None, "the stage has no gate to tell it by")
