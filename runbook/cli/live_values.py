"""The values that the shell is offered, from the playbooks, the store and the flag files at hand.

Narrowed to the playbook and environment that stand on the line before. Nothing is asked over the network and nothing is
written: the store is opened only where it is there, and what waits in the spool goes on waiting.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runbook.cli.choosing import Chosen, choose_playbook
from runbook.cli.options import Shared
from runbook.cli.wiring import Bench, known_names, read_playbook, settings_of, site_of
from runbook.playbook.find import find_playbooks, shipped_playbooks
from runbook.playbook.model import Playbook
from runbook.rollout.answers import KeptAnswers
from runbook.rollout.ladder import below, is_below
from runbook.rollout.manual_items import incident_items, manual_items
from runbook.rollout.receipts import last_operations
from runbook.rollout.roles import role_standings
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing, standing_of
from runbook.rollout.waivers import waivable as checks_of
from runbook.store.base import StoreAway
from runbook.store.events import Who
from runbook.store.opening import open_store
from runbook.system.clock import MachineClock
from runbook.system.moments import dated
from runbook.system.project import StateFolder, find_project, state_folder
from runbook.system.settings import host_name, operator_of

Offer = str | tuple[str, str]
PATIENCE = 0.2  # seconds that a locked store is waited for


def playbooks(ctx: Any) -> Iterator[Offer]:
    """Names of the project's playbooks and of the shipped ones."""
    yield from (found.name for found in find_playbooks(_root()))
    yield from (path.stem for path in shipped_playbooks())


def environments(ctx: Any) -> Iterator[Offer]:
    """The environments of the playbooks that may be meant."""
    yield from (name for one in _playbooks(ctx) for name in one.environments)


def stages(ctx: Any) -> Iterator[Offer]:
    """The stages; the one we are in is told."""
    for site in _sites(ctx):
        here = _standing(site).position
        for stage in site.playbook.stages:
            yield (stage.name, "here") if here is not None and here.stage == stage.name else stage.name


def positions(ctx: Any) -> Iterator[Offer]:
    """Percentages, stages and `stage@percent`; the next step first."""
    for site in _sites(ctx):
        standing = _standing(site)
        following = standing.next
        if following is not None:
            yield from ((f"{following.percent:g}", "next"), (following.name, "next"))
        for rung in standing.rungs:
            yield from (f"{rung.percent:g}", rung.name, rung.stage.name)


def lower_positions(ctx: Any) -> Iterator[Offer]:
    """Where `rollback --to` may lead: only what stands below, the next step down first."""
    for site in _sites(ctx):
        standing = _standing(site)
        place, position = standing.place, standing.position
        if place is None or position is None:
            continue
        lower = below(standing.rungs, position)
        for rung in reversed([rung for rung in standing.rungs if is_below(standing.rungs, rung, place)]):
            told = "one step down" if rung == lower else ""
            yield from ((f"{rung.percent:g}", told), (rung.name, told))


def checks(ctx: Any) -> Iterator[Offer]:
    """The ids of the checks, as `LIST/ID`."""
    for playbook in _playbooks(ctx):
        for listed in playbook.checklists.values():
            yield from ((check.full_id, check.title) for check in listed)


def waivable(ctx: Any) -> Iterator[Offer]:
    """The checks that can be waived, nested ones too; of those that are waived until when."""
    for site in _sites(ctx):
        now, waived = site.clock.wall(), site.state().waivers
        for check in checks_of(site):
            known = waived.get(check.full_id)
            until = f", waived until {dated(known.until)}" if known is not None and known.until > now else ""
            yield check.full_id, f"{check.title}{until}"


