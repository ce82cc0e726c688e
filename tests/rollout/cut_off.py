"""A process that does an operation from its first byte to its last step, and is killed before it can say so.

`python -m tests.rollout.cut_off FOLDER KIND`: the folder is a made house; the kind ramp, rollback or emergency.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from runbook.actions.journal import Entry, Journal
from runbook.actions.runner import walk
from runbook.actions.steps import Plan
from runbook.rollout.ladder import flags_at
from runbook.rollout.lock import Lock, emergency_lock, service_locked
from runbook.rollout.operation import Aim, begin, entered_event, leave_kit, means_of
from runbook.rollout.planning import emergency_plan, safe_values
from runbook.rollout.rollback import propose_back
from tests.rollout.site import House, SetClock, open_house

OPERATION = "cutoff000001"


def do(house: House, kind: str) -> None:
    """The operation, and the entry that would end it, without telling anybody."""
    site = house.site
    if kind == "ramp":
        proposal = house.propose()
        to = proposal.to
        aim = Aim(to.stage.name, to.percent, flags_at(site.playbook, to), rollout=1)
        with service_locked(site, OPERATION, kind) as lock:
            leave_kit(site, proposal.plan.came_from)
            walked(house, proposal.plan, aim, lock, store_needed=True)
    elif kind == "rollback":
        way = propose_back(site, None)
        assert way.plan is not None
        assert way.to is not None
        aim = Aim(way.to.stage.name, way.to.percent, flags_at(site.playbook, way.to), rollout=1)
        with service_locked(site, OPERATION, kind) as lock:
            walked(house, way.plan, aim, lock, store_needed=False)
    else:
        plan = emergency_plan(site, house.at())
        aim = Aim("off", 0.0, safe_values(site.playbook), rollout=1)
        with emergency_lock(site, OPERATION, takeover=False, ended=lambda: None) as lock:
            walked(house, plan, aim, lock, store_needed=False)


def walked(house: House, plan: Plan, aim: Aim, lock: Lock, *, store_needed: bool) -> None:
    site = house.site
    journal = begin(site, plan, aim, lock, OPERATION, store_needed=store_needed)
    context = {"percent": f"{aim.percent:g}", "stage": aim.stage}
    results = walk(plan, journal, means_of(site, lock, OPERATION, house.heard, context), go_on=not store_needed)
    assert all(one.ok for one in results), results
    end(house, journal)
    os.kill(os.getpid(), signal.SIGKILL)


def end(house: House, journal: Journal) -> None:
    announced = [event for entry in journal.entries for event in entry.events]
    header = journal.header
    told = {"outcome": "done", "kind": header.kind, "from": header.came_from, "to": header.to, "message": "it is done"}
    ended = house.site.event("operation.ended", told, operation=OPERATION, epoch=header.epoch)
    events = (*announced, entered_event(house.site, journal, how=header.kind, verified=True), ended)
    journal.note(Entry(state="ended", at=house.clock.wall(), outcome="done", message="it is done", events=events))


if __name__ == "__main__":
    do(open_house(Path(sys.argv[1]), SetClock()), sys.argv[2])
