"""The emergency, from the command line: which environment, one question at most, and no whole playbook needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from runbook.cli.choosing import Chosen, choose_playbook
from runbook.cli.options import Shared
from runbook.cli.recovering import stay_for_recovery
from runbook.cli.talk import Telling, can_ask, choose_one, confirm, plan_page, say, show, show_clock
from runbook.cli.wiring import Bench, kits_of, known_names, open_bench, site_of
from runbook.language.durations import show_duration
from runbook.playbook.model import Environment, Playbook
from runbook.rollout.emergency import Alarm, emergency, way_out
from runbook.rollout.notices import await_notices
from runbook.rollout.operation import Ended
from runbook.rollout.planning import flags_are_safe, safe_values
from runbook.rollout.refuge import holds_within
from runbook.rollout.site import Site
from runbook.show.answer import Answer
from runbook.show.outcomes import emergency_page
from runbook.show.page import Page
from runbook.show.rows import plan_rows
from runbook.system.refusals import Exit, Refusal
from runbook.system.signals import ignore_hang_up

STORE_PATIENCE = 0.5  # seconds: the way back does not wait for a store


@dataclass(frozen=True)
class Readable:
    """What the emergency works from: the playbook's own sections, else the kits."""

    playbook: Playbook
    environments: Mapping[str, Environment]


def raise_alarm(shared: Shared, *, yes: bool, dry_run: bool, watch: bool, alarm: Alarm) -> Answer:
    """Back to the safe flags. Exit status: that of flags, redeploy and verify; watching recovery never changes it."""
    ignore_hang_up()
    bench = open_bench(shared, patience=STORE_PATIENCE, tolerant=True)
    chosen = choose_playbook(bench.project.root, bench.settings.get("playbook"), known=known_names(bench))
    readable = read_for_emergency(bench, chosen)
    found = pick_environment(bench, chosen, readable, yes=yes)
    if isinstance(found, Answer):
        return found
    site, picked = found
    out = way_out(site)
    objective = site.playbook.rollback.objective if site.playbook.rollback else None
    page = Page()
    page.verdict("EMERGENCY", site.name, out.way.message, f"00:00 of {show_clock(objective)}" if objective else "")
    if dry_run:
        plan_page(page, out.plan)
        page.line("Dry run: nothing was changed.")
        return Answer(
            Exit.GO, "dry run: nothing was changed", page, site.playbook.service, site.environment.name,
            lists={"plan": plan_rows(out.plan.records())},
        )  # fmt: skip
    show(shared, page) if not shared.quiet else None
    if not yes and not picked:
        confirm(shared, f"Bring {site.name} back {out.way.message}?", yes=False)
    listener = Telling(shared, clock=True)
    ended = emergency(site, listener, alarm)
    await_notices(site, ended.operation, listener, within=0.0)
    return _ended(shared, site, ended, objective, watch=watch)


def _ended(shared: Shared, site: Site, ended: Ended, objective: float | None, *, watch: bool) -> Answer:
    """How it came out; then, where somebody stays for it, whether the numbers recover."""
    page = emergency_page(ended, site, objective)
    lists: dict[str, object] = {
        "plan": plan_rows([one.record for one in ended.results], ended.results),
        "incident": ended.incident,
        "by_hand": list(ended.by_hand),
        "how": "emergency",
        "seconds": round(ended.seconds, 3),
        "objective": objective,
        "within_objective": None if objective is None else ended.seconds <= objective,
    }
    answer = Answer(ended.exit, ended.message, page, site.playbook.service, site.environment.name, lists=lists)
    return stay_for_recovery(shared, site, answer, asked=watch) if ended.outcome == "done" else answer


