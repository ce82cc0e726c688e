"""One step up: what is written before what, what a failure leaves behind, and who is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbook.judge.verdicts import Verdict
from runbook.rollout.lock import service_locked
from runbook.rollout.ramp import carry_out, propose
from runbook.rollout.underway import underway
from runbook.store.base import StoreAway
from runbook.store.sqlite import open_sqlite
from runbook.system.refusals import Exit, Refusal
from tests.rollout.site import ENV, PLAYBOOK, STAGES, Heard, House, make_house, open_house


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path)


@pytest.fixture
def quick(tmp_path: Path) -> House:
    """The same, with a verify that gives up soon."""
    return make_house(tmp_path, (PLAYBOOK + STAGES).replace("verify_within: 5s", "verify_within: 600ms"))


def refusal(house: House, target: str | None) -> Refusal:
    with pytest.raises(Refusal) as refused:
        house.propose(target)
    return refused.value


def test_a_step_edits_only_the_values_redeploys_verifies_and_says_where_we_are(house: House) -> None:
    ended = house.ramp()
    assert (ended.outcome, ended.exit, ended.message) == ("done", Exit.GO, "checkout is at canary@5")
    expected = ENV.replace('"false"', '"true"').replace("LIMIT=0", "LIMIT=3").replace("\nPERCENT=0", "\nPERCENT=5")
    assert house.env() == expected
    assert house.file("live.env").read_text() == expected
    assert [(title, mark) for title, mark, _ in house.heard.steps] == [
        ("flags", "ok"),
        ("redeploy", "ok"),
        ("verify", "ok"),
    ]
    assert house.kinds() == ["operation.started", "rollout.started", "position.entered", "operation.ended"]
    position = house.standing().position
    assert position is not None
    assert (position.since, position.boot, position.boot_time) == (house.clock.now, "boot-a", 50_000.0)
    assert (position.verified, position.flags) == (True, {"NEW_CART": "true", "LIMIT": "3", "PERCENT": "5"})
    assert house.journals() == []


def test_kit_journal_and_event_are_there_before_the_first_change(house: House) -> None:
    """The redeploy, which runs after the flags, sees all three."""
    house.file("deploy.sh").write_text("cp -r .runbook seen; cp .env live.env")
    house.ramp()
    kit = json.loads(next(house.file("seen").glob("kit/*.json")).read_text())
    assert (kit["position"], kit["service"], kit["environment"]) == ("off@0", "checkout", "production")
    lines = next(house.file("seen").glob("journal/*/*.jsonl")).read_text().splitlines()
    told = [json.loads(line) for line in lines]
    states = [entry["state"] for entry in told if entry.get("step") is not None]
    assert states[:3] == ["begun", "done", "begun"]  # the child may be faster than the note that it was started
    assert states[3:] in ([], ["started"])
    begun = next(entry for entry in told if entry.get("state") == "begun")
    assert [(change["key"], change["old"]) for change in begun["changes"]] == [
        ("NEW_CART", "false"),
        ("LIMIT", "0"),
        ("PERCENT", "0"),
    ]
    store = open_sqlite(house.file("seen") / "state.db", clock=house.clock)
    assert [record.event.kind for record in store.events(house.site.chain)] == ["operation.started"]
    store.close()


def test_the_percentage_is_written_last_going_up_and_first_going_down(house: House) -> None:
    up = house.propose().plan.records()[0].changes
    assert [change.key for change in up][-1] == "PERCENT"
    house.stand_at("canary@5")
    down = house.rollback()
    assert down.outcome == "done"
    started = [record for record in house.store.events(house.site.chain) if record.event.kind == "operation.started"]
    changes = started[-1].event.payload["header"]["steps"][0]["changes"]
    assert changes[0]["key"] == "PERCENT"


def test_a_failing_redeploy_restores_every_byte_and_deploys_the_old_values(house: House) -> None:
    house.file("deploy.sh").write_text("cp .env live.env; grep -q PERCENT=0 .env")
    ended = house.ramp()
    assert (ended.outcome, ended.exit) == ("undone", Exit.FAILED)
    assert "redeploy: exit 1" in ended.message
    assert "checkout is at off@0, as before" in ended.message
    assert house.env() == ENV == house.file("live.env").read_text()
    assert (house.at(), house.journals()) == ("", [])
    assert house.kinds() == ["operation.started", "operation.ended"]


def test_a_verify_that_does_not_hold_is_undone_and_the_bake_runs_on(quick: House) -> None:
    quick.stand_at("canary@5")
    before, since = quick.env(), quick.clock.now
    quick.clock.pass_time(7200)
    quick.file("deploy.sh").write_text("test -e once && cp .env live.env; touch once")
    ended = quick.ramp()
    assert (ended.outcome, ended.exit) == ("undone", Exit.FAILED)
    assert quick.env() == before
    position = quick.standing().position
    assert position is not None
    assert (position.name, position.since) == ("canary@5", since)


def test_where_the_undo_does_not_verify_it_stands_half_done(quick: House) -> None:
    quick.file("deploy.sh").write_text("echo > live.env; exit 1")
    ended = quick.ramp()
    assert (ended.outcome, ended.exit) == ("half-done", Exit.FAILED)
    assert quick.env() == ENV
    found = underway(quick.again().site)
    assert found is not None
    refused = refusal(quick, None)
    assert refused.exit in (Exit.FAILED, Exit.BUSY)


def test_an_undo_lets_alone_what_somebody_else_wrote_meanwhile(house: House) -> None:
    house.file("deploy.sh").write_text("sed -i s/LIMIT=3/LIMIT=77/ .env; cp .env live.env; grep -q PERCENT=0 .env")
    ended = house.ramp()
    assert house.flags() == {"NEW_CART": "false", "LIMIT": "77", "PERCENT": "0"}
    assert "LIMIT in .env is 77 by somebody else's hand, and was left" in ended.message


def test_a_missing_key_is_appended_and_its_undo_removes_it(tmp_path: Path) -> None:
    env = "PERCENT=0\nNEW_CART=false"
    house = make_house(tmp_path, env=env)
    assert house.standing().position is None
    assert house.propose().to.name == "off@0"
    house.file("deploy.sh").write_text("cp .env live.env; ! grep -q LIMIT .env")
    assert house.ramp().outcome == "undone"
    assert house.env() == env
    house.file("deploy.sh").write_text("cp .env live.env")
    assert house.ramp().outcome == "done"
    assert house.flags() == {"NEW_CART": "false", "LIMIT": "0", "PERCENT": "0"}


def test_the_next_rung_or_refused(house: House) -> None:
    house.stand_at("canary@5")
    assert house.propose(None).to.name == "canary@10"
    assert house.propose("10").to.name == "canary@10"
    for target, said, step in (
        ("100", "full@100 is not the next step: we are at canary@5", "runbook ramp 10"),
        ("canary", "already at canary@5", "runbook status"),
        ("0", "we are at canary@5", "runbook rollback --to off@0"),
        ("33", "there is no step '33' on the ladder (off@0 >", "runbook status"),
    ):
        refused = refusal(house, target)
        assert said in refused.message
        assert step in refused.next_steps[0]
    house.stand_at("full@100")
    assert "top of its ladder" in refusal(house, None).message


def test_a_dry_run_changes_and_keeps_nothing(house: House) -> None:
    house.stand_at("canary@5")
    before = {
        path: path.read_bytes() for path in house.folder.rglob("*") if path.is_file() and "state" not in path.name
    }
    kinds = house.kinds()
    made = propose(house.site, None, deadline=10.0, dry_run=True)
    assert made.decision.verdict is Verdict.NO_GO
    assert [record.kind for record in made.plan.records()] == ["set", "redeploy", "verify"]
    after = {path: path.read_bytes() for path in house.folder.rglob("*") if path.is_file() and "state" not in path.name}
    assert after == before
    assert house.kinds() == kinds
    assert house.store.samples(house.site.chain, "error_rate", 0.0) == []


def test_while_somebody_works_others_are_told_who(house: House) -> None:
    other = house.again()
    proposal = other.propose()
    with service_locked(house.site, "op-1", "ramp") as lock:
        lock.fence("step 2 of 3, redeploy")
        with pytest.raises(Refusal) as refused:
            carry_out(other.site, proposal, other.heard)
    assert refused.value.exit is Exit.BUSY
    assert "ana on " in refused.value.message
    assert "step 2 of 3, redeploy" in refused.value.message
    assert other.env() == ENV


def test_what_changed_since_the_look_is_seen_under_the_lock(house: House) -> None:
    house.stand_at("canary@5")
    proposal = house.propose()
    house.clock.pass_time(1)
    house.again().stand_at("canary@10")
    with pytest.raises(Refusal, match="somebody moved the service") as refused:
        carry_out(house.site, proposal, house.heard)
    assert refused.value.exit is Exit.NO_GO
    assert house.deploys() == 0


def test_without_a_store_no_ramp_begins_and_nothing_is_left(house: House) -> None:
    away = open_house(house.folder, house.clock, store=False)
    with pytest.raises(Refusal, match="the store is away") as refused:
        away.propose()
    assert refused.value.exit is Exit.FAILED
    assert (away.env(), away.journals(), away.deploys()) == (ENV, [], 0)


def test_a_store_that_goes_away_in_the_middle_stops_nothing(house: House) -> None:
    class Gone(Heard):
        def begun(self, record: object) -> None:
            if house.site.store is not None:
                house.site.lose_store(StoreAway("its disk is gone"))

    assert carry_out(house.site, house.propose(), Gone()).outcome == "done"
    assert house.flags()["PERCENT"] == "5"
    later = house.again()
    from runbook.store.spool import Spool

    Spool(later.site.state_folder / "spool").forward(later.store)
    assert later.at() == "canary@5"
    assert later.site.state().rollout == 1
    assert later.site.state().operation is None


def test_without_verify_it_is_said_that_nothing_was_verified(tmp_path: Path) -> None:
    text = PLAYBOOK[: PLAYBOOK.index("verify:\n")] + STAGES
    house = make_house(tmp_path, text)
    assert house.ramp().message == "checkout is at canary@5 (not verified)"
    position = house.standing().position
    assert position is not None
    assert position.verified is None


def test_as_fraction_writes_the_decimals_that_the_file_has(tmp_path: Path) -> None:
    text = (PLAYBOOK + STAGES).replace("percent: PERCENT", "percent: {name: PERCENT, as: fraction}")
    house = make_house(tmp_path, text, env=ENV.replace("\nPERCENT=0", "\nPERCENT=0.00"))
    assert house.ramp().outcome == "done"
    assert house.flags()["PERCENT"] == "0.05"
    assert house.standing().drift == ()
    assert house.ramp().outcome == "done"
    assert house.flags()["PERCENT"] == "0.10"
