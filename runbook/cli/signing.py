"""Answers of people to manual items, and what a name means that is signed: a role, an item, or one of an incident."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from runbook.checks.base import Check
from runbook.cli.item_by_item import judge_items
from runbook.cli.options import Shared
from runbook.cli.talk import can_ask, say
from runbook.incidents.checklist import ChecklistItem
from runbook.language.durations import parse_duration
from runbook.playbook.items import id_of
from runbook.playbook.model import SignOff
from runbook.rollout.answers import KeptAnswers
from runbook.rollout.manual_items import BY_PEOPLE, flat, incident_items, is_named, manual_items
from runbook.rollout.signing import refuse_elsewhere, role_here, unknown_name
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing
from runbook.system.refusals import Refusal


@dataclass(frozen=True)
class Meant:
    """What a name means: one of a role of our stage, a check that people answer, an item of an open incident."""

    role: SignOff | None = None
    check: Check | None = None
    item: ChecklistItem | None = None

    @property
    def name(self) -> str:
        """By which nothing else can be meant."""
        if self.check is not None:
            return self.check.full_id
        return self.item.id if self.item is not None else self.role.role if self.role is not None else ""


def meant_by(site: Site, standing: Standing, name: str) -> Meant:
    """What is to be signed. A role of our stage comes first; `LIST/ID` always names an item. Raises `Refusal`."""
    if role := role_here(standing, name):
        return Meant(role=role)
    items = incident_items(site)
    checks = [Meant(check=check) for check in find_items(site, name)]
    asked = [Meant(item=item) for item in items if name == item.id or id_of(name) == item.slug]
    found = [*checks, *asked]
    if len(found) == 1:
        return found[0]
    if found:
        raise Refusal(f"{name} is the name of several", next_steps=[f"runbook sign {one.name}" for one in found])
    refuse_elsewhere(site, standing, name)
    known = dict.fromkeys([*(check.full_id for check in manual_items(site)), *(item.id for item in items)])
    raise unknown_name(site, standing, name, list(known))


def find_items(site: Site, name: str) -> list[Check]:
    """The manual items of this `ID`, `LIST/ID` or title, each once."""
    found = {check.full_id: check for check in manual_items(site) if is_named(check, name)}
    return list(found.values())


def record_answer(site: Site, check: Check, *, yes: bool, evidence: str = "", valid: str | None = None) -> None:
    """Keep an answer as an event. `valid` is a duration; without it the item's own, else the rollout's length."""
    kept_for = valid or getattr(check.options, "valid", None)
    payload: dict[str, Any] = {"check": check.full_id, "title": check.title, "yes": yes, "evidence": evidence}
    if kept_for:
        payload["valid_until"] = site.clock.wall() + parse_duration(kept_for)
    site.record(site.event("check.signed", payload))


def record_item(site: Site, item: ChecklistItem, *, yes: bool, evidence: str) -> None:
    """Keep the answer to an item of an incident."""
    payload = {"check": item.id, "title": item.text, "yes": yes, "evidence": evidence}
    site.record(site.event("check.signed", payload))


def ask_manual_items(shared: Shared, site: Site, checks: Iterable[Check]) -> None:
    """Ask, on a terminal, for each manual item without a kept answer; no answer leaves it unknown."""
    kept, here = KeptAnswers(site.state(), site.clock.wall()), site.environment.name
    open_items = [
        check for check in flat([check for check in checks if check.counts_in(here)])
        if check.kind in BY_PEOPLE and check.counts_in(here) and not kept.waived(check.full_id)
        and kept.answer(check.full_id, check.title) is None
    ]  # fmt: skip
    if not open_items or not can_ask() or shared.quiet:
        return
    for check in open_items:
        if not _ask(shared, site, check):
            say(shared, f"left open: runbook sign {check.full_id}")


def _ask(shared: Shared, site: Site, check: Check) -> bool:
    """Ask for one item; false where it is left open."""
    if check.kind == "inspect":
        try:
            judgement = judge_items(shared, site, check)
        except Refusal as refusal:  # one sample that cannot be had leaves the other checks to be looked at
            say(shared, refusal.message)
            return False
        if judgement is None:
            return False
        record_answer(site, check, yes=judgement.yes, evidence=judgement.evidence)
        return True
    import questionary

    said = questionary.select(f"{check.title}?", choices=["yes", "no", "not now"]).unsafe_ask()
    if said in ("yes", "no"):
        record_answer(site, check, yes=said == "yes")
    return said in ("yes", "no")
