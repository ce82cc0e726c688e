"""The emergency: back to the safe flags whatever else is broken, and true about what could not be done."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import msgspec
import pytest

from runbook.actions.journal import Entry, Journal
from runbook.actions.steps import StepRecord
from runbook.playbook.model import Playbook
from runbook.rollout.emergency import Alarm, emergency
from runbook.rollout.holds import hold, release
from runbook.rollout.operation import Ended
from runbook.rollout.ramp import carry_out
from runbook.store.spool import Spool
from runbook.system.processes import MARKER
from runbook.system.refusals import Exit
from tests.actions.making import header
from tests.rollout.site import ENV, PLAYBOOK, STAGES, Heard, House, make_house, open_house

SAFE = {"NEW_CART": "false", "LIMIT": "0", "PERCENT": "0"}


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = make_house(tmp_path)
    house.stand_at("canary@10")
    return house


def alarm(house: House, reason: str = "answers are wrong") -> Ended:
    house.site.forget_state()
    return emergency(house.site, house.heard, Alarm(reason=reason))


def forwarded(house: House) -> House:
    """A later command, after the store is back: what waited has been sent."""
    later = house.again()
    Spool(later.site.state_folder / "spool").forward(later.store)
    return later


def test_it_sets_redeploys_verifies_records_and_opens_an_incident(house: House) -> None:
    ended = alarm(house)
    assert (ended.outcome, ended.exit, ended.incident) == ("done", Exit.GO, 1)
    assert house.flags() == SAFE
    assert house.file("live.env").read_text() == house.env()
    assert house.at() == "off@0"
    state = house.site.state()
    assert (state.rollout, state.rollbacks, state.hold) == (None, 1, None)
    assert (state.incidents[1].severity, state.incidents[1].operations) == ("P0", [ended.operation])
    assert "answers are wrong" in state.incidents[1].title
    assert house.journals() == []


def test_a_file_that_shows_the_values_is_let_alone_and_deployed_all_the_same(house: House) -> None:
    alarm(house)
    deploys, before = house.deploys(), house.file(".env").stat()
    assert alarm(house).outcome == "done"
    after = house.file(".env").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert house.deploys() == deploys + 1


def test_it_goes_on_in_the_incident_that_is_open(house: House) -> None:
    first = alarm(house)
    house.stand_at("canary@5")
    second = alarm(house)
    assert (first.incident, second.incident) == (1, 1)
    assert house.site.state().incidents[1].operations == [first.operation, second.operation]


def test_drift_and_edits_by_hand_never_stop_it(house: House) -> None:
    house.file(".env").write_text("LIMIT=999\nPERCENT='x y'\nPERCENT=100\nOTHER=1\n")
    assert alarm(house).outcome == "done"
    assert house.env() == "LIMIT=0\nPERCENT='0'\nPERCENT=0\nOTHER=1\nNEW_CART=false\n"


def test_a_hold_does_not_stop_it(house: House) -> None:
    hold(house.site, reason="nobody touches this", until=None)
    assert alarm(house).outcome == "done"


def test_what_cannot_be_edited_exactly_is_written_over(house: House) -> None:
    house.file(".env").write_text('LIMIT="3\nPERCENT=10\nNEW_CART=true\n')
    assert alarm(house).outcome == "done"
    assert house.flags() == SAFE


@pytest.mark.parametrize("spoil", ["directory", "missing", "fifo"])
def test_a_flag_file_that_cannot_be_written_leaves_the_rest_done_and_the_lines_to_type(
    house: House, spoil: str
) -> None:
    env = house.file(".env")
    env.unlink()
    if spoil == "directory":
        env.mkdir()
    elif spoil == "fifo":
        os.mkfifo(env)
    house.file("deploy.sh").write_text("echo deployed >> deploys.log")
    house.site.playbook = _without_verify(house)
    ended = alarm(house)
    assert (ended.outcome, ended.exit) == ("half-done", Exit.FAILED)
    assert house.deploys() == 1
    assert "PERCENT=0" in " ".join(ended.by_hand)


def _without_verify(house: House) -> Playbook:
    return msgspec.structs.replace(house.site.playbook, verify=())


def test_one_of_two_files_that_fails_does_not_keep_the_other(tmp_path: Path) -> None:
    text = (PLAYBOOK + STAGES).replace("flags_in: {env: .env}", "flags_in: [{env: gone.env}, {env: .env}]")
    house = make_house(tmp_path, text, files={"gone.env": ENV})
    house.file(".env").write_text("PERCENT=50\nNEW_CART=true\nLIMIT=9\n")
    house.file("gone.env").unlink()
    ended = alarm(house)
    assert (ended.outcome, ended.exit) == ("half-done", Exit.FAILED)
    assert house.env() == "PERCENT=0\nNEW_CART=false\nLIMIT=0\n"
    assert "gone.env" in ended.message


def test_a_redeploy_that_fails_is_said_with_the_line_to_type(house: House) -> None:
    house.file("deploy.sh").write_text("cp .env live.env; exit 3")
    ended = alarm(house)
    assert (ended.outcome, ended.exit) == ("half-done", Exit.FAILED)
    assert "redeploy: exit 3" in ended.message
    assert "sh deploy.sh" in ended.by_hand
    assert house.flags() == SAFE
    house.file("deploy.sh").write_text("cp .env live.env")
    assert alarm(house).outcome == "done"
    assert house.journals() == []


def test_without_verify_it_is_done_and_says_not_verified(house: House) -> None:
    house.site.playbook = _without_verify(house)
    ended = alarm(house)
    assert (ended.exit, ended.outcome) == (Exit.GO, "done")
    assert "(not verified)" in ended.message


def test_a_step_that_is_not_critical_may_fail(tmp_path: Path) -> None:
    steps = "steps: [{do: Tell, run: exit 9, critical: false}, {do: Flush, run: echo flushed > flushed}]"
    house = make_house(tmp_path, PLAYBOOK + STAGES.replace("rollback: {", f"rollback: {{{steps}, "))
    house.stand_at("canary@10")
    ended = alarm(house)
    assert (ended.outcome, ended.exit) == ("done", Exit.GO)
    assert house.file("flushed").exists()


def test_a_step_whose_when_is_false_is_left_out(tmp_path: Path) -> None:
    steps = 'steps: [{do: Big, run: touch big, when: "percent > 90"}, {do: Any, run: touch any, when: "percent >= 0"}]'
    house = make_house(tmp_path, PLAYBOOK + STAGES.replace("rollback: {", f"rollback: {{{steps}, "))
    house.stand_at("canary@10")
    assert alarm(house).outcome == "done"
    assert (house.file("big").exists(), house.file("any").exists()) == (False, True)


def test_while_the_store_is_away_it_works_and_the_present_is_right_when_it_is_back(house: House) -> None:
    house.ramp_to("full@50")
    away = open_house(house.folder, house.clock, operator="cleo", store=False)
    away.clock.pass_time(60)
    ended = emergency(away.site, Heard(), Alarm(reason="no store"))
    assert (ended.outcome, ended.exit) == ("done", Exit.GO)
    assert away.flags() == SAFE
    later = forwarded(house)
    assert later.at() == "off@0"
    state = later.site.state()
    assert (state.rollout, state.operation, len(state.open_incidents())) == (None, None, 1)
    assert later.standing().drift == ()
    assert set(later.kinds()[-5:]) == {
        "operation.started",
        "position.entered",
        "rollout.ended",
        "incident.opened",
        "operation.ended",
    }


def test_what_is_sent_late_does_not_undo_what_came_after(house: House) -> None:
    away = open_house(house.folder, house.clock, store=False)
    emergency(away.site, Heard(), Alarm(reason="no store"))
    house.clock.pass_time(600)
    house.stand_at("canary@5")
    events = house.store.events(house.site.chain)
    last = events[-1].event
    house.site.record(house.site.event("position.entered", dict(last.payload), epoch=last.epoch + 50))
    later = forwarded(house)
    assert later.at() == "canary@5"
    assert len(later.site.state().incidents) == 1


def test_a_hold_and_a_release_count_however_late_they_come(house: House) -> None:
    house.ramp_to("full@50")
    away = open_house(house.folder, house.clock, store=False)
    hold(away.site, reason="legal", until=None)
    later = forwarded(house)
    held = later.site.state().hold
    assert held is not None
    assert held.reason == "legal"
    assert release(later.site, reason="settled") is not None
    assert later.site.state().hold is None


def test_it_takes_the_work_out_of_the_hands_of_a_ramp(house: House) -> None:
    class Alarmed(Heard):
        def begun(self, record: StepRecord) -> None:
            if record.kind == "redeploy":
                other = house.again()
                took.append(emergency(other.site, other.heard, Alarm(reason="stop it")))
                said.extend(other.heard.said)

    took: list[Ended] = []
    said: list[str] = []
    ended = carry_out(house.site, house.propose(), Alarmed())
    assert (ended.outcome, ended.exit) == ("taken-over", Exit.BUSY)
    assert took[0].outcome == "done"
    assert any("took over from ramp to full@50 by ana" in line for line in said)
    assert house.flags() == SAFE
    later = house.again()
    assert later.at() == "off@0"
    assert later.site.state().operation is None
    outcomes = [
        r.event.payload["outcome"] for r in later.store.events(later.site.chain) if r.event.kind == "operation.ended"
    ]
    assert sorted(outcomes) == ["done", "taken-over"]
    assert house.journals() == []


def test_it_ends_what_a_killed_operation_left_running(house: House) -> None:
    """The deploy of a killed ramp still sleeps; the emergency finds it by its mark and ends it."""
    left = subprocess.Popen(["sleep", "60"], env={MARKER: "op-1/0"})
    journal = Journal.begin(
        house.site.journals, house.site.slug, header(steps=[StepRecord(kind="redeploy", title="r")])
    )
    journal.note(Entry(state="begun", at=1.0, step=0))
    try:
        assert alarm(house).outcome == "done"
        assert left.wait(timeout=5) < 0
        assert any("ended 1 process of it" in line for line in house.heard.said)
    finally:
        left.kill()
        left.wait()
