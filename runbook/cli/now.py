"""`runbook now`: the card for three in the morning, from the store and files alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from runbook.cli.boundary import command
from runbook.cli.choosing import Chosen, choose_environment, choose_playbook
from runbook.cli.options import WATCHED, Shared
from runbook.cli.speech import with_choices
from runbook.cli.talk import say
from runbook.cli.wiring import Bench, known_names, open_bench, read_playbook, site_of, stand_in
from runbook.playbook.model import Playbook
from runbook.rollout.contacts import Reach, people_to_call
from runbook.rollout.glance import Glance, glance_at
from runbook.rollout.site import Site
from runbook.show.answer import Answer
from runbook.show.now import contact_rows, metric_rows, now_page, one_line, prompt_line, state_words
from runbook.show.page import Page
from runbook.show.rows import incident_row
from runbook.store.spool import Spool
from runbook.system.clock import rfc3339
from runbook.system.harmless import harmless
from runbook.system.refusals import Exit, Refusal

app = typer.Typer()

STORE_PATIENCE = 1.0  # seconds: who is woken does not wait for a store


@command(app, formats=WATCHED)
def now(
    shared: Shared,
    short: Annotated[
        bool, typer.Option("--short", help="One line for a prompt; nothing where nothing is known.")
    ] = False,
) -> Answer:
    """The 3 a.m. card: what is bad and since when, what changed, the one next command and its undo, who to call.

    From the store and files alone. Of several environments a line each, the worst first, then the card of the worst.

    Example: runbook now
    """
    if short:
        return _short(shared)
    bench = open_bench(shared, patience=STORE_PATIENCE, tolerant=True)
    seen = sorted(_seen(bench), key=lambda one: (one[1].danger.worst, one[1].danger.since or 0.0))
    site, glance = seen[0]
    others = [one_line(*one) for one in seen] if len(seen) > 1 else []
    people = people_to_call(site)
    answer = _answer(site, glance, people, now_page(site, glance, people, others=others))
    if shared.env is None and (others or len(site.playbook.environments) > 1 or site.environment.protected):
        several = len({one.playbook_name for one, _ in seen}) > 1
        named = site.playbook_name if several else shared.playbook
        with_choices(answer, replace(shared, env=site.environment.name, playbook=named))
    return answer


def _short(shared: Shared) -> Answer:
    """One line, or nothing: a prompt is never disturbed."""
    try:
        bench = open_bench(replace(shared, quiet=True), patience=0.2, tolerant=True)
        seen = [(site, glance) for site, glance in _seen(bench) if _is_known(site)]
    except Refusal:
        seen = []
    if not seen:
        return Answer(Exit.GO, "nothing is known", text="" if shared.format != "json" else None)
    site, glance = min(seen, key=lambda one: one[1].danger.worst)
    answer = _answer(site, glance, [], now_page(site, glance, []))
    answer.text = harmless(prompt_line(site, glance)) + "\n"
    return answer


def _seen(bench: Bench) -> list[tuple[Site, Glance]]:
    """The sites that are meant, each with what is known of it. Raises `Refusal` only where there is none at all."""
    sites = _sites(bench)
    if len(sites) > 1:
        sites = [site for site in sites if _is_known(site)] or sites
    return [(site, glance_at(site)) for site in sites]


def _is_known(site: Site) -> bool:
    """Whether anything ever happened here, as far as store, spool, journals and kits tell."""
    if site.state().number or (site.state_folder / "kit" / f"{site.slug}.json").exists():
        return True
    return any((site.journals / site.slug).glob("*.jsonl")) or any(
        one.chain == site.chain for one in Spool(site.state_folder / "spool").waiting()
    )


def _sites(bench: Bench) -> list[Site]:
    """A site for each environment that may be meant: of the named playbook, else of every one here."""
    root, named = bench.project.root, bench.settings.get("playbook")
    known = known_names(bench)
    found: list[Site] = []
    refused: Refusal | None = None
    for chosen in _chosen(bench, named, known):
        try:
            playbook = read_playbook(bench, chosen, tolerant=True) or stand_in(bench, chosen)
            found += [
                site_of(bench, chosen, playbook, playbook.environments[name], tolerant=True)
                for name in _environments(bench, chosen, playbook)
            ]
        except Refusal as trouble:
            refused = refused or trouble
            say(bench.shared, trouble.message)
    if not found:
        raise refused or Refusal(f"no playbook in {root}/playbooks", next_steps=["runbook playbooks"])
    return found


def _chosen(bench: Bench, named: str | None, known: dict[str, str]) -> list[Chosen]:
    from runbook.playbook.find import find_playbooks

    root = bench.project.root
    here = [Chosen(one.name, one.path) for one in find_playbooks(root)]
    gone = dict.fromkeys(name for name in known.values() if name not in {one.name for one in here})
    everything = [*here, *(Chosen(name, None) for name in gone)]
    if named is None and len(everything) > 1:
        return everything
    return [choose_playbook(root, named, known=known)]


def _environments(bench: Bench, chosen: Chosen, playbook: Playbook) -> list[str]:
    named = bench.settings.get("env")
    if named is not None or chosen.shipped:
        return [choose_environment(playbook, named, shipped=chosen.shipped).name]
    return list(playbook.environments)


def _answer(site: Site, glance: Glance, people: list[Reach], page: Page) -> Answer:
    position, danger, step = glance.standing.position, glance.danger, glance.step
    return Answer(
        Exit.GO,
        f"{site.name}: {state_words(danger, site.clock.wall())}",
        page,
        service=site.playbook.service,
        environment=site.environment.name,
        lists={
            "state": danger.word,
            "since": None if danger.since is None else rfc3339(danger.since),
            "stage": position.stage if position else None,
            "percent": position.percent if position else None,
            "metrics": metric_rows(site, glance),
            "incidents": [incident_row(incident, one.due) for incident, one in glance.responses],
            "next": [step.command],
            "undo": step.undo,
            "contacts": contact_rows(people),
        },
    )
