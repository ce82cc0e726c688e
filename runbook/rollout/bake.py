"""The bake: how long the rung we stand on has been watched, and how much of that. Pure but for its clock."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.playbook.model import Bake
from runbook.store.state import Position
from runbook.system.clock import Clock

PROTECTED_SHARE = 0.8  # asked of a protected environment where the playbook says nothing


@dataclass(frozen=True)
class BakeStanding:
    """How a bake stands. Seconds; `ends_at` and `recommended_until` in seconds since the epoch by the wall clock.

    `sampled` is the share of the time so far that was watched, 0..1, or None when there was nothing to watch.
    """

    asked: float
    elapsed: float
    ends_at: float
    recommended_until: float | None
    sampled: float | None
    sampled_asked: float | None

    @property
    def left(self) -> float:
        return max(0.0, self.asked - self.elapsed)

    @property
    def over(self) -> bool:
        return self.left <= 0

    @property
    def share(self) -> float:
        """How much of the time has passed, 0..1."""
        return min(1.0, self.elapsed / self.asked) if self.asked > 0 else 1.0


def elapsed_since(position: Position, clock: Clock) -> float:
    """Real time since the position was entered, or since a new build came there.

    Within one boot the boot-time clock counts alone: no clock jump, DST change or sleep shortens it. Over a reboot only
    the wall clock is left; set back, it makes the bake longer, never shorter.
    """
    by_wall = max(0.0, clock.wall() - position.baking_since)
    if position.boot and position.boot == clock.boot_id():
        return max(0.0, clock.boot_time() - position.boot_time)
    return by_wall


def bake_standing(
    bake: Bake | None,
    position: Position,
    clock: Clock,
    *,
    scale: float = 1.0,
    protected: bool = False,
    watched: float | None = None,
) -> BakeStanding:
    """The bake of a rung, with the sandbox's `scale` applied."""
    asked = (bake.at_least if bake else 0.0) * scale
    elapsed = elapsed_since(position, clock)
    recommended = bake.recommended * scale if bake and bake.recommended is not None else None
    now = clock.wall()
    asked_share = bake.sampled if bake else None
    if asked_share is None and protected and asked > 0:
        asked_share = PROTECTED_SHARE
    return BakeStanding(
        asked=asked,
        elapsed=elapsed,
        ends_at=now + max(0.0, asked - elapsed),
        recommended_until=None if recommended is None else now + max(0.0, recommended - elapsed),
        sampled=watched,
        sampled_asked=asked_share,
    )
