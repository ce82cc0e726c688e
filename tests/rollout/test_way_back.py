"""The way back along the ladder, taking what is there as the start, and undoing last-in first-out."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.actions.journal import Entry
from runbook.actions.steps import Act, Plan, Redeploy, SetFlags, Verify
from runbook.rollout.adopt import adopt, propose_restore, restore
from runbook.rollout.holds import hold
from runbook.rollout.lock import service_locked
from runbook.rollout.operation import means_of
from runbook.rollout.rollback import carry_back, propose_back
from runbook.rollout.undo import undo
from runbook.system.refusals import Exit, Refusal
from tests.actions.making import action, journal_of, run
from tests.rollout.site import ENV, PLAYBOOK, STAGES, House, make_house

MORE = "  - {stage: second, percent: 100, set: {LIMIT: 12}}\nrollback:"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path, PLAYBOOK + STAGES.replace("rollback:", MORE))


@pytest.mark.parametrize(
    ("here", "target", "there"),
    [
        ("full@100", None, "full@50"),
        ("full@50", None, "canary@10"),
        ("canary@5", None, "off@0"),
        ("full@100", "10", "canary@10"),
        ("full@100", "canary", "canary@5"),
        ("full@100", "off@0", "off@0"),
        ("second@100", None, "full@100"),
        ("second@100", "full@100", "full@100"),
        ("second@100", "10", "canary@10"),
    ],
)
def test_one_step_back_or_to_the_nearest_rung_with_that_name(
    house: House, here: str, target: str | None, there: str
) -> None:
    house.stand_at(here)
    way = propose_back(house.site, target)
    assert way.to is not None
    assert way.to.name == there


@pytest.mark.parametrize(
    ("here", "target", "said"),
    [
        ("canary@10", "10", "already at canary@10"),
        ("canary@5", "50", "full@50 is not below canary@5"),
        ("canary@5", "33", "there is no step '33'"),
    ],
)
def test_what_is_not_below_is_refused(house: House, here: str, target: str, said: str) -> None:
    house.stand_at(here)
    with pytest.raises(Refusal, match=said):
        propose_back(house.site, target)


def test_on_the_first_step_there_is_nothing_to_do(house: House) -> None:
    for _ in range(2):
        way = propose_back(house.site, None)
        assert way.to is None
        assert "nothing to do" in way.message
        house.stand_at("off@0")


def test_down_ignores_bake_gates_holds_incidents_and_drift(house: House) -> None:
    house.stand_at("full@50")
    hold(house.site, reason="legal", until=None)
    house.site.record(house.site.event("incident.opened", {"id": 1, "title": "slow", "severity": "P0"}))
    house.numbers(error_rate=0.9)
    house.file(".env").write_text(house.env().replace("LIMIT=9", "LIMIT=77"))
    ended = house.rollback()
    assert (ended.outcome, ended.exit) == ("done", Exit.GO)
    assert (house.at(), house.flags()["LIMIT"]) == ("canary@10", "3")
    assert house.site.state().rollout == 1
    assert house.site.state().rollbacks == 1


def test_back_to_the_first_step_ends_the_rollout(house: House) -> None:
    house.stand_at("canary@5")
    assert house.rollback().outcome == "done"
    assert house.env() == ENV
    assert house.site.state().rollout is None


def test_a_failure_on_the_way_down_stays_down_and_is_half_done(house: House) -> None:
    house.stand_at("full@50")
    house.file("deploy.sh").write_text("cp .env live.env; exit 1")
    ended = house.rollback()
    assert (ended.outcome, ended.exit) == ("half-done", Exit.FAILED)
    assert house.flags()["PERCENT"] == "10"
    assert house.file("live.env").read_text() == house.env()
    assert "sh deploy.sh" in ended.by_hand


def test_what_could_not_be_written_changed_nothing(house: House) -> None:
    house.stand_at("full@50")
    way = propose_back(house.site, None)
    house.file(".env").write_text(house.env() + "LATER=1\n")
    before = house.env()
    ended = carry_back(house.site, way, house.heard)
    assert ended.exit is Exit.FAILED
    assert "changed by somebody else" in ended.message
    assert house.env() == before


def test_what_is_there_is_taken_as_the_start(house: House) -> None:
    house.file(".env").write_text(ENV.replace("\nPERCENT=0", "\nPERCENT=50").replace("LIMIT=0", "LIMIT=8"))
    assert adopt(house.site, "50", "it stood there before the tool came").name == "full@50"
    standing = house.standing()
    assert standing.position is not None
    assert (standing.position.name, standing.position.how, standing.drift) == ("full@50", "adopt", ())
    assert house.site.state().rollout == 1
    assert house.deploys() == 0


def test_a_name_of_two_rungs_has_to_be_said_whole(house: House) -> None:
    with pytest.raises(Refusal, match="may be full@100, second@100"):
        adopt(house.site, "100", "which")


def test_the_recorded_values_are_written_back_and_the_bake_runs_on(house: House) -> None:
    house.stand_at("canary@10")
    since, before = house.clock.now, house.env()
    house.clock.pass_time(500)
    house.file(".env").write_text(before.replace("PERCENT=10", "PERCENT=90"))
    ended = restore(house.site, propose_restore(house.site), house.heard, "somebody slipped")
    assert (ended.outcome, house.env()) == ("done", before)
    assert house.file("live.env").read_text() == before
    position = house.standing().position
    assert position is not None
    assert (position.since, house.standing().drift) == (since, ())
    assert propose_restore(house.site).plan is None


def test_undo_is_last_in_first_out_and_one_that_fails_does_not_stop_the_rest(house: House) -> None:
    """Two actions with an undo of their own, the flags, the redeploy: back in the other order, one redeploy last."""
    [file] = house.site.flag_files()
    prepared = file.prepare({"LIMIT": "5"})
    mark = "echo {} >> order.log"
    steps = (
        Act(run("true", title="one", undo=run(mark.format("one")))),
        SetFlags(file, prepared, {"LIMIT": "5"}),
        Act(run("true", title="two", undo=run("exit 4"))),
        Act(run("true", title="never begun", undo=run(mark.format("never")))),
        Act(run("true", title="three", undo=run(mark.format("three")))),
        Redeploy(action("command", command=("sh", "-c", "grep LIMIT .env >> order.log; cp .env live.env"))),
        Verify(house.site.playbook.verify, within=2.0),
    )
    plan = Plan("ramp", "off@0", "canary@5", steps)
    journal = journal_of(house.folder / "own", plan.records())
    file.apply(prepared)
    for number in (0, 1, 2, 4, 5):
        journal.note(Entry(state="done", at=1.0, step=number))
    with service_locked(house.site, "op-1", "ramp") as lock:
        undoing = undo(plan, journal, means_of(house.site, lock, "op-1", house.heard, {}))
    assert house.file("order.log").read_text().split() == ["three", "one", "LIMIT=0"]
    assert (undoing.over, undoing.by_hand) == (True, ["exit 4"])
    assert any("the undo of 'two' failed: exit 4" in line for line in undoing.said)
    assert [journal.state_of(number) for number in range(6)][:5] == ["undone", "undone", "left", "", "undone"]
    assert house.env() == ENV
