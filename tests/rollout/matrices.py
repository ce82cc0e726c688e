"""A service with a decision matrix, and looks at it as time passes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runbook.rollout.robot import Acted
from runbook.rollout.rows import Row
from runbook.rollout.watch import Tick, act_on, look_once
from tests.rollout.site import PLAYBOOK, House, make_house

STAGES = """\
metrics:
  error_rate: {file: numbers.json, jq: .error_rate, unit: ratio, interval: 60s}
  p95: {file: numbers.json, jq: .p95, unit: ms, interval: 60s}
stages:
  - {stage: off, percent: 0}
  - {stage: canary, percent: [5, 10], set: {NEW_CART: true, LIMIT: 3}, bake: 1h}
  - {stage: full, percent: [50, 100], set: {LIMIT: 9}, bake: 24h, fallback: 20}
rollback: {set: safe, objective: 5m, incident: P0, partial: {ladder: [50, 25], bake: 1h}}
matrix:
"""
ROWS = """\
  - {when: "error_rate > 5%", severity: P0, then: rollback}
  - {when: "p95 > 7s", severity: P1, then: previous, within: 15m}
  - {when: "p95 > 3500ms", severity: P2, then: halve, within: 1h}
  - {when: "p95 > 3s", then: notify}
"""
GOOD = {"error_rate": 0.001, "p95": 900}


def house_with(folder: Path, rows: str = ROWS, at: str = "full@100") -> House:
    house = make_house(folder, PLAYBOOK + STAGES + rows)
    house.stand_at(at)
    house.numbers(**GOOD)
    return house


def see(house: House, seconds: float = 60.0, **numbers: Any) -> Tick:
    """A look after some time, at these numbers."""
    house.numbers(**{**GOOD, **numbers})
    house.clock.pass_time(seconds)
    house.site.forget_state()
    return look_once(house.site)


def act(house: House, seconds: float = 60.0, told: set[str] | None = None, **numbers: Any) -> Acted | None:
    """A look of an armed watcher."""
    tick = see(house, seconds, **numbers)
    return act_on(house.site, house.heard, tick, set() if told is None else told)


def rows_of(tick: Tick) -> list[Row]:
    return [row for row in tick.decision.rows if row.kind == "matrix"]


def told(house: House, kind: str) -> list[dict[str, Any]]:
    return [one.event.payload for one in house.store.events(house.site.chain) if one.event.kind == kind]
