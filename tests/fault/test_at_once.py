"""Several at once: one works, the others are told; who was overtaken touches nothing more; an edit by hand is kept."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.fault import acceptance
from tests.fault.calls import Call, delayed, first, stopped
from tests.fault.practice import SHOWN, Practice, Ran, copy, ended, until
from tests.fault.scenarios import EMERGENCY, RAMP

PATIENCE = 15.0  # seconds that an emergency may take, whoever stands in its way
OVERTAKEN = (5, 143, -9, -15)  # told so by its journal, or ended by the emergency


def run(practice: Practice, *argv: str, **more: str) -> Ran:
    return practice.run(*argv, **more)


def restarts(practice: Practice) -> int:
    return len(practice.restarts.read_text().splitlines()) if practice.restarts.exists() else 0


def operations(practice: Practice) -> list[str]:
    """What was begun, in order, by its kind."""
    events = acceptance.document(practice.run("history", "-f", "json"))["events"]
    return [event["payload"]["kind"] for event in events if event["kind"] == "operation.started"]


@pytest.mark.parametrize("rounds", [6, pytest.param(50, marks=pytest.mark.fault)])
def test_two_ramps_at_once(project_at: Callable[[str], Practice], rounds: int) -> None:
    practice = project_at("tasters@10")
    told: Counter[int | None] = Counter()
    for _ in range(rounds):
        practice.restarts.unlink(missing_ok=True)
        both = [practice.start(*RAMP, RESTART_LOG=str(practice.restarts)) for _ in range(2)]
        codes = sorted([ended(one).code or 0 for one in both])
        assert codes in ([0, 5], [0, 1]), codes
        told[codes[1]] += 1
        assert restarts(practice) == 1
        assert practice.flags.read_bytes() == practice.running.read_bytes() == SHOWN["tables@50"]
        practice.went("rollback", "--to", "10", "--yes")
    assert acceptance.settled(run, practice, "tasters@10") == []
    assert operations(practice).count("ramp") == rounds + 1
    print(f"the second was told: {dict(told)}")


def test_the_second_is_told_who_is_at_work(project_at: Callable[[str], Practice]) -> None:
    practice = project_at("tasters@10")
    first = practice.start(*RAMP, RESTART_TAKES="2", RESTART_LOG=str(practice.restarts), RUNBOOK_OPERATOR="mila")
    until(practice.restarts.exists, "the first one redeploys")
    second = practice.run(*RAMP)
    assert second.code == 5, second
    assert "mila" in second.said
    assert "--wait" in second.said
    back = practice.run("rollback", "--to", "0", "--yes")
    assert back.code == 5, back
    assert ended(first).code == 0
    assert acceptance.settled(run, practice, "tables@50") == []


def test_eight_emergencies_at_once(project_at: Callable[[str], Practice]) -> None:
    practice = project_at("tables@50")
    slowly = {"RESTART_TAKES": "4", "RESTART_LOG": str(practice.restarts)}
    several = [practice.start(*EMERGENCY, **slowly) for _ in range(8)]
    ran = [ended(one) for one in several]
    assert [one.code for one in ran] == [0] * 8, [str(one) for one in ran if one.code]
    assert restarts(practice) == 1
    assert operations(practice).count("emergency") == 1
    assert acceptance.settled(run, practice, "dark@0") == []


def freeze(practice: Practice, call: Call) -> Ran:
    """A ramp that stands still at a call while an emergency comes and goes, and then goes on."""
    slowly = {"RESTART_LOG": str(practice.restarts)}
    with stopped(practice, call, *RAMP, **slowly) as ramp:
        began = time.monotonic()
        taken = practice.run(*EMERGENCY)
        assert taken.code == 0, f"{call}: {taken}"
        assert time.monotonic() - began < PATIENCE
        assert practice.flags.read_bytes() == SHOWN["dark@0"], f"{call}: the emergency did not set the flags"
        before = restarts(practice)
    ran = ended(ramp)
    assert practice.flags.read_bytes() == SHOWN["dark@0"], f"{call}: the ramp wrote after it was taken over from: {ran}"
    assert restarts(practice) == before, f"{call}: the ramp redeployed after it was taken over from: {ran}"
    return ran


def frozen_at_each(made: Practice, practice: Practice, calls: list[Call]) -> None:
    wrong = []
    for call in calls:
        copy(made, practice.root)
        practice.restarts.unlink(missing_ok=True)
        ran = freeze(practice, call)
        if ran.code not in OVERTAKEN:
            wrong.append(f"{call}: the ramp ended with {ran}")
        wrong += [f"{call}: {one}" for one in acceptance.settled(run, practice, "dark@0")]
    assert wrong == [], "\n".join(wrong)


def effects(calls: list[Call]) -> list[Call]:
    """The calls between the journal's first step and its last: where something is being changed."""
    inside = [number for number, call in enumerate(calls) if call.place.endswith(("begun", "done"))]
    return [call for call in calls[inside[0] + 1 : inside[-1]] if call.name not in ("vfork", "clone3", "flock")]


