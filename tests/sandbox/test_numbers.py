"""The small formulas: terms, factors, limits, and how flags are read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runbook.sandbox.definition import Definition
from runbook.sandbox.env_file import read_env
from runbook.sandbox.faults import Faults
from runbook.sandbox.numbers import Moment, falls_on, numbers, percentage, read_flags
from runbook.sandbox.reading import checked_definition
from runbook.sandbox.trouble import SandboxTrouble

FLAGS = {
    "ON": {"type": "truth", "default": True},
    "HOPS": {"type": "integer", "default": 3},
    "MODE": {"type": "text", "default": "canary"},
    "SHARE": {"type": "number", "default": 0.25},
}
MOMENT = Moment({"ON": True, "HOPS": 3, "MODE": "canary", "SHARE": 0.25}, 25.0, 8.0, 0, Faults(latency=4.0))


def defined(**sections: Any) -> Definition:
    definition, problems = checked_definition({"sandbox": 1, "service": "s", "flags": FLAGS, **sections})
    assert definition is not None, problems
    return definition


def number(effects: list[dict[str, Any]], **options: Any) -> float:
    definition = defined(metrics={"first": {"base": 7}, "m": {"effects": effects, **options}})
    return numbers(definition, MOMENT)["m"]


@pytest.mark.parametrize(
    ("effect", "value"),
    [
        ({"add": 2}, 2),
        ({"add": 2, "flag": "ON"}, 2),
        ({"add": 2, "flag": "ON", "is": False}, 0),
        ({"add": 2, "flag": "HOPS"}, 6),
        ({"add": 2, "flag": "HOPS", "is": 3}, 2),
        ({"add": 2, "flag": "MODE", "is": "canary"}, 2),
        ({"add": 2, "flag": "MODE", "is": "shadow"}, 0),
        ({"add": 2, "treated": True}, 0.5),
        ({"add": 2, "percent": True}, 50),
        ({"add": 2, "metric": "first"}, 14),
        ({"add": 2, "fault": "latency"}, 8),
        ({"add": 2, "second": True}, 16),
        ({"add": 2, "flag": "HOPS", "treated": True, "metric": "first"}, 10.5),
    ],
)
def test_an_effect_is_the_product_of_what_it_names(effect: dict[str, Any], value: float) -> None:
    assert number([effect]) == value


def test_effects_add_up_and_stay_between() -> None:
    assert number([{"add": 2}, {"add": 3}], base=1) == 6
    assert number([{"add": 9}], between=[0, 5]) == 5
    assert number([{"add": -9}], between=[0, 5]) == 0
    assert number([{"add": 1.26}], digits=1) == 1.3


def test_jitter_moves_by_no_more_than_its_share_and_differs_from_turn_to_turn() -> None:
    definition = defined(metrics={"m": {"base": 100, "jitter": 0.05}})
    found = [numbers(definition, replace(MOMENT, turn=turn))["m"] for turn in range(500)]
    assert all(95 <= each <= 105 for each in found)
    assert len(set(found)) > 400
    assert abs(sum(found) / len(found) - 100) < 0.5


def test_a_forced_number_is_taken_on_by_what_follows_from_it() -> None:
    definition = defined(metrics={"p95": {"base": 100}, "p99": {"effects": [{"add": 1.5, "metric": "p95"}]}})
    forced = replace(MOMENT, faults=Faults(numbers={"p95": 4000.0}))
    assert numbers(definition, forced) == {"p95": 4000.0, "p99": 6000.0}


@pytest.mark.parametrize("share", [0, 0.004, 0.1, 1 / 3, 0.5, 1])
def test_a_share_is_kept_over_many_turns(share: float) -> None:
    assert abs(sum(falls_on(turn, share) for turn in range(1000)) - 1000 * share) <= 1


def test_percentages_are_read_as_they_are_meant() -> None:
    flags = {"SHARE": 0.05}
    assert percentage(defined(percent={"name": "SHARE", "as": "fraction"}), flags) == 5
    assert percentage(defined(percent="SHARE"), {"SHARE": 250}) == 100
    assert percentage(defined(percent="SHARE"), {"SHARE": -3}) == 0
    assert percentage(defined(), {}) == 100


def test_flags_have_types_and_defaults() -> None:
    definition = defined()
    assert read_flags(definition, {"ON": "0", "HOPS": "2", "MODE": "x y", "SHARE": "0.050"}) == {
        "ON": False,
        "HOPS": 2,
        "MODE": "x y",
        "SHARE": 0.05,
    }
    assert read_flags(definition, {}) == MOMENT.flags
    for wrong in ({"ON": "maybe"}, {"HOPS": "2.5"}, {"SHARE": "nan"}, {"SHARE": "1e999"}, {"HOPS": ""}):
        with pytest.raises(SandboxTrouble):
            read_flags(definition, wrong)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("  export A = 1  # why", "1"),
        ("A='1 # not a comment' # why", "1 # not a comment"),
        ('A="say \\"1\\"\\n"', 'say "1"\n'),
        ("A=a#b", "a#b"),
        ("A=", ""),
        ("A= # nothing", ""),
        ("\ufeffA=1\r\n", "1"),
        ("A=1\nA=2\n", "2"),
        ("#A=1\nA=3", "3"),
        ("A=${B}", "${B}"),
        ("nonsense\n=1\nA=4", "4"),
    ],
)
def test_an_env_file_is_read_as_a_service_would(line: str, value: str) -> None:
    assert read_env(line)["A"] == value
