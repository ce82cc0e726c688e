"""A service whose top stage has the rules that a test names, with numbers that make them fire."""

from __future__ import annotations

from pathlib import Path

from runbook.rollout.robot import Acted
from runbook.rollout.watch import act_on, look_once
from tests.rollout.site import PLAYBOOK, House, make_house

STAGES = """\
metrics:
  error_rate: {file: numbers.json, jq: .error_rate, unit: ratio, interval: 60s}
severities: {P0: {when: "error_rate > 50%"}, P2: {when: "error_rate > 5%"}}
stages:
  - {stage: off, percent: 0}
  - {stage: canary, percent: [5, 10], set: {NEW_CART: true, LIMIT: 3}, bake: 1h}
  - stage: full
    percent: [50, 100]
    set: {LIMIT: 9}
    bake: 24h
    FALLBACK
    triggers: [TRIGGERS]
rollback: {set: safe, objective: 5m, incident: P0, PARTIAL}
"""
BAD = "max(error_rate, 1m) > 5%"
FALLBACK = "fallback: 20"
PARTIAL = "partial: {ladder: [50, 25], bake: 1h}"
FIRED = "trigger.fired"


def house_with(
    folder: Path, *triggers: str, fallback: str = FALLBACK, partial: str = PARTIAL, at: str = "full@100"
) -> House:
    rules = ", ".join(f'{{when: "{BAD}", then: {then}}}' for then in triggers)
    text = STAGES.replace("FALLBACK", fallback).replace("PARTIAL", partial).replace("TRIGGERS", rules)
    house = make_house(folder, PLAYBOOK + text.replace(", }", "}"))
    house.stand_at(at)
    site = house.site
    site.record(site.event("bake.passed", {"stage": "canary", "percent": 10.0}, epoch=1))
    house.numbers(error_rate=0.2)
    return house


def act(house: House, told: set[str] | None = None) -> Acted | None:
    """One round of an armed watcher."""
    house.site.forget_state()
    tick = look_once(house.site)
    return act_on(house.site, house.heard, tick, set() if told is None else told)
