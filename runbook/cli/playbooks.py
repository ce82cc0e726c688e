"""`runbook playbooks`: which playbooks are found where."""

from __future__ import annotations

import typer

from runbook.cli.boundary import command
from runbook.cli.options import Shared
from runbook.cli.wiring import settings_of
from runbook.playbook.find import find_playbooks, shipped_playbooks
from runbook.playbook.load import load_playbook
from runbook.show.answer import Answer
from runbook.show.page import Page
from runbook.system.refusals import Exit

app = typer.Typer()


@command(app)
def playbooks(shared: Shared) -> Answer:
    """Which playbooks are found where: the project's own, and those that come with the tool.

    Example: runbook playbooks
    """
    project, _ = settings_of(shared)
    rows = []
    own = {candidate.path.resolve() for candidate in find_playbooks(project.root)}
    for candidate in find_playbooks(project.root):
        loaded = load_playbook(candidate.path, project.root)
        ok = "ok" if loaded.playbook else f"{len(loaded.errors)} errors"
        environments = ", ".join(loaded.playbook.environments) if loaded.playbook else "-"
        rows.append((candidate.name, "project", candidate.service or "-", environments, ok))
    for path in shipped_playbooks():
        if path.resolve() in own:
            continue
        loaded = load_playbook(path, project.root)
        sandboxes = (
            [one.name for one in loaded.playbook.environments.values() if one.sandbox] if loaded.playbook else []
        )
        service = loaded.playbook.service if loaded.playbook else "-"
        rows.append((path.stem, "shipped", service, ", ".join(sandboxes), "ok" if loaded.playbook else "broken"))
    page = Page()
    page.line(f"project {project.root} ({project.source})")
    page.table(("name", "where", "service", "environments", "state"), rows)
    page.next("runbook lint", "runbook sandbox up -p NAME  to practise on a shipped one")
    keys = ("name", "where", "service", "environments", "state")
    details = {"playbooks": [dict(zip(keys, row, strict=True)) for row in rows], "project": str(project.root)}
    return Answer(Exit.GO, f"{len(rows)} playbooks", page, lists={"details": details})
