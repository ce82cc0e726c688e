"""A service whose first stage says that its numbers become the reference, and the samples of its bake."""

from __future__ import annotations

from typing import Any

from runbook.rollout.baseline import baseline_rows
from runbook.rollout.capturing import Taken, capture
from runbook.rollout.facts import Sight, facts_of
from runbook.rollout.looking import Look
from runbook.rollout.ramp import carry_out
from runbook.rollout.rows import Row
from runbook.store.base import SampleRow
from tests.rollout.site import PLAYBOOK, STAGES, House

FIRST = "  - {stage: off, percent: 0, bake: 1h, baseline: capture, gates: ['error_rate < 2%']}\n"
TEXT = PLAYBOOK + STAGES.replace("  - {stage: off, percent: 0}\n", FIRST).replace(
    'gates: ["error_rate < 2%"]\n', 'gates: ["error_rate increase < 50%"]\n'
).replace("interval: 60s}", "interval: 60s}\n  slow: {file: numbers.json, jq: .slow, unit: ms, interval: 60s}")


def see(house: House, count: int, value: float = 0.01, metric: str = "error_rate") -> None:
    """So many samples, a minute apart."""
    for _ in range(count):
        house.clock.pass_time(60)
        rows = [SampleRow(metric=metric, t=house.clock.wall(), value=value)]
        house.store.keep_samples(house.site.chain, rows)


def step(house: House) -> None:
    """One step up; the deploy takes five seconds, so that what was seen before it is of the rung that is left."""
    proposal = house.propose()
    house.clock.pass_time(5)
    ended = carry_out(house.site, proposal, house.heard)
    assert ended.outcome == "done", ended.message


def sight(house: House) -> Sight:
    """What is known without a new look."""
    house.site.forget_state()
    standing = house.standing()
    return Sight(standing, Look(0.0), facts_of(house.site, standing, None))


def row(house: House) -> Row:
    here = sight(house)
    (found,) = baseline_rows(house.site, here.standing, here.facts)
    return found


def take(house: House, seconds: float = 0.0) -> Taken:
    house.site.forget_state()
    return capture(house.site, seconds=seconds, reason="before the change", shown=lambda numbers: None)


def payloads(house: House, kind: str) -> list[dict[str, Any]]:
    return [one.event.payload for one in house.store.events(house.site.chain) if one.event.kind == kind]