def roles_and_items(ctx: Any) -> Iterator[Offer]:
    """What can be signed: what is due first - roles of our stage, manual items, items of open incidents."""
    for site in _sites(ctx):
        kept = KeptAnswers(site.state(), site.clock.wall())
        standing = _standing(site)
        where = standing.position.name if standing.position else ""
        roles = [(one.rule.role, one.by) for one in role_standings(site, standing)]
        items = [(check, kept.answer(check.full_id, check.title)) for check in manual_items(site)]
        incidents = incident_items(site)
        yield from ((role, f"due, a role of {where}") for role, by in roles if by is None)
        yield from ((check.full_id, f"due: {check.title}") for check, answer in items if answer is None)
        yield from ((item.id, f"due: {item.text}") for item in incidents if not item.done)
        yield from ((role, f"signed by {by.shown}") for role, by in roles if by is not None)
        yield from ((check.full_id, f"answered by {one.who}") for check, one in items if one is not None)


def notices(ctx: Any) -> Iterator[Offer]:
    """The notices of the playbook, each with where it goes."""
    for playbook in _playbooks(ctx):
        yield from ((name, f"to {', '.join(one.to)}") for name, one in playbook.notices.items())


def operations(ctx: Any) -> Iterator[Offer]:
    """The last operations by their ids, newest first."""
    for site in _sites(ctx):
        for record in last_operations(site, 10):
            event, told = record.event, record.event.payload
            way = f"{told.get('kind')} to {told.get('to')} by {event.who.operator}"
            yield event.operation or "", f"{way}, {dated(event.at / 1_000_000)}"


def incidents(ctx: Any) -> Iterator[Offer]:
    """The numbers of the incidents, open ones first."""
    for site in _sites(ctx):
        found = sorted(site.state().incidents.values(), key=lambda one: (one.resolved is not None, -one.id))
        for one in found:
            yield str(one.id), f"{'open' if one.resolved is None else 'resolved'}: {one.title}"


def _root() -> Path:
    return find_project(os.environ).root


def _bench(ctx: Any) -> Bench:
    """A bench that writes nothing: the store only where it is there, and what waits in the spool goes on waiting."""
    given = getattr(ctx, "params", None) or {}
    shared = Shared(playbook=given.get("playbook"), env=given.get("env"), quiet=True)
    project, settings = settings_of(shared, tolerant=True)
    here = project.root / ".runbook"
    state = state_folder(project.root) if here.is_dir() else StateFolder(here)
    operator, known = operator_of(settings, os.environ)
    who = Who(operator=operator, host=host_name(), known=known)
    bench = Bench(shared, project, state, settings, MachineClock(), who, None, "")
    if here.is_dir():
        _open_store(bench)
    return bench


def _open_store(bench: Bench) -> None:

    setting = bench.settings.get("state")
    if setting is None and not (bench.state.path / "state.db").exists():
        return
    try:
        bench.store = open_store(setting, bench.state.path, bench.clock, wait=PATIENCE)
    except StoreAway as away:
        bench.store_trouble = away.reason


def _read(ctx: Any) -> Iterator[tuple[Bench, Any, Playbook]]:
    """The playbooks that may be meant: the named one, else every one of the project that can be read."""
    bench = _bench(ctx)
    root, named = bench.project.root, bench.settings.get("playbook")
    if named is not None:
        several = [choose_playbook(root, named, known=known_names(bench))]
    else:
        several = [Chosen(found.name, found.path) for found in find_playbooks(root)]
    for chosen in several:
        playbook = read_playbook(bench, chosen, tolerant=True)
        if playbook is not None:
            yield bench, chosen, playbook


def _playbooks(ctx: Any) -> Iterator[Playbook]:
    for _, _, playbook in _read(ctx):
        yield playbook


def _sites(ctx: Any) -> Iterator[Site]:
    """The sites that may be meant: of the named environment, else of each."""
    for bench, chosen, playbook in _read(ctx):
        named = bench.settings.get("env")
        for name, environment in playbook.environments.items():
            if (named is None and (environment.sandbox or not chosen.shipped)) or name == named:
                yield site_of(bench, chosen, playbook, environment, tolerant=True)


def _standing(site: Site) -> Standing:

    shown, _ = site.flags_or_trouble()
    return standing_of(site.playbook, site.state(), shown)
