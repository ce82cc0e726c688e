"""`runbook contacts`: who to call, and what time it is there."""

from __future__ import annotations

import typer

from runbook.cli.boundary import command
from runbook.cli.options import Shared
from runbook.cli.wiring import open_site
from runbook.rollout.contacts import Reach, people_to_call
from runbook.show.answer import Answer
from runbook.show.now import contact_rows
from runbook.show.page import Page
from runbook.system.refusals import Exit

app = typer.Typer()

EXAMPLE = """\
contacts:
  On-call engineer: {name: NAME, phone: "${ONCALL_PHONE}", timezone: Europe/Berlin}
"""


@command(app)
def contacts(shared: Shared) -> Answer:
    """Who to call: role, name, phone, mail, chat, what time it is there, and a note.

    Example: runbook contacts --format markdown
    """
    site = open_site(shared, tolerant=True)
    people = people_to_call(site)
    page = Page()
    if people:
        page.table(("role", "name", "phone", "mail", "chat", "time there", "note"), [_cells(one) for one in people])
        message = f"{len(people)} contacts"
    else:
        message = f"the playbook of {site.playbook.service} names nobody to call"
        page.line(f"{message}. To name somebody, add to {site.playbook.path}:")
        page.text("\n" + EXAMPLE)
        page.next("runbook lint")
    return Answer(
        Exit.GO, message, page, site.playbook.service, site.environment.name, lists={"contacts": contact_rows(people)}
    )


def _cells(one: Reach) -> tuple[str, ...]:
    note = f"{one.note} ({one.problem})".strip() if one.problem else one.note
    return one.role, one.name, one.phone, one.mail, one.chat, one.there, note
