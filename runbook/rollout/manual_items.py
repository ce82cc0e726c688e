"""What people answer: manual items and samples of the playbook, and what open incidents ask them to do."""

from __future__ import annotations

from collections.abc import Iterable

from runbook.checks.base import Check
from runbook.incidents.checklist import ChecklistItem, checklist_of
from runbook.rollout.site import Site

BY_PEOPLE = ("sign", "inspect")  # the kinds of check that people answer
MOST_NAMED = 5


def flat(checks: Iterable[Check]) -> Iterable[Check]:
    """The checks and those nested in them."""
    for check in checks:
        yield check
        yield from flat(check.checks)


def is_named(check: Check, name: str) -> bool:
    """Whether a check goes by this name: `LIST/ID`, `ID`, or its title as screens show it."""
    return name in (check.full_id, check.id) or name.strip().casefold() == check.title.casefold()


def few_of(site: Site, name: str, known: Iterable[str]) -> tuple[list[str], str]:
    """At most five of these names, those most like `name` first, and where the others are found (empty: no others)."""
    import difflib

    names = list(dict.fromkeys(known))
    close = difflib.get_close_matches(name, names, n=MOST_NAMED, cutoff=0.4)
    few = list(dict.fromkeys([*close, *names]))[:MOST_NAMED]
    more = len(names) - len(few)
    return few, f"and {more} more, in {site.playbook.path}" if more else ""


def listed_checks(site: Site) -> list[Check]:
    """Every check of the checklists, nested ones too."""
    return [check for checks in site.playbook.checklists.values() for check in flat(checks)]


def manual_items(site: Site) -> list[Check]:
    """Everything in the playbook that people answer: in checklists, nested ones too, and in gates."""
    gates = [gate.sign for stage in site.playbook.stages for gate in stage.gates if gate.sign is not None]
    return [check for check in [*listed_checks(site), *gates] if check.kind in BY_PEOPLE]


def incident_items(site: Site) -> list[ChecklistItem]:
    """What incidents ask people to do: the open ones, and the newest one also when it is resolved already."""
    state = site.state()
    asked = {incident.id: incident for incident in state.open_incidents()}
    if state.incidents:
        newest = state.incidents[max(state.incidents)]
        asked[newest.id] = newest
    return [item for _, incident in sorted(asked.items()) for item in checklist_of(incident, state.answers)]
