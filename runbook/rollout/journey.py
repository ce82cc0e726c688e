"""The journey of a rollout: whether our stage would be left by the next step, and whether the end was reached. Pure."""

from __future__ import annotations

from runbook.rollout.standing import Standing
from runbook.store.state import State


def leaves_stage(standing: Standing) -> bool:
    """Whether the next step up, or the end of the rollout, leaves the stage we stand in."""
    if not standing.entered or standing.stage is None:
        return False
    return standing.next is None or standing.next.stage.name != standing.stage.name


def at_the_end(standing: Standing) -> bool:
    """Whether we stand on the last rung, or on the last of our stage with only optional stages after it."""
    rung = standing.rung
    if rung is None or not standing.entered:
        return False
    return rung.last_of_stage and all(one.stage.optional for one in standing.rungs[rung.index + 1 :])


def stable_since(state: State) -> float | None:
    """Since when this position counts as stable, seconds since the epoch; None where a rollout goes on, or none was."""
    position = state.position
    if state.stable is None or state.rollout is not None or position is None or position.since > state.stable:
        return None
    return state.stable
