"""What an emergency leaves behind beside the position: its incident, and the hold after a robot's decision."""

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
    why = header.reason or "no reason was given"
    told = open_or_join(
        site.state(),
        f"Emergency rollback of {header.service}: {why}",
        rollback.incident if rollback else "P1",
        started=header.began,
        checklist=rollback.checklist if rollback else (),
    )
    opened.append(told.incident)
    events = [site.event(told.kind, told.payload, operation=header.operation, epoch=header.epoch)]
    if header.automatic:
        held = {"reason": f"after the automatic way back: {why}", "automatic": True, "robots": True}
        events.append(site.event("hold.set", held, operation=header.operation, epoch=header.epoch))
    return events
