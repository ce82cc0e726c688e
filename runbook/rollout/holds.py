"""Holds: what stops every ramp and every automatic action until a person releases it."""

from __future__ import annotations

from typing import Any

from runbook.rollout.site import Site
from runbook.store.base import StoreAway
from runbook.store.fold import state_of
from runbook.store.state import Hold

ROBOT_SPAN = 600.0  # seconds


def hold(site: Site, *, reason: str, until: float | None, automatic: bool = False) -> None:
    """Hold the service. `until` is seconds since the epoch; None holds until released.

    After an automatic way back it is held until a person releases it: a hold with an end does not shorten that.
    """
    held = site.state().hold_at(site.clock.wall())
    if until is not None and held is not None and held.robots and held.until is None:
        return
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


def changes_of_robots(site: Site) -> int:
    """How many automatic changes there were in the last ten minutes, over all services of the store."""
    now = site.clock.wall()
    moments = list(site.state().automatic)
    if site.store is not None:
        try:
            others = [info.chain for info in site.store.chains() if info.chain != site.chain]
            moments += [moment for chain in others for moment in state_of(site.store, chain).automatic]
        except StoreAway as away:
            site.lose_store(away)
    return sum(1 for moment in moments if now - moment < ROBOT_SPAN)


def hold_everything(site: Site, reason: str) -> None:
    """Hold every service of the store: one lying source of numbers must not bring three hundred of them back."""
    payload = {"reason": reason, "automatic": True, "robots": True}
    site.record(site.event("hold.set", payload))
    if site.store is None:
        return
    try:
        for info in site.store.chains():
            if info.chain != site.chain:
                site.store.append(info.chain, [site.event("hold.set", payload)])
    except StoreAway as away:
        site.lose_store(away)
