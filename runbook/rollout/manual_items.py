"""What people answer: manual items and samples of the playbook, and what open incidents ask them to do."""

from __future__ import annotations

from collections.abc import Iterable

from runbook.checks.base import Check
from runbook.incidents.checklist import ChecklistItem, checklist_of
from runbook.rollout.site import Site

BY_PEOPLE = ("sign", "inspect")  # the kinds of check that people answer


def flat(checks: Iterable[Check]) -> Iterable[Check]:
    """The checks and those nested in them."""
    for check in checks:
        yield check
        yield from flat(check.checks)


def listed_checks(site: Site) -> list[Check]:
    """Every check of the checklists, nested ones too."""
    return [check for checks in site.playbook.checklists.values() for check in flat(checks)]


def manual_items(site: Site) -> list[Check]:
    """Everything in the playbook that people answer: in checklists, nested ones too, and in gates."""
    gates = [gate.sign for stage in site.playbook.stages for gate in stage.gates if gate.sign is not None]
    return [check for check in [*listed_checks(site), *gates] if check.kind in BY_PEOPLE]


def incident_items(site: Site) -> list[ChecklistItem]:
    """What the open incidents ask people to do."""
    state = site.state()
    return [item for incident in state.open_incidents() for item in checklist_of(incident, state.answers)]
