"""The severity that the numbers of this moment propose."""

from __future__ import annotations

from runbook.incidents.severity import DEFAULT, Proposed, propose_severity
from runbook.rollout.facts import look_from_here
from runbook.rollout.site import Site

LOOK_SECONDS = 5.0  # how long the live numbers are waited for


def proposed_now(site: Site) -> Proposed:
    """Look, and propose. The numbers are kept: they are the incident's first evidence."""
    severities = site.playbook.severities
    if not any(severity.when for severity in severities.values()):
        return Proposed(DEFAULT, "the playbook says of no severity when it is meant; the default")
    return propose_severity(severities, look_from_here(site, [], LOOK_SECONDS).facts)
