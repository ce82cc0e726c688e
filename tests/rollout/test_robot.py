"""What the robot does with each action in each state of the world: one table."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.rollout.holds import hold
from runbook.rollout.robot import Acted
from runbook.rollout.watch import act_on, look_once
from runbook.store.base import Holder
from runbook.store.events import Event
from tests.rollout.armed import BAD, house_with
from tests.rollout.site import House

ACTIONS = (
    "notify", "page", "investigate", "hold", "pause", "fallback", "reduce", "halve", "previous", "rollback",
    "auto_rollback", "investigate_and_rollback",
)  # fmt: skip
WORLDS = ("entered", "safe", "held by a person", "held by a robot", "store away", "limit reached", "somebody at work")
# Where each action leaves the service at full@100 when nothing stands before it.
GOES = {
    "fallback": "full@20", "reduce": "full@20", "halve": "full@50", "previous": "canary@10", "rollback": "off@0",
    "auto_rollback": "off@0", "investigate_and_rollback": "off@0",
}  # fmt: skip
# An emergency opens the incident of the playbook's rollback, unless the rule investigates: then the numbers propose.
ROLLS = ("rollback", "auto_rollback")
ELSEWHERE = Holder(operator="ben", host="app-2", pid=7, started="11", boot="boot-x", namespace="pid:[1]")
SAID = {
    "safe": "already safe, look elsewhere",
    "held by a person": "held by ana",
    "held by a robot": "held automatically",
    "store away": "nothing but a rollback",
    "limit reached": "three automatic changes in ten minutes",
    "somebody at work": "busy: ben",
}


def act_in(house: House, world: str) -> Acted | None:
    """One round, with the world as it is when the robot comes to act."""
    site = house.site
    if world == "safe":
        [file] = site.flag_files()
        file.apply(file.prepare(dict(site.playbook.flags.safe if site.playbook.flags else {})))
    elif world == "held by a person":
        hold(site, reason="I am looking", until=None)
    elif world == "held by a robot":
        site.record(site.event("hold.set", {"reason": "after a way back", "automatic": True, "robots": True}))
    elif world == "limit reached":
        site.record(*(_automatic(house) for _ in range(3)))
        site.record(site.event("operation.ended", {"outcome": "done", "kind": "partial"}, operation="one", epoch=1))
    tick = look_once(site)
    if world == "store away":
        site.store, site.store_trouble = None, "the disk is full"
    if world == "somebody at work":
        house.store.take_lease(site.chain, ELSEWHERE, "theirs", "rollback")
    return act_on(site, house.heard, tick, set())


def _automatic(house: House) -> Event:
    told = {"kind": "partial", "to": "full@50", "automatic": True}
    return house.site.event("operation.started", told, operation="one", epoch=1)


def expected(then: str, world: str) -> str:
    """Where the service stands afterwards."""
    if then not in GOES or world in ("held by a person", "held by a robot", "limit reached", "somebody at work"):
        return "full@100"
    if world == "safe" or (world == "store away" and GOES[then] != "off@0"):
        return "full@100"
    return GOES[then]


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("then", ACTIONS)
def test_every_action_in_every_world(tmp_path: Path, then: str, world: str) -> None:
    house = house_with(tmp_path, then)
    acted = act_in(house, world)
    again = house.again()
    where = expected(then, world)
    assert again.at() == where if world != "store away" else True
    moved = where != "full@100"
    assert (acted is not None) is moved
    if acted is not None:
        assert acted.ended.outcome == "done", acted.ended.message
        assert house.flags()["PERCENT"] == where.partition("@")[2]
        assert house.file("live.env").read_text() == house.env()
    else:
        assert house.deploys() == 0
    told = "\n".join(house.heard.said)
    if then in GOES and not moved:
        assert SAID[world] in told
    state = again.site.state()
    _hold_is_right(again, then, world, moved)
    if world != "store away":
        severities = ["P2"] if then.startswith("investigate") else ["P0"] if then in ROLLS and moved else []
        assert [one.severity for one in state.open_incidents()] == severities
        assert BAD in state.fired


def _hold_is_right(house: House, then: str, world: str, moved: bool) -> None:
    held = house.site.state().hold_at(house.clock.wall())
    if world == "store away":
        return  # what is told of it lies in the spool
    if moved:
        assert held is not None
        assert held.robots
        assert "after the automatic way back" in held.reason
    elif world == "limit reached" and then in GOES:
        assert held is not None
        assert held.robots
        assert "three automatic changes" in held.reason
    elif world.startswith("held"):
        assert held is not None
    else:
        assert (held is not None) is (then in ("hold", "pause"))
