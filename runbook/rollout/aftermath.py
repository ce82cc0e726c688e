"""What a way down leaves behind beside the position: an emergency's incident, the hold after a robot's decision."""

from __future__ import annotations

from collections.abc import Sequence

from runbook.actions.journal import Journal
from runbook.incidents.incident import open_or_join
from runbook.rollout.site import Site
from runbook.store.events import Event


def aftermath(site: Site, journal: Journal, opened: list[int]) -> Sequence[Event]:
    """The incident that is opened, or goes on (its number goes to `opened`); the hold where a robot had decided."""
    header = journal.header
    rollback = site.playbook.rollback
    why = f": {header.reason}" if header.reason else ""
    told = open_or_join(
        site.state(),
        f"Emergency rollback of {header.service}{why}",
        rollback.incident if rollback else "P1",
        started=header.began,
        checklist=rollback.checklist if rollback else (),
    )
    opened.append(told.incident)
    event = site.event(told.kind, told.payload, operation=header.operation, epoch=header.epoch)
    return [event, *hold_after_robot(site, journal)]


def hold_after_robot(site: Site, journal: Journal) -> list[Event]:
    """The hold after an automatic way down: nothing moves until a person has looked and releases it."""
    header = journal.header
    if not header.automatic:
        return []
    why = header.reason or "a rule decided"
    held = {"reason": f"after the automatic way back: {why}", "automatic": True, "robots": True}
    return [site.event("hold.set", held, operation=header.operation, epoch=header.epoch)]
