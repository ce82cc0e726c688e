"""The one command to type next is right in every state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from runbook.actions.journal import Journal
from runbook.judge.clocks import Clock
from runbook.judge.rules import RuleState
from runbook.rollout.emergency import Alarm, emergency
from runbook.rollout.glance import Glance, glance_at
from runbook.rollout.holds import hold
from runbook.rollout.rules import save_states
from runbook.rollout.watch import look_once
from runbook.store.base import SampleRow
from tests.actions.making import header
from tests.rollout.site import PLAYBOOK, House, make_house, open_house

STAGES = """\
metrics:
  error_rate: {file: numbers.json, jq: .error_rate, unit: ratio, interval: 60s, critical: "> 5%"}
  p95: {file: numbers.json, jq: .p95, unit: ms, interval: 60s}
stages:
  - {stage: off, percent: 0}
  - stage: canary
    percent: [5, 10]
    set: {NEW_CART: true, LIMIT: 3}
    bake: 1h
    gates: ["error_rate < 2%"]
    sign: [verified_by, reviewed_by]
  - {stage: full, percent: [50, 100], set: {LIMIT: 9}, bake: 24h, gates: ["error_rate < 1%"]}
rollback: {set: safe, objective: 5m, incident: P0, checklist: [Find the cause], partial: {ladder: [50, 25]}}
matrix:
  - {when: "p95 > 3500ms", severity: P2, then: halve, within: 1h}
