"""Holds: what stops every ramp and every automatic action until a person releases it."""

from __future__ import annotations

from typing import Any

from runbook.rollout.site import Site
from runbook.store.state import Hold


def hold(site: Site, *, reason: str, until: float | None, automatic: bool = False) -> None:
    """Hold the service. `until` is seconds since the epoch; None holds until released."""
    payload: dict[str, Any] = {"reason": reason, "automatic": automatic}
    if until is not None:
        payload["until"] = until
    site.record(site.event("hold.set", payload))


def release(site: Site, *, reason: str) -> Hold | None:
    """Release the hold; gives the one that was in force, None when there was none."""
    held = site.state().hold_at(site.clock.wall())
    if held is not None:
        site.record(site.event("hold.released", {"reason": reason}))
    return held
