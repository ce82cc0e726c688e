"""All that is known of a site without asking anybody, at one glance: `now` and `status` show it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from runbook.incidents.severity import Response, response_of
from runbook.judge.facts import Facts
from runbook.playbook.kit import Kit, kit_path, read_kit
from runbook.rollout.against_danger import Known, NextStep, way_down_now
from runbook.rollout.bake import BakeStanding
from runbook.rollout.bake_rows import bake_of, next_look_due
from runbook.rollout.countdowns import Countdown, countdowns
from runbook.rollout.danger import Danger, Scene, danger_of, limits_of
from runbook.rollout.decide import Evidence, decide
from runbook.rollout.facts import facts_of
from runbook.rollout.flag_rows import CREATES
from runbook.rollout.journey import stable_since
from runbook.rollout.matrix import matrix_rules
from runbook.rollout.next_step import Considered, next_step, way_back
from runbook.rollout.planning import flags_are_safe
from runbook.rollout.rows import Decision
from runbook.rollout.rules import SERVICE_DOWN, asked_of, load_states, rules_here
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing, standing_by_file, standing_of
from runbook.rollout.underway import Underway, underway
from runbook.rollout.watchers import Watcher, watcher_of
from runbook.store.events import Recorded
from runbook.store.fold import fold
from runbook.store.spool import Spool
from runbook.store.state import Incident, State


@dataclass(frozen=True)
class Change:
    """The last operation that ended, or that the kit tells of. Times are seconds since the epoch."""

    at: float
    text: str
    by: str


@dataclass(frozen=True)
class Glance:
    """What is known. `flags_trouble` says why the flag file cannot be read; `kit` is the newest one of this site.

    `against` is what to type first against what is bad now, None where nothing is."""

    state: State
    standing: Standing
    facts: Facts
    danger: Danger
    decision: Decision
    step: NextStep
    back: str
    bake: BakeStanding | None
    found: Underway | None
    watcher: Watcher | None
    countdowns: Sequence[Countdown]
    responses: Sequence[tuple[Incident, Response]]
    next_look: float | None
    safe: bool
    against: NextStep | None = None
    flags_trouble: str = ""
    change: Change | None = None
    kit: Kit | None = None


def glance_at(site: Site) -> Glance:
    """Everything from the store, the flag file, the journals, the spool and the kit; nothing over the network."""
    where = _whereabouts(site)
    state, standing, facts = where.state, where.standing, where.facts
    decision = decide(site, standing, standing.next, Evidence(facts))
    bare = any(row.kind == "flags" and row.remedy.startswith(CREATES) for row in decision.rows)
    scene = _scene(site, where, unreadable=bare or bool(where.trouble))
    known = _known(site, where, scene)
    away = site.store_trouble if site.store is None else ""
    considered = Considered(**vars(known), decision=decision, away=away)
    now, kit = site.clock.wall(), read_kit(kit_path(site.state_folder, site.slug))
    return Glance(
        state=state,
        standing=standing,
        facts=facts,
        danger=known.danger,
        decision=decision,
        step=next_step(considered),
        back=way_back(known),
        bake=bake_of(site, standing),
        found=where.found,
        watcher=watcher_of(site),
        countdowns=countdowns(site.playbook, state, safe=scene.safe),
        against=way_down_now(known),
        responses=[(one, response_of(site.playbook.severities, one, now)) for one in state.open_incidents()],
        next_look=scene.next_look,
        safe=scene.safe,
        flags_trouble=where.trouble,
        change=_change(state, kit),
        kit=kit,
    )


def against_now(site: Site) -> NextStep | None:
    """What to type first against what is bad now, as `now` says it; None where nothing is bad."""
    where = _whereabouts(site)
    return way_down_now(_known(site, where, _scene(site, where, unreadable=bool(where.trouble))))


@dataclass(frozen=True)
class Whereabouts:
    """Where the service stands, as far as it is known without asking it; `trouble` is why no flag file can be read."""

    state: State
    standing: Standing
    facts: Facts
    found: Underway | None
    trouble: str


def _whereabouts(site: Site) -> Whereabouts:
    shown, trouble = site.flags_or_trouble()
    found = underway(site)
    state = site.state() if site.store is not None else spooled_state(site)
    standing = standing_of(site.playbook, state, shown)
    if site.store is None and state.position is None:
        standing = standing_by_file(site.playbook, shown)
    told = f"{trouble.path}: {trouble.reason}" if trouble else ""
    return Whereabouts(state, standing, facts_of(site, standing, None), found, told)


def _known(site: Site, where: Whereabouts, scene: Scene) -> Known:
    danger = danger_of(scene)
    return Known(
        playbook=site.playbook,
        state=where.state,
        standing=where.standing,
        danger=danger,
        found=where.found,
        safe=scene.safe,
        held=scene.hold is not None,
        asked=asked_of(site, where.standing, danger.seen or 0.0),
    )


def spooled_state(site: Site) -> State:
    """What the events say that wait for a store that is away."""
    events = []
    with contextlib.suppress(OSError):
        events = [one.event for one in Spool(site.state_folder / "spool").waiting() if one.chain == site.chain]
    records = [Recorded(number=number, hash="", event=event) for number, event in enumerate(events, 1)]
    try:
        return fold(State(), records)
    except (KeyError, TypeError, ValueError):  # a line that somebody wrote by hand
        return State()


def _scene(site: Site, where: Whereabouts, *, unreadable: bool) -> Scene:
    state, standing, found = where.state, where.standing, where.found
    began = found.header.began if found is not None else None
    bake, safe = bake_of(site, standing), flags_are_safe(site)
    return Scene(
        facts=where.facts,
        position=standing.position,
        limits=limits_of(site.playbook, [*matrix_rules(site.playbook), *rules_here(site, standing)]),
        matrix=state.matrix,
        down=_down_since(site, standing),
        cut_off=began if found is not None and not found.alive else None,
        at_work=began if found is not None and found.alive else None,
        hold=state.hold_at(site.clock.wall()),
        safe=safe,
        stable=stable_since(state),
        baked=bake is None or bake.over,
        next_look=next_look_due(site, standing, where.facts),
        known=safe or (site.store is not None and not unreadable),
    )


def _down_since(site: Site, standing: Standing) -> float | None:
    """Since when the service was seen to be down; None where it was reached at the last look, or nobody looked."""
    kept = load_states(site, standing).get(SERVICE_DOWN)
    return kept.since if kept is not None and kept.last else None


def _change(state: State, kit: Kit | None) -> Change | None:
    """What was changed last: the last operation; without one, when the kit was left before a ramp."""
    last = state.last_operation
    if last is not None:
        began = float(last.get("at", 0.0)) - float(last.get("seconds") or 0.0)
        way = f"{last.get('kind', '')} {last['from']} ->" if last.get("from") else f"{last.get('kind', '')} to"
        way += f" {last.get('to') or 'nowhere'}"
        outcome = str(last.get("outcome", ""))
        return Change(began, way + ("" if outcome == "done" else f" ({outcome})"), str(last.get("who", "")))
    if kit is not None:
        return Change(kit.written_at, f"a ramp from {kit.position or 'before the first stage'} (by its kit)", "")
    return None
