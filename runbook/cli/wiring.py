"""Wiring: from what was typed and where to a site. The one place that opens stores and makes clocks."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from runbook.cli.choosing import Chosen, choose_environment, choose_playbook
from runbook.cli.options import Shared
from runbook.cli.talk import say
from runbook.playbook.kit import Kit, list_kits
from runbook.playbook.model import Environment, Playbook
from runbook.rollout.site import Site
from runbook.store.base import Store, StoreAway
from runbook.store.events import Who
from runbook.system.clock import Clock, MachineClock, utc
from runbook.system.project import Project, StateFolder, find_project, state_folder
from runbook.system.refusals import Refusal
from runbook.system.secret_sources import secrets_of
from runbook.system.secrets import Masker
from runbook.system.settings import Settings, host_name, operator_of, read_settings
from runbook.system.variables import Variables


@dataclass
class Bench:
    """Where a command works: the project, its state, the settings, the clock, and who is at the keyboard."""

    shared: Shared
    project: Project
    state: StateFolder
    settings: Settings
    clock: Clock
    who: Who
    store: Store | None
    store_trouble: str


def settings_of(shared: Shared, *, tolerant: bool = False) -> tuple[Project, Settings]:
    """The project and the settings, options included; with `tolerant` settings files that are wrong are passed over."""
    project = find_project(os.environ)
    settings = read_settings(project.root, os.environ, tolerant=tolerant)
    settings = settings.with_option("playbook", shared.playbook, "-p")
    return project, settings.with_option("env", shared.env, "-e")


def _settings(shared: Shared, tolerant: bool) -> tuple[Project, Settings]:
    try:
        return settings_of(shared)
    except Refusal as wrong:
        if not tolerant:
            raise
        say(shared, f"{wrong.message}; the settings of that file are left out")
        return settings_of(shared, tolerant=True)


def open_bench(shared: Shared, *, patience: float = 5.0, tolerant: bool = False, looks: bool = False) -> Bench:
    """Find the project, open the store, forward what waits in the spool. A store that is away is no error here.

    `patience` is how long a locked store is waited for, in seconds. With `looks` (nothing will be changed) it is no
    error either where nothing can be kept anywhere, as in a container that is read-only.
    """
    project, settings = _settings(shared, tolerant)
    state = _folder(project.root, looks)
    if state.note:
        say(shared, state.note)
    clock = MachineClock()
    operator, known = operator_of(settings, os.environ)
    store, trouble = _open_store(settings, state.path, clock, patience)
    return Bench(
        shared, project, state, settings, clock, Who(operator=operator, host=host_name(), known=known), store, trouble
    )


def _folder(root: Path, looks: bool) -> StateFolder:
    try:
        return state_folder(root)
    except Refusal as refused:
        if not looks:
            raise
        return StateFolder(root / ".runbook", f"{refused.message}; nothing is kept")


def _open_store(settings: Settings, folder: Path, clock: Clock, patience: float) -> tuple[Store | None, str]:
    from runbook.store.opening import open_store
    from runbook.store.spool import Spool

    try:
        store = open_store(settings.get("state"), folder, clock, wait=patience)
    except StoreAway as away:
        return None, away.reason + (f" ({away.hint})" if away.hint else "")
    with contextlib.suppress(StoreAway):  # what waits goes on waiting; the next command tries again
        Spool(folder / "spool").forward(store)
    return store, ""


def known_names(bench: Bench) -> dict[str, str]:
    """Every name under which kits and chains know a playbook of this project, each with the playbook's name.

    A shipped playbook that was practised on is not one of them: it is there as long as the tool is.
    """
    from runbook.playbook.find import shipped_folder

    told = [(*kit.playbook, kit.service) for kit in list_kits(bench.state.path)]
    if bench.store is not None:
        with contextlib.suppress(StoreAway):
            told += [(info.playbook_name, info.playbook_path, info.chain.service) for info in bench.store.chains()]
    shipped = shipped_folder("playbooks")
    names: dict[str, str] = {}
    for name, path, service in told:
        if not (Path(path).is_absolute() and Path(path).is_relative_to(shipped)):
            names |= {name: name, path: name, service: name}
    # A chain of which only notes and samples were kept has not been told yet which playbook it is of.
    return {key: name for key, name in names.items() if key and name}


def open_site(shared: Shared, *, tolerant: bool = False, bench: Bench | None = None) -> Site:
    """The site that is meant. With `tolerant` a broken or missing playbook is said, and kits and chains stand in.

    Raises `Refusal`.
    """
    bench = bench or open_bench(shared)
    chosen = choose_playbook(bench.project.root, bench.settings.get("playbook"), known=known_names(bench))
    playbook = read_playbook(bench, chosen, tolerant=tolerant)
    if playbook is None:
        playbook = stand_in(bench, chosen)
    environment = choose_environment(playbook, bench.settings.get("env"), shipped=chosen.shipped)
    return site_of(bench, chosen, playbook, environment, tolerant=tolerant)


def every_site(shared: Shared) -> list[Site]:
    """A site for each environment of each playbook here, readable or not, and for each chain beside them."""
    from runbook.playbook.find import find_playbooks

    bench = open_bench(shared)
    sites: dict[tuple[str, str], Site] = {}
    names = dict.fromkeys(known_names(bench).values())
    chosen = [Chosen(found.name, found.path) for found in find_playbooks(bench.project.root)]
    chosen += [Chosen(name, None) for name in names if name not in {one.name for one in chosen}]
    for one in chosen:
        playbook = read_playbook(bench, one, tolerant=True) or stand_in(bench, one)
        for environment in playbook.environments.values():
            site = site_of(bench, one, playbook, environment, tolerant=True)
            sites.setdefault((playbook.service, environment.name), site)
    if not sites:
        raise Refusal(f"no playbook in {bench.project.root}/playbooks", next_steps=["runbook playbooks"])
    return list(sites.values())


def read_playbook(bench: Bench, chosen: Chosen, *, tolerant: bool) -> Playbook | None:
    """The playbook, checked as a whole; None where it cannot be read and that is tolerated. Raises `Refusal`."""
    from runbook.playbook.load import load_playbook

    if chosen.path is None:
        if not tolerant:
            raise Refusal(
                f"the playbook {chosen.name} is gone", next_steps=["runbook status", "runbook rollback --emergency"]
            )
        say(bench.shared, f"the playbook {chosen.name} is gone; this is from the store and the kit")
        return None
    loaded = load_playbook(chosen.path, bench.project.root)
    if loaded.playbook is not None:
        return loaded.playbook
    if tolerant:
        say(
            bench.shared, f"the playbook {chosen.name} is broken ({len(loaded.errors)} errors, runbook lint shows them)"
        )
        return None
    raise Refusal(
        f"{loaded.errors[0].place.file if loaded.errors[0].place else chosen.path}: the playbook has "
        f"{len(loaded.errors)} error{'' if len(loaded.errors) == 1 else 's'}; nothing was run",
        problems=loaded.errors,
        next_steps=["runbook lint", "runbook rollback --emergency  works all the same"],
    )


def kits_of(bench: Bench, chosen: Chosen) -> list[Kit]:
    """The kits of a playbook, by its name, its path or its service."""
    return [kit for kit in list_kits(bench.state.path) if chosen.name in (*kit.playbook, kit.service)]


def stand_in(bench: Bench, chosen: Chosen) -> Playbook:
    """What stands in for a playbook that cannot be read: its kits, else what the store knows. Raises `Refusal`."""
    from runbook.playbook.load import from_plain

    merged: Playbook | None = None
    for kit in kits_of(bench, chosen):
        loaded = from_plain(kit.sections, "kit").playbook
        if loaded is not None:
            environments = {**(merged.environments if merged else {}), **loaded.environments}
            merged = msgspec.structs.replace(loaded, environments=environments, path=kit.playbook[1])
    if merged is not None:
        return merged
    chains = [] if bench.store is None else bench.store.chains()
    mine = [info for info in chains if chosen.name in (info.playbook_name, info.playbook_path, info.chain.service)]
    if not mine:
        raise Refusal(f"nothing is known of {chosen.name}", next_steps=["runbook lint", "runbook playbooks"])
    return Playbook(
        service=mine[0].chain.service,
        path=mine[0].playbook_path,
        environments={info.chain.environment: Environment(name=info.chain.environment) for info in mine},
    )


def site_of(
    bench: Bench, chosen: Chosen, playbook: Playbook, environment: Environment, *, tolerant: bool = False
) -> Site:
    """A site from a playbook and one of its environments; a sandbox lends its URL, flag file and redeploy."""
    from runbook.cli.practice import lent

    if environment.sandbox:
        environment = lent(bench.project.root, bench.state.path, playbook, environment, tolerant=tolerant)
    masker = Masker()
    masker.learn_environment(os.environ)
    return Site(
        project=bench.project.root,
        state_folder=bench.state.path,
        playbook=playbook,
        playbook_name=chosen.name,
        environment=environment,
        who=bench.who,
        clock=bench.clock,
        masker=masker,
        variables=variables_of(bench, playbook, environment, masker),
        store=bench.store,
        store_trouble=bench.store_trouble,
    )


def variables_of(
    bench: Bench, playbook: Playbook, environment: Environment, masker: Masker
) -> Callable[[dict[str, str]], Variables]:
    """How a site makes the values of `${...}` for a position."""
    secrets = secrets_of(playbook.secrets, bench.project.root)
    fixed = {"environment": environment.name, "service": playbook.service}

    def made(context: dict[str, str]) -> Variables:
        today = _today(bench, playbook)
        return Variables(
            declared=environment.variables,
            process=os.environ,
            context={**fixed, "today": f"{today:%Y-%m-%d}", "month": f"{today:%Y-%m}", **context},
            secrets=secrets,
            masker=masker,
        )

    return made


def _today(bench: Bench, playbook: Playbook) -> datetime:
    """Now in the calendar's zone; in UTC without one, or with one that this machine does not know."""
    from runbook.judge.zones import UnknownZoneError, zone_of

    now = utc(bench.clock.wall())
    if playbook.calendar is None:
        return now
    try:
        return now.astimezone(zone_of(playbook.calendar.timezone))
    except UnknownZoneError:
        return now
