"""The ladder: its rungs, the way up and down, and the flags that belong to each rung."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.playbook.model import Bake, Flags, Playbook, Rung, Stage
from runbook.rollout.ladder import (
    above,
    below,
    flags_at,
    is_below,
    ladder,
    named_rungs,
    percent_shown,
    percent_text,
    rung_at,
    rung_off,
    same_value,
)
from runbook.store.state import Position
from runbook.system.refusals import Refusal

FLAGS = Flags(percent="PERCENT", safe={"PERCENT": "0", "HOPS": "0", "REASON": "false"})
PLAYBOOK = Playbook(
    service="checkout",
    path="checkout.yaml",
    flags=FLAGS,
    stages=(
        Stage(name="off", rungs=(Rung(percent=0.0),)),
        Stage(
            name="canary",
            rungs=(Rung(percent=5.0), Rung(percent=10.0, bake=Bake(at_least=60.0))),
            set={"REASON": "true", "HOPS": "1"},
            bake=Bake(at_least=3600.0),
        ),
        Stage(name="full", rungs=(Rung(percent=50.0), Rung(percent=100.0)), set={"HOPS": "2"}),
        Stage(name="two-hops", rungs=(Rung(percent=10.0), Rung(percent=100.0)), set={"REASON": "false"}, again=True),
    ),
)
RUNGS = ladder(PLAYBOOK)
NAMES = ["off@0", "canary@5", "canary@10", "full@50", "full@100", "two-hops@10", "two-hops@100"]


def at(name: str) -> Position:
    stage, _, percent = name.partition("@")
    return Position(stage=stage, percent=float(percent), since=0.0)


def name_of(rung: object) -> str | None:
    return getattr(rung, "name", None)


def test_the_rungs_stand_in_the_order_of_the_stages() -> None:
    assert [rung.name for rung in RUNGS] == NAMES
    assert [rung.index for rung in RUNGS] == list(range(7))
    assert [rung.first_of_stage for rung in RUNGS] == [True, True, False, True, False, True, False]
    assert [rung.last_of_stage for rung in RUNGS] == [True, False, True, False, True, False, True]
    assert ladder(Playbook(service="ops", path="ops.yaml")) == ()


def test_a_rung_bakes_as_itself_says_else_as_its_stage_says() -> None:
    assert [rung.bake and rung.bake.at_least for rung in RUNGS[:4]] == [None, 3600.0, 60.0, None]


@pytest.mark.parametrize(
    ("here", "up", "down"),
    [
        (None, "off@0", None),
        ("off@0", "canary@5", None),
        ("canary@5", "canary@10", "off@0"),
        ("full@100", "two-hops@10", "full@50"),
        ("two-hops@10", "two-hops@100", "full@100"),
        ("two-hops@100", None, "two-hops@10"),
        # Off the ladder: the first rung above, the nearest one below.
        ("canary@2.5", "canary@5", "off@0"),
        ("canary@7", "canary@10", "canary@5"),
        ("canary@40", "full@50", "canary@10"),
        ("full@25", "full@50", "canary@10"),
        ("full@75", "full@100", "full@50"),
        ("off@3", "canary@5", "off@0"),
        ("two-hops@50", "two-hops@100", "two-hops@10"),
        ("full@10", "full@50", "canary@10"),
        ("full@3", "full@50", "off@0"),
        ("two-hops@5", "two-hops@10", "full@100"),
    ],
)
def test_the_next_rung_up_and_down(here: str | None, up: str | None, down: str | None) -> None:
    assert name_of(above(RUNGS, at(here) if here else None)) == up
    if here is not None:
        assert name_of(below(RUNGS, at(here))) == down


def test_an_empty_ladder_leads_nowhere() -> None:
    assert above((), None) is None
    assert above((), at("off@0")) is None
    assert below((), at("off@0")) is None


@st.composite
def playbooks(draw: st.DrawFn) -> Playbook:
    """Stages with rising percentages; one that begins lower than the stage before is a second ramp."""
    percents = st.lists(st.integers(0, 1000).map(lambda tenths: tenths / 10), min_size=1, max_size=4, unique=True)
    stages: list[Stage] = []
    for number in range(draw(st.integers(1, 5))):
        rungs = tuple(Rung(percent=percent) for percent in sorted(draw(percents)))
        again = bool(stages) and rungs[0].percent < stages[-1].rungs[-1].percent
        stages.append(Stage(name=f"s{number}", rungs=rungs, again=again))
    return Playbook(service="checkout", path="checkout.yaml", flags=FLAGS, stages=tuple(stages))


@given(playbooks(), st.data())
def test_up_from_below_is_where_we_were(playbook: Playbook, data: st.DataObject) -> None:
    rungs = ladder(playbook)
    rung = data.draw(st.sampled_from(rungs))
    lower = below(rungs, at(rung.name))
    if rung.index == 0:
        assert lower is None
    else:
        assert lower == rungs[rung.index - 1]
        assert above(rungs, at(lower.name)) == rung
    higher = above(rungs, at(rung.name))
    if higher is not None:
        assert below(rungs, at(higher.name)) == rung


@given(playbooks(), st.floats(0, 100), st.data())
def test_off_the_ladder_down_is_lower_and_up_is_not_behind(
    playbook: Playbook, percent: float, data: st.DataObject
) -> None:
    rungs = ladder(playbook)
    stage = data.draw(st.sampled_from(playbook.stages)).name
    position = Position(stage=stage, percent=percent, since=0.0)
    if rung_at(rungs, stage, percent) is not None:
        return
    lower, higher = below(rungs, position), above(rungs, position)
    first = next(rung.index for rung in rungs if rung.stage.name == stage)
    here = rung_off(rungs, stage, percent)
    assert here.off and (here.name, here.stage.name) == (f"{stage}@{percent:g}", stage)
    if lower is not None:
        assert is_below(rungs, lower, here) and (lower.percent <= percent or lower.index < first)
        between = [rung for rung in rungs if lower.index < rung.index < here.index]
        assert not any(is_below(rungs, rung, here) and rung.percent <= percent for rung in between)
    assert higher is None or higher.index == here.index
    assert higher is None or (higher.index >= first and (higher.stage.name != stage or higher.percent > percent))
    if lower is not None and higher is not None:
        assert lower.index < higher.index
        assert lower.order < here.order < higher.order


@pytest.mark.parametrize(
    ("one", "other", "below_it"),
    [
        ("full@25", "full@50", True),
        ("full@25", "canary@10", False),
        ("canary@10", "full@25", True),
        ("canary@10", "full@5", False),
        ("full@10", "full@25", True),
        ("full@25", "full@10", False),
        ("full@100", "two-hops@10", True),
        ("two-hops@50", "full@100", False),
        ("full@50", "full@50", False),
    ],
)
def test_steps_on_and_off_the_ladder_are_compared(one: str, other: str, below_it: bool) -> None:
    rungs = [rung_off(RUNGS, at(name).stage, at(name).percent) for name in (one, other)]
    assert is_below(RUNGS, rungs[0], rungs[1]) is below_it


def test_off_the_ladder_the_flags_and_the_bake_are_those_of_the_stage() -> None:
    between = rung_off(RUNGS, "canary", 7.0)
    assert flags_at(PLAYBOOK, between) == {"HOPS": "1", "REASON": "true", "PERCENT": "7"}
    assert between.bake is not None and between.bake.at_least == 60.0, "as the rung above"
    assert rung_off(RUNGS, "canary", 5.0) == RUNGS[1]
    assert (rung_off(RUNGS, "canary", 40.0).last_of_stage, between.last_of_stage) == (True, False)
    with pytest.raises(KeyError):
        rung_off(RUNGS, "gone", 5.0)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("10", ["canary@10", "two-hops@10"]),
        ("10%", ["canary@10", "two-hops@10"]),
        ("10.0", ["canary@10", "two-hops@10"]),
        ("0", ["off@0"]),
        ("canary", ["canary@5"]),
        ("two-hops", ["two-hops@10"]),
        ("full@100", ["full@100"]),
        ("full@100%", ["full@100"]),
    ],
)
def test_rungs_by_percentage_stage_or_both(text: str, names: list[str]) -> None:
    assert [rung.name for rung in named_rungs(RUNGS, text)] == names


@pytest.mark.parametrize(
    "text", ["25", "canary@50", "canry", "", "@", "@10", "canary@", "nan", "inf", "-5", "1000", "a@b@10"]
)
def test_a_name_that_is_no_rung_is_refused_with_the_ladder(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        named_rungs(RUNGS, text)
    assert "off@0 > canary@5 > canary@10" in refused.value.message


def test_a_misspelt_stage_is_guessed() -> None:
    with pytest.raises(Refusal, match="canary"):
        named_rungs(RUNGS, "canry")


def test_the_state_of_a_rung_is_safe_overlaid_by_every_stage_up_to_it() -> None:
    states = {rung.name: flags_at(PLAYBOOK, rung) for rung in RUNGS}
    assert states["off@0"] == {"HOPS": "0", "REASON": "false", "PERCENT": "0"}
    assert states["canary@5"] == {"HOPS": "1", "REASON": "true", "PERCENT": "5"}
    assert states["full@100"] == {"HOPS": "2", "REASON": "true", "PERCENT": "100"}
    assert states["two-hops@10"] == {"HOPS": "2", "REASON": "false", "PERCENT": "10"}


def test_going_up_the_percentage_is_written_last() -> None:
    assert [list(flags_at(PLAYBOOK, rung))[-1] for rung in RUNGS] == ["PERCENT"] * 7


def test_without_flags_a_rung_sets_nothing() -> None:
    bare = Playbook(service="ops", path="ops.yaml", stages=PLAYBOOK.stages)
    assert flags_at(bare, ladder(bare)[1]) == {}


@pytest.mark.parametrize(
    ("percent", "present", "text"),
    [
        (10.0, None, "0.1"),
        (10.0, "0.05", "0.10"),
        (10.0, "0.0500", "0.1000"),
        (5.0, "0.1", "0.05"),
        (5.0, "0", "0.05"),
        (0.0, "0.10", "0.00"),
        (0.0, "1", "0"),
        (100.0, "0", "1"),
        (100.0, "0.05", "1.00"),
        (100.0, None, "1"),
        (2.5, "0.1", "0.025"),
        (0.1, "0.25", "0.001"),
    ],
)
def test_a_fraction_keeps_the_number_of_decimals_found(percent: float, present: str | None, text: str) -> None:
    assert percent_text(Flags(percent="PERCENT", fraction=True), percent, present) == text


@given(st.integers(0, 10_000), st.integers(0, 6))
def test_a_fraction_never_loses_a_digit(hundredths: int, decimals: int) -> None:
    percent = hundredths / 100
    present = f"{0.5:.{decimals}f}"
    text = percent_text(Flags(percent="PERCENT", fraction=True), percent, present)
    assert round(float(text) * 100, 6) == percent
    assert len(text.partition(".")[2]) >= decimals


@given(st.integers(0, 10_000), st.booleans())
def test_the_percentage_that_is_written_is_the_one_that_is_read(hundredths: int, fraction: bool) -> None:
    flags = Flags(percent="PERCENT", fraction=fraction)
    assert percent_shown(flags, percent_text(flags, hundredths / 100, None)) == hundredths / 100


@pytest.mark.parametrize("text", [None, "", "many", "nan", "-1", "101", "inf"])
def test_what_is_no_percentage_is_none(text: str | None) -> None:
    assert percent_shown(FLAGS, text) is None


def test_a_percentage_is_written_without_needless_decimals() -> None:
    assert [percent_text(FLAGS, value, "0.00") for value in (0.0, 10.0, 2.5, 100.0)] == ["0", "10", "2.5", "100"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("true", "True", True),
        ("FALSE", "false", True),
        ("10", "10.0", True),
        ("0.10", "0.1", True),
        ("canary", "Canary", False),
        ("true", "1", False),
        ("", "0", False),
        (None, None, True),
        (None, "", False),
        ("nan", "nan", True),
        ("yes", "true", False),
    ],
)
def test_values_that_mean_the_same(one: str | None, other: str | None, same: bool) -> None:
    assert same_value(one, other) is same
    assert same_value(other, one) is same
