"""Where we stand: the events held against what the flag file shows, sentence by sentence of the language."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from runbook.checks.base import Check
from runbook.checks.people.sign import Sign
from runbook.playbook.model import Bake, Flags, Gate, Playbook, Rung, SignOff, Stage
from runbook.rollout.standing import Drift, Standing, shows_safe, standing_by_file, standing_of
from runbook.store.state import Position, State

SAFE = {"HOPS": "0", "REASON": "false", "PERCENT": "0"}
OFF = Stage(name="off", rungs=(Rung(percent=0.0),))
CANARY = Stage(name="canary", rungs=(Rung(percent=5.0), Rung(percent=10.0)), set={"HOPS": "1"})
PLAYBOOK = Playbook(service="checkout", path="p.yaml", flags=Flags(percent="PERCENT", safe=SAFE), stages=(OFF, CANARY))


def with_first(stage: Stage) -> Playbook:
    return msgspec.structs.replace(PLAYBOOK, stages=(stage, CANARY))


def entered(stage: str, percent: float, flags: Mapping[str, str]) -> State:
    return State(position=Position(stage=stage, percent=percent, since=5.0, flags=dict(flags)))


def shown_next(standing: Standing) -> str | None:
    return standing.next.name if standing.next else None


def test_a_first_stage_that_asks_nothing_counts_as_entered_when_the_file_shows_its_values() -> None:
    standing = standing_of(PLAYBOOK, State(), SAFE)
    assert standing.position is not None
    assert (standing.position.name, standing.position.how, standing.entered) == ("off@0", "file", False)
    assert shown_next(standing) == "canary@5"


@pytest.mark.parametrize(
    "asks",
    [
        Stage(name="off", rungs=OFF.rungs, requires=("infrastructure",)),
        Stage(name="off", rungs=OFF.rungs, bake=Bake(at_least=60.0)),
        Stage(name="off", rungs=(Rung(percent=0.0, bake=Bake(at_least=60.0)),)),
        Stage(name="off", rungs=OFF.rungs, gates=(Gate(condition="error_rate < 1%"),)),
        Stage(name="off", rungs=OFF.rungs, sign=(SignOff(role="verified_by"),)),
        Stage(
            name="off",
            rungs=OFF.rungs,
            gates=(Gate(sign=Check(title="Seen", id="seen", kind="sign", options=Sign(sign=True))),),
        ),
    ],
    ids=["requires", "bake", "rung-bake", "gates", "sign", "manual-gate"],
)
def test_any_other_first_stage_is_entered_by_ramp(asks: Stage) -> None:
    standing = standing_of(with_first(asks), State(), SAFE)
    assert (standing.position, standing.entered, standing.drift) == (None, False, ())
    assert shown_next(standing) == "off@0"


def test_with_no_history_drift_is_measured_against_the_first_stage() -> None:
    standing = standing_of(PLAYBOOK, State(), {**SAFE, "HOPS": "3", "PERCENT": "25"})
    assert standing.position is None
    assert standing.drift == (Drift("HOPS", "0", "3", left=False), Drift("PERCENT", "0", "25", left=False))
    assert str(standing.drift[0]) == "HOPS is 3, the first stage has 0"
    assert shown_next(standing) == "off@0"


def test_a_missing_key_shows_nothing_and_the_first_stage_is_still_to_enter() -> None:
    standing = standing_of(PLAYBOOK, State(), {**SAFE, "HOPS": None})
    assert (standing.position, standing.drift, standing.missing) == (None, (), ("HOPS",))
    assert shown_next(standing) == "off@0"


def test_with_history_the_events_say_where_we_are() -> None:
    left = {"HOPS": "1", "REASON": "false", "PERCENT": "5"}
    standing = standing_of(PLAYBOOK, entered("canary", 5.0, left), left)
    assert standing.position is not None
    assert (standing.position.name, standing.entered, standing.drift) == ("canary@5", True, ())
    assert standing.rung is not None
    assert shown_next(standing) == "canary@10"


def test_drift_is_a_declared_key_that_is_not_as_the_last_operation_left_it() -> None:
    left = {"HOPS": "1", "REASON": "false", "PERCENT": "5"}
    standing = standing_of(PLAYBOOK, entered("canary", 5.0, left), {**left, "PERCENT": "50", "REASON": None})
    assert standing.drift == (Drift("PERCENT", "5", "50"),)
    assert standing.missing == ("REASON",)


def test_what_was_left_counts_and_not_what_the_stage_would_set() -> None:
    odd = {"HOPS": "7", "REASON": "true", "PERCENT": "5"}
    assert standing_of(PLAYBOOK, entered("canary", 5.0, odd), odd).drift == ()


@pytest.mark.parametrize("shown", [{"HOPS": "1.0", "REASON": "False", "PERCENT": "5.00"}, {"PERCENT": "5"}])
def test_the_same_value_written_otherwise_is_no_drift(shown: dict[str, str | None]) -> None:
    left = {"HOPS": "1", "REASON": "false", "PERCENT": "5"}
    assert standing_of(PLAYBOOK, entered("canary", 5.0, left), shown).drift == ()


def test_off_the_ladder_there_is_no_rung_but_a_next_one() -> None:
    standing = standing_of(PLAYBOOK, entered("canary", 7.0, {}), SAFE)
    assert standing.rung is None
    assert shown_next(standing) == "canary@10"


def test_a_stage_that_the_playbook_no_longer_has_leaves_us_off_the_ladder() -> None:
    standing = standing_of(PLAYBOOK, entered("gone", 10.0, {}), SAFE)
    assert standing.rung is None
    assert standing.position is not None


def test_a_playbook_without_stages_has_no_position() -> None:
    bare = msgspec.structs.replace(PLAYBOOK, stages=())
    standing = standing_of(bare, State(), SAFE)
    assert (standing.rungs, standing.position, standing.next, standing.drift) == ((), None, None, ())


AGAIN = Stage(name="more", rungs=(Rung(percent=5.0), Rung(percent=50.0)), again=True, set={"HOPS": "2"})
LADDER = msgspec.structs.replace(PLAYBOOK, stages=(*PLAYBOOK.stages, AGAIN))


@pytest.mark.parametrize(
    ("hops", "percent", "there"),
    [
        ("1", "5", "canary@5"),
        ("1", "7", "canary@7"),
        ("1", "2.5", "canary@2.5"),
        ("2", "5", "more@5"),
        ("2", "20", "more@20"),
        ("1", "60", None),
        ("2", "many", None),
        ("9", "5", None),
    ],
)
def test_the_file_alone_tells_the_step_also_off_the_ladder(hops: str, percent: str, there: str | None) -> None:
    standing = standing_by_file(LADDER, {**SAFE, **CANARY.set, "HOPS": hops, "PERCENT": percent})
    assert (standing.position.name if standing.position else None) == there
    assert standing.entered is False
    assert (standing.place.name if standing.place else None) == there


def test_of_two_steps_with_the_same_values_the_file_tells_the_highest() -> None:
    same = Stage(name="same", rungs=(Rung(percent=10.0),))
    standing = standing_by_file(with_top(same), {**SAFE, **CANARY.set, "PERCENT": "10"})
    assert standing.position is not None and standing.position.name == "same@10"


def with_top(stage: Stage) -> Playbook:
    return msgspec.structs.replace(PLAYBOOK, stages=(*PLAYBOOK.stages, stage))


def test_safe_is_shown_when_every_file_shows_what_the_way_back_sets() -> None:
    assert shows_safe({"PERCENT": "0", "HOPS": "0"}, [SAFE, {"PERCENT": "0.0", "HOPS": "0"}])
    assert not shows_safe({"PERCENT": "0"}, [SAFE, {"PERCENT": "5"}])
    assert not shows_safe({"PERCENT": "0"}, [{"PERCENT": None}])
    assert not shows_safe({"PERCENT": "0"}, [{}])


def test_keys_may_be_spread_over_several_files() -> None:
    way_back = {"PERCENT": "0", "HOPS": "0"}
    assert shows_safe(way_back, [{"PERCENT": "0"}, {"HOPS": "0"}])
    assert not shows_safe(way_back, [{"PERCENT": "0"}, {"HOPS": None}])