def read_for_emergency(bench: Bench, chosen: Chosen) -> Readable:
    """The sections that the way back needs; where those cannot be read, the kits. Raises `Refusal` with neither."""
    from runbook.playbook.load import load_emergency

    problems = []
    if chosen.path is not None:
        loaded = load_emergency(chosen.path, bench.project.root)
        if loaded.playbook is not None:
            return Readable(with_every_stage(bench, chosen, loaded.playbook), loaded.playbook.environments)
        problems = loaded.errors
    environments: dict[str, Environment] = {}
    merged: Playbook | None = None
    for kit in kits_of(bench, chosen):
        from runbook.playbook.load import from_plain

        playbook = from_plain(kit.sections, "kit").playbook
        if playbook is None:
            continue
        age = show_duration(max(0.0, bench.clock.wall() - kit.written_at))
        say(bench.shared, f"the playbook cannot be used; working from the kit of {kit.environment}, {age} old")
        merged = playbook
        environments |= playbook.environments
    if merged is None:
        raise Refusal(
            f"the playbook {chosen.name} cannot be read and there is no kit of it",
            exit_=Exit.FAILED,
            problems=problems,
            next_steps=["correct what is named above", "set the safe values by hand and restart the service"],
        )
    return Readable(msgspec.structs.replace(merged, environments=environments), environments)


def with_every_stage(bench: Bench, chosen: Chosen, playbook: Playbook) -> Playbook:
    """The playbook; where a mistake in its stages hides where a one_way stage goes instead, with those of the kit."""
    written = playbook.plain.get("stages")
    unread = isinstance(written, list) and len(written) != len(playbook.stages)
    if not unread and all(
        stage.fallback and holds_within(stage.fallback) for stage in playbook.stages if stage.one_way
    ):
        return playbook
    from runbook.playbook.load import from_plain

    kits = [kit for kit in kits_of(bench, chosen) if kit.service == playbook.service]
    for kit in sorted(kits, key=lambda kit: kit.written_at, reverse=True):
        kept = from_plain(kit.sections, "kit").playbook
        if kept is not None and kept.stages:
            say(bench.shared, "the stages of the playbook cannot be read whole; they are taken from the kit")
            return msgspec.structs.replace(playbook, stages=kept.stages)
    return playbook


def pick_environment(bench: Bench, chosen: Chosen, readable: Readable, *, yes: bool) -> tuple[Site, bool] | Answer:
    """The environment: the named one, the only one, or the one whose file does not show the safe flags.

    Also whether a person picked it just now: then nothing more is asked.
    """
    named = bench.settings.get("env")
    environments = dict(readable.environments)
    if chosen.shipped:
        environments = {name: one for name, one in environments.items() if one.sandbox}
    if named is not None:
        if named not in environments:
            known = ", ".join(environments) or "none"
            raise Refusal(
                f"there is no environment {named!r} (there are: {known})", next_steps=[f"-e {n}" for n in environments]
            )
        return site_of(bench, chosen, readable.playbook, environments[named]), False
    if len(environments) == 1:
        return site_of(bench, chosen, readable.playbook, next(iter(environments.values()))), False
    unsafe = [site for site in _sites(bench, chosen, readable.playbook, environments) if not _is_safe(site)]
    if len(unsafe) == 1:
        return unsafe[0], False
    if not unsafe:
        return _all_safe(readable.playbook, list(environments))
    names = [site.environment.name for site in unsafe]
    if can_ask() and not yes:
        picked = choose_one("Which one goes back to its safe flags?", names)
        return next(site for site in unsafe if site.environment.name == picked), True
    raise Refusal(
        f"several environments do not show the safe flags: {', '.join(names)}",
        next_steps=[f"runbook rollback --emergency -e {name} --yes" for name in names],
    )


def _sites(bench: Bench, chosen: Chosen, playbook: Playbook, environments: Mapping[str, Environment]) -> list[Site]:
    """A site for each environment; a sandbox that is not up is left out."""
    sites = []
    for environment in environments.values():
        try:
            sites.append(site_of(bench, chosen, playbook, environment))
        except Refusal:
            if not environment.sandbox:
                raise
    return sites


def _is_safe(site: Site) -> bool:
    return not safe_values(site.playbook) or flags_are_safe(site)


def _all_safe(playbook: Playbook, names: list[str]) -> Answer:
    page = Page()
    page.verdict("SAFE", f"{playbook.service}: every environment's flag file shows the safe flags")
    commands = [f"runbook rollback --emergency -e {name}" for name in names]
    page.line("Nothing was done. To set them again and redeploy all the same:")
    page.next(*commands)
    return Answer(Exit.GO, "already safe", page, playbook.service, None, lists={"next": commands})