"""
BAKE = 3700.0


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = make_house(tmp_path, PLAYBOOK + STAGES)
    house.numbers(error_rate=0.001, p95=800)
    return house


def glance(house: House) -> Glance:
    house.site.forget_state()
    return glance_at(house.site)


def looked(house: House, times: int = 1, **numbers: float) -> None:
    """So many looks a minute apart, the last one now."""
    if numbers:
        house.numbers(**{"error_rate": 0.001, "p95": 800, **numbers})
    for _ in range(times):
        house.clock.pass_time(60)
        house.site.forget_state()
        look_once(house.site)


def at(house: House, name: str, *, passed: float = 0.0) -> None:
    house.stand_at(name)
    house.clock.pass_time(passed)


def baking(house: House) -> None:
    at(house, "canary@5")
    looked(house)


def baked(house: House) -> None:
    at(house, "canary@5", passed=BAKE)
    looked(house)


def gate_says_no(house: House) -> None:
    at(house, "canary@5", passed=BAKE)
    looked(house, error_rate=0.03)


def stale(house: House) -> None:
    baked(house)
    house.clock.pass_time(3 * 3600)


def signs_due(house: House) -> None:
    at(house, "canary@10", passed=BAKE)
    looked(house)


def held(house: House) -> None:
    baked(house)
    hold(house.site, reason="rain", until=None)


def incident(house: House) -> None:
    baked(house)
    house.site.record(house.site.event("incident.opened", {"id": 1, "title": "Slow", "severity": "P1"}))


def incident_answered(house: House) -> None:
    opened = {"id": 1, "title": "Slow", "severity": "P1", "checklist": ["Find the cause"]}
    baked(house)
    house.site.record(
        house.site.event("incident.opened", opened), house.site.event("incident.noted", {"id": 1, "text": "x"})
    )


def leave_half_done(house: House) -> None:
    """The journal of an operation whose process is gone."""
    dead = replace(header(), service="checkout", environment="production")
    Journal.begin(house.site.journals, house.site.slug, dead)


def cut_off(house: House) -> None:
    baked(house)
    leave_half_done(house)


def drift(house: House) -> None:
    baked(house)
    house.file(".env").write_text(house.env().replace("LIMIT=3", "LIMIT=4"))


def unsafe(house: House) -> None:
    at(house, "canary@5")
    looked(house, 3, error_rate=0.07)


def slow(house: House) -> None:
    at(house, "full@100")
    looked(house, 3, p95=4000)


def down(house: House) -> None:
    baking(house)
    state = RuleState(clock=Clock(since=house.clock.now - 90, seen=house.clock.now), last=True, last_at=house.clock.now)
    save_states(house.site, house.standing(), {"service_down": state})


def safe_after_emergency(house: House) -> None:
    baked(house)
    emergency(house.site, house.heard, Alarm(reason="try"))


def safe_and_resolved(house: House) -> None:
    safe_after_emergency(house)
    house.site.record(house.site.event("incident.resolved", {"id": 1, "text": "mended"}))


def bad_at_safe_flags(house: House) -> None:
    safe_and_resolved(house)
    looked(house, 3, error_rate=0.07)


def off_the_ladder(house: House) -> None:
    baked(house)
    told = {"stage": "canary", "percent": 7.0, "how": "partial", "flags": {}}
    house.site.record(house.site.event("position.entered", told, epoch=2))
    house.clock.pass_time(BAKE)
    looked(house)


def top(house: House) -> None:
    at(house, "full@100", passed=25 * 3600)
    looked(house)


def stable(house: House) -> None:
    top(house)
    house.site.record(house.site.event("rollout.ended", {"why": "stable"}, epoch=3))


def no_baseline(house: House) -> None:
    text = house.file("playbooks/checkout.yaml").read_text()
    house.file("playbooks/checkout.yaml").write_text(text.replace("percent: 0}", "percent: 0, baseline: capture}"))
    house.site.playbook = open_house(house.folder, house.clock).site.playbook
    at(house, "off@0")
    looked(house)


def before(house: House) -> None:
    """Nothing has happened yet."""


CASES: list[tuple[Callable[[House], None], str, str]] = [
    (before, "SAFE", "runbook preflight"),
    (no_baseline, "SAFE", "runbook baseline capture --for 9m"),
    (baking, "BAKING", "runbook gate"),
    (baked, "BAKED", "runbook ramp 10"),
    (gate_says_no, "BAKED", "runbook gate"),
    (stale, "STALE", "runbook gate"),
    (signs_due, "BAKED", "runbook sign verified_by"),
    (held, "HELD", "runbook release"),
    (incident, "BAKED", "runbook incident show"),
    (incident_answered, "BAKED", "runbook sign incident/1/find_the_cause"),
    (cut_off, "CUT OFF", "runbook resume"),
    (drift, "BAKED", "runbook adopt --restore"),
    (unsafe, "UNSAFE", "runbook rollback --emergency"),
    (slow, "UNSAFE", "runbook rollback --partial"),
    (down, "SERVICE DOWN", "runbook rollback --emergency"),
    (safe_after_emergency, "SAFE", "runbook incident show"),
    (safe_and_resolved, "SAFE", "runbook preflight"),
    (bad_at_safe_flags, "UNSAFE", "runbook incident open"),
    (off_the_ladder, "BAKED", "runbook ramp 10"),
    (top, "BAKED", "runbook declare stable"),
    (stable, "STABLE", "runbook health-check"),
]


@pytest.mark.parametrize(("made", "word", "command"), CASES, ids=[case[0].__name__ for case in CASES])
def test_the_next_command_is_right(house: House, made: Callable[[House], None], word: str, command: str) -> None:
    made(house)
    seen = glance(house)
    assert (seen.danger.word, seen.step.command) == (word, command), seen.step


def test_what_takes_a_step_back_is_told_where_something_changes(house: House) -> None:
    unsafe(house)
    assert glance(house).step.undo == "runbook preflight, then  runbook ramp 5"
    house.numbers(error_rate=0.001, p95=800)
    house.clock.pass_time(BAKE)
    looked(house)
    assert glance(house).step.undo == ""


def test_unsafe_and_cut_off_is_ended_by_the_emergency(house: House) -> None:
    unsafe(house)
    leave_half_done(house)
    seen = glance(house)
    assert seen.step.command == "runbook rollback --emergency"
    assert "it ends what stands half done" in seen.step.why


def test_signed_roles_are_no_longer_asked_for(house: House) -> None:
    signs_due(house)
    position = house.standing().position
    assert position is not None
    told = {"role": "verified_by", "yes": True, "stage": "canary", "percent": 10.0, "since": position.baking_since}
    house.site.record(house.site.event("role.signed", {**told, "playbook": house.site.playbook.digest}))
    assert glance(house).step.command == "runbook sign reviewed_by"


def test_without_the_store_the_flag_file_tells(house: House) -> None:
    house.ramp_to("canary@5")
    away = open_house(house.folder, house.clock, store=False)
    seen = glance_at(away.site)
    assert (seen.danger.word, seen.step.command) == ("UNKNOWN", "runbook health-check")
    assert seen.standing.position is not None and seen.standing.position.name == "canary@5"
    assert seen.change is not None and "by its kit" in seen.change.text


def test_without_the_store_the_spool_tells_what_happened(house: House) -> None:
    house.ramp_to("canary@5")
    away = open_house(house.folder, house.clock, store=False)
    emergency(away.site, away.heard, Alarm(reason="try"))
    seen = glance_at(away.site)
    assert (seen.danger.word, seen.step.command) == ("SAFE", "runbook doctor")
    assert seen.change is not None and seen.change.text.startswith("emergency")


def test_looking_at_a_glance_asks_nobody_and_keeps_nothing(house: House) -> None:
    baked(house)
    house.file("numbers.json").unlink()
    before_ = len(house.store.events(house.site.chain)), len(house.store.samples(house.site.chain, "error_rate", 0.0))
    glance(house)
    after = len(house.store.events(house.site.chain)), len(house.store.samples(house.site.chain, "error_rate", 0.0))
    assert before_ == after
    assert isinstance(house.store.samples(house.site.chain, "error_rate", 0.0)[0], SampleRow)
