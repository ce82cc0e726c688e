"""Answers of people to manual items."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runbook.checks.base import Check
from runbook.cli.options import Shared
from runbook.cli.talk import can_ask, say
from runbook.language.durations import parse_duration
from runbook.language.places import did_you_mean
from runbook.rollout.answers import KeptAnswers
from runbook.rollout.site import Site
from runbook.system.refusals import Refusal


def manual_items(site: Site) -> list[Check]:
    """Every manual item of the playbook: in checklists, nested ones too, and in gates."""
    listed = [check for checks in site.playbook.checklists.values() for check in _flat(checks)]
    gates = [gate.sign for stage in site.playbook.stages for gate in stage.gates if gate.sign is not None]
    return [check for check in [*listed, *gates] if check.kind == "sign"]


def _flat(checks: Iterable[Check]) -> Iterable[Check]:
    for check in checks:
        yield check
        yield from _flat(check.checks)


def find_item(site: Site, name: str) -> Check:
    """The manual item that is meant, by `ID` or `LIST/ID`. Raises `Refusal`."""
    items = manual_items(site)
    found = [check for check in items if name in (check.full_id, check.id)]
    if len({check.full_id for check in found}) == 1:
        return found[0]
    known = list(dict.fromkeys(check.full_id for check in items))
    if found:
        raise Refusal(f"{name} is the name of several", next_steps=[f"runbook sign {check.full_id}" for check in found])
    meant = did_you_mean(name, [*known, *(check.id for check in items)])
    raise Refusal(
        f"there is no manual item {name!r}" + (f"; {meant}" if meant else ""),
        next_steps=[f"runbook sign {one}" for one in known] or ["the playbook has no manual items"],
    )


def record_answer(site: Site, check: Check, *, yes: bool, evidence: str = "", valid: str | None = None) -> None:
    """Keep an answer as an event. `valid` is a duration; without it the item's own, else the rollout's length."""
    kept_for = valid or getattr(check.options, "valid", None)
    payload: dict[str, Any] = {"check": check.full_id, "title": check.title, "yes": yes, "evidence": evidence}
    if kept_for:
        payload["valid_until"] = site.clock.wall() + parse_duration(kept_for)
    site.record(site.event("check.signed", payload))


def ask_manual_items(shared: Shared, site: Site, checks: Iterable[Check]) -> None:
    """Ask, on a terminal, for each manual item without a kept answer; no answer leaves it unknown."""
    open_items = [
        check
        for check in _flat(checks)
        if check.kind == "sign"
        and KeptAnswers(site.state(), site.clock.wall()).answer(check.full_id, check.title) is None
    ]
    if not open_items or not can_ask() or shared.quiet:
        return
    import questionary

    for check in open_items:
        said = questionary.select(f"{check.title}?", choices=["yes", "no", "not now"]).unsafe_ask()
        if said in ("yes", "no"):
            record_answer(site, check, yes=said == "yes")
        else:
            say(shared, f"left open: runbook sign {check.full_id}")
