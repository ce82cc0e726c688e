"""Triggers as rows, what is kept of them between looks, how much of a bake was watched, and the answers of people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from runbook.checks.base import CheckResult
from runbook.judge.facts import Facts
from runbook.judge.rules import Advanced, RuleState
from runbook.judge.verdicts import Status, Verdict
from runbook.rollout.answers import KeptAnswers
from runbook.rollout.bake_rows import bake_of, watched_of
from runbook.rollout.facts import facts_of, service_down
from runbook.rollout.looking import Look
from runbook.rollout.rows import Row
from runbook.rollout.rules import KEPT, advance_rules, load_states, rules_of, tick_of, trigger_rows
from runbook.rollout.samples import interval_of, keep
from runbook.rollout.watch import act_on, look_once
from runbook.store.base import SampleRow
from runbook.store.state import SignedAnswer, State
from tests.rollout.site import PLAYBOOK, STAGES, House, make_house

HOUR = 3600.0
PRESENT = "  - {check: It answers, http: 'http://127.0.0.1:9/health'}\n"


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = make_house(tmp_path)
    house.stand_at("canary@5")
    return house


def watched_for(house: House, seconds: float, every: float = 60.0, value: float | None = 0.001) -> None:
    """Time passes, and somebody looks now and then."""
    end = house.clock.wall() + seconds
    while house.clock.wall() + every <= end:
        house.clock.pass_time(every)
        row = SampleRow(metric="error_rate", t=house.clock.wall(), value=value)
        house.store.keep_samples(house.site.chain, [row])
    house.clock.pass_time(end - house.clock.wall())


def facts(house: House) -> Facts:
    return facts_of(house.site, house.standing(), None)


def trigger(house: House) -> Row:
    return next(row for row in house.propose().decision.rows if row.kind == "trigger")


def test_a_quiet_a_pending_and_a_firing_trigger(house: House) -> None:
    assert (trigger(house).status, trigger(house).message) == (Status.PASS, "quiet")
    house.numbers(error_rate=0.09)
    house.clock.pass_time(60)
    first = trigger(house)
    assert (first.status, first.counts, first.title) == (Status.FAIL, True, "error_rate > 5% for 2m -> rollback")
    assert (first.message, first.remedy) == ("pending: for 0 s of 2 m", "")
    house.clock.pass_time(60)
    assert trigger(house).message == "pending: for 1 m of 2 m"
    house.clock.pass_time(60)
    fired = trigger(house)
    assert (fired.status, fired.counts) == (Status.FAIL, True)
    assert fired.message.startswith("firing")
    assert house.propose().decision.verdict is Verdict.NO_GO


def test_a_trigger_that_cannot_be_judged_is_unknown_and_not_quiet(house: House) -> None:
    house.file("numbers.json").unlink()
    row = trigger(house)
    assert row.status is Status.UNKNOWN
    assert row.reason is not None


def test_elapsed_time_survives_our_own_restart(house: House) -> None:
    house.numbers(error_rate=0.09)
    house.clock.pass_time(60)
    assert not look_once(house.site).fired
    for _ in range(2):
        house = house.again()
        house.clock.pass_time(60)
        tick = look_once(house.site)
    assert [one.rule.id for one in tick.fired] == ["canary/0"]


def test_a_dry_run_keeps_nothing_of_what_it_saw(house: House) -> None:
    advance_rules(house.site, house.standing(), facts(house), keep=False)
    assert house.store.get_note(house.site.chain, KEPT) is None
    advance_rules(house.site, house.standing(), facts(house))
    assert house.store.get_note(house.site.chain, KEPT) is not None


def test_another_position_begins_with_clocks_of_its_own(house: House) -> None:
    house.numbers(error_rate=0.09)
    look_once(house.site)
    assert load_states(house.site, house.standing())["canary/0"].trues == 1
    house.clock.pass_time(60)
    house.stand_at("canary@10")
    assert load_states(house.site, house.standing()) == {}


@pytest.mark.parametrize("kept", [b"", b"null", b"[]", b'{"entered": "x"}', b"\xff\x00"])
def test_kept_states_that_cannot_be_read_are_none(house: House, kept: bytes) -> None:
    house.store.put_note(house.site.chain, KEPT, kept)
    assert load_states(house.site, house.standing()) == {}


def test_a_service_that_can_be_asked_for_has_a_trigger_for_its_end(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK + PRESENT + STAGES)
    stage = house.site.playbook.stages[1]
    built_in = rules_of(house.site.playbook, stage)[-1]
    assert (built_in.id, built_in.action, built_in.source) == ("service_down", "rollback", "built in")
    held = msgspec.structs.replace(stage, on_down="hold")
    assert rules_of(house.site.playbook, held)[-1].action == "hold"


def test_a_dead_service_is_down_and_fires_after_a_minute(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK + PRESENT + STAGES)
    house.stand_at("canary@5")
    told = []
    for _ in range(3):
        tick = look_once(house.site)
        assert service_down(tick.look)
        told.append([one.rule.id for one in tick.fired])
        house.clock.pass_time(30)
    assert told == [[], [], ["service_down"]]


def test_without_an_is_it_there_check_nobody_says_that_it_is_down(house: House) -> None:
    tick = look_once(house.site)
    assert not service_down(tick.look)
    assert [one.rule.id for one in tick.ruled] == ["canary/0"]
    assert not service_down(None)


def test_the_least_watched_metric_says_how_much_was_watched(house: House) -> None:
    watched_for(house, HOUR)
    assert watched_of(house.site, facts(house)) == pytest.approx(1.0)
    watched_for(house, HOUR, every=HOUR)
    share = watched_of(house.site, facts(house))
    assert share is not None
    assert 0.5 <= share < 0.53


def test_looks_that_saw_nothing_do_not_count_as_watched(house: House) -> None:
    watched_for(house, HOUR, value=None)
    assert watched_of(house.site, facts(house)) == 0.0


@pytest.mark.parametrize(("every", "status"), [(60.0, Status.PASS), (1200.0, Status.FAIL)])
def test_a_share_that_is_asked_for_stands_in_the_way(tmp_path: Path, every: float, status: Status) -> None:
    house = make_house(tmp_path, PLAYBOOK + STAGES.replace("bake: 1h", "bake: {for: 1h, sampled: 80%}"))
    house.stand_at("canary@5")
    watched_for(house, 2 * HOUR, every)
    row = next(row for row in house.propose().decision.rows if row.kind == "sampled")
    assert (row.status, row.expected) == (status, ">= 80%")


def test_a_protected_environment_asks_for_a_share_by_itself(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK.replace("    redeploy:", "    protected: true\n    redeploy:") + STAGES)
    house.stand_at("canary@5")
    bake = bake_of(house.site, house.standing())
    assert bake is not None
    assert bake.sampled_asked == 0.8


def test_nobody_sleeps_longer_than_the_shortest_interval(house: House) -> None:
    assert tick_of(house.site) == 60.0
    metric = house.site.playbook.metrics["error_rate"]
    assert interval_of(metric, 0.5) == 30.0
    assert interval_of(metric, 0.0001) == 0.2


def test_a_look_that_could_not_read_is_kept_as_no_number(house: House) -> None:
    house.file("numbers.json").write_text("{}")
    keep(house.site, look_once(house.site).look.readings)
    [row] = house.store.samples(house.site.chain, "error_rate", 0.0)
    assert row.value is None


def answered(at: float, rollout: int | None, valid_until: float | None = None) -> SignedAnswer:
    return SignedAnswer(yes=True, who="ana", at=at, rollout=rollout, valid_until=valid_until)


@pytest.mark.parametrize(
    ("answer", "counts"),
    [
        (answered(10.0, rollout=2), True),
        (answered(10.0, rollout=1), False),
        (answered(10.0, rollout=1, valid_until=200.0), True),
        (answered(10.0, rollout=2, valid_until=100.0), False),
        (answered(10.0, rollout=2, valid_until=99.0), False),
    ],
)
def test_an_answer_counts_for_its_rollout_or_as_long_as_it_is_valid(answer: SignedAnswer, counts: bool) -> None:
    kept = KeptAnswers(State(answers={"ready/trained": answer}, rollout=2, rollouts=2), now=100.0)
    assert (kept.answer("ready/trained", "Trained") is not None) is counts
    assert kept.answer("ready/other", "Other") is None


def test_an_answer_given_before_a_rollout_counts_for_the_next_one_alone(house: House) -> None:
    site = house.site
    site.record(site.event("rollout.ended", {}, epoch=1))
    site.record(site.event("check.signed", {"check": "ready/trained", "title": "Trained", "yes": True}))
    site.record(site.event("rollout.started", {"number": 2}, epoch=1))
    assert KeptAnswers(site.state(), house.clock.wall()).answer("ready/trained", "Trained") is not None
    site.record(site.event("rollout.ended", {}, epoch=1), site.event("rollout.started", {"number": 3}, epoch=1))
    assert KeptAnswers(site.state(), house.clock.wall()).answer("ready/trained", "Trained") is None


def test_a_rule_that_only_keep_holds_up_is_shown_as_firing(house: House) -> None:
    [one] = look_once(house.site).ruled
    held = Advanced(RuleState(), one.advanced.judged, firing=True, pending=False, held=True)
    [row] = trigger_rows([replace(one, advanced=held)], house.site)
    assert (row.status, row.remedy) == (Status.FAIL, "runbook rollback --emergency")


def test_checks_of_a_look_are_known_by_their_short_and_long_names(house: House) -> None:
    tick = look_once(house.site)
    assert isinstance(tick.look, Look)
    result: CheckResult = tick.look.checks[0]
    said = facts_of(house.site, tick.standing, tick.look).checks
    assert {result.check.id, result.check.full_id} <= set(said)


GUARDED = STAGES.replace('gates: ["error_rate < 2%"]', 'gates: [{gate: "error_rate < 2%", as: guardrail}]')


@pytest.mark.parametrize(("fallback", "then"), [("", "hold"), ("    fallback: 5\n", "fallback")])
def test_a_guardrail_that_fails_twice_does_the_fallback_else_it_holds(tmp_path: Path, fallback: str, then: str) -> None:
    house = make_house(tmp_path, PLAYBOOK + GUARDED.replace("    bake: 1h\n", f"    bake: 1h\n{fallback}"))
    house.stand_at("canary@10")
    house.numbers(error_rate=0.03)
    told = []
    for _ in range(2):
        house.clock.pass_time(60)
        told.append([one.rule.id for one in look_once(house.site).fired])
    assert told == [[], ["canary/guardrail/0"]]
    tick = look_once(house.site)
    [row] = [row for row in tick.decision.rows if row.id == "canary/guardrail/0"]
    assert (row.kind, row.title, row.status) == ("trigger", f"guardrail error_rate < 2% -> {then}", Status.FAIL)
    act_on(house.site, house.heard, tick, set())
    assert house.at() == ("canary@5" if fallback else "canary@10")
    held = house.site.state().hold_at(house.clock.wall())
    assert held is not None
    assert held.robots is bool(fallback)


def test_a_guardrail_that_cannot_be_judged_does_nothing(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK + GUARDED)
    house.stand_at("canary@10")
    house.file("numbers.json").unlink()
    for _ in range(3):
        house.clock.pass_time(60)
        assert not look_once(house.site).fired


def test_a_signal_gate_and_one_for_elsewhere_are_no_rules(house: House) -> None:
    playbook = house.site.playbook
    [gate] = playbook.stages[1].gates
    only = msgspec.structs.replace(gate, as_="guardrail", only=("staging",))
    for gates, ids in (((gate,), []), ((only,), ["canary/guardrail/0"])):
        stage = msgspec.structs.replace(playbook.stages[1], gates=gates)
        for environment, expected in (("production", []), ("staging", ids)):
            rules = rules_of(playbook, stage, environment)
            assert [rule.id for rule in rules if rule.guards] == expected