@pytest.mark.needs("strace")
@pytest.mark.parametrize(
    "where", ["conf/menu.env", "conf/.menu.env.runbook-*", ".runbook/journal/menu-local/*.jsonl done"]
)
def test_a_ramp_that_slept_through_an_emergency(
    made: Callable[[str], Practice], project_at: Callable[[str], Practice], ramp_calls: list[Call], where: str
) -> None:
    frozen_at_each(made("tasters@10"), project_at("tasters@10"), [first(ramp_calls, where)])


@pytest.mark.needs("strace")
def test_a_ramp_that_slept_right_before_the_rename(
    project_at: Callable[[str], Practice], ramp_calls: list[Call]
) -> None:
    """It has compared the file with what it read, and nothing is looked at again before the new one is in its place."""
    practice = project_at("tasters@10")
    ramp = delayed(practice, first(ramp_calls, "conf/menu.env", "renameat"), 9.0, *RAMP)
    until(lambda: any(practice.flags.parent.glob(".menu.env.*")), "the ramp is about to rename")
    began = time.monotonic()
    taken = practice.run(*EMERGENCY)
    assert taken.code == 0, taken
    assert time.monotonic() - began < PATIENCE
    ran = ended(ramp)
    assert ran.code in OVERTAKEN, ran
    assert acceptance.settled(run, practice, "dark@0") == []


@pytest.mark.fault
@pytest.mark.needs("strace")
def test_a_ramp_that_slept_anywhere(
    made: Callable[[str], Practice], project_at: Callable[[str], Practice], ramp_calls: list[Call]
) -> None:
    frozen_at_each(made("tasters@10"), project_at("tasters@10"), effects(ramp_calls))


BY_HAND = SHOWN["tasters@10"].replace(b'"de fr"', b'"de fr it"')


@pytest.mark.needs("strace")
@pytest.mark.parametrize("name", ["openat", "fsync"])
def test_an_edit_between_reading_and_writing_is_kept(
    project_at: Callable[[str], Practice], ramp_calls: list[Call], name: str
) -> None:
    practice = project_at("tasters@10")
    with stopped(practice, first(ramp_calls, "conf/.menu.env.runbook-*", name), *RAMP) as ramp:
        practice.flags.write_bytes(BY_HAND)
    ran = ended(ramp)
    assert ran.code == 4, ran
    assert "changed by somebody else" in ran.said
    assert practice.flags.read_bytes() == BY_HAND
    assert acceptance.left_behind(practice) == []
    assert not acceptance.is_cut_off(acceptance.document(practice.run("status", "-f", "json")))


@pytest.mark.needs("strace")
def test_an_edit_after_the_plan_goes_into_the_step(
    project_at: Callable[[str], Practice], ramp_calls: list[Call]
) -> None:
    """The plan is made again under the lock: what somebody wrote elsewhere in the file meanwhile stays."""
    practice = project_at("tasters@10")
    with stopped(practice, first(ramp_calls, ".runbook/locks/menu-local.lock", "flock"), *RAMP) as ramp:
        practice.flags.write_bytes(BY_HAND)
    assert ended(ramp).code == 0
    assert practice.flags.read_bytes() == BY_HAND.replace(b"= 10", b"= 50")
