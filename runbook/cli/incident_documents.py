"""The papers of an incident, from the command line: gathered, rendered, written, and said."""

from __future__ import annotations

from pathlib import Path

from runbook.cli.options import Format, Shared
from runbook.reports.incident import IncidentReport, gather
from runbook.reports.sentences import minute_of, next_steps
from runbook.reports.writing import Document, Written, write
from runbook.rollout.site import Site
from runbook.show.answer import Answer
from runbook.show.incident import incident_rows, written_page
from runbook.store.state import Incident
from runbook.system.refusals import Exit


def write_document(shared: Shared, site: Site, incident: Incident, name: str, template: str | None) -> Answer:
    """Write the report or post-mortem of an incident. Raises `Refusal`; then nothing was written."""
    report = gather(site, incident)
    document = render(site, report, name, template)
    written = write(document, shared.output or Path.cwd() / name, site.project)
    path = str(written.path)
    return Answer(
        Exit.GO,
        "; ".join((f"{path} was written", *written.said)),
        written_page(report, path, _kept(written), written.said, _following(report, name)),
        site.playbook.service,
        site.environment.name,
        lists={
            "incidents": incident_rows([incident], site.playbook.severities, site.state().answers),
            "incident": incident.id,
            "path": path,
        },
        text=written.text if shared.format is Format.MARKDOWN else None,
    )


def render(site: Site, report: IncidentReport, name: str, template: str | None) -> Document:
    """The document that a template makes of the report."""
    from runbook.reports.templates import Templates

    owner = f"{site.slug}/{report.incident.id}"
    given = {"report": report, "minute": minute_of(report), "next_steps": next_steps(report)}
    text = Templates(site.project).render(template or name, owner, given)
    return Document(name, text, site.slug, report.incident.id)


def _kept(written: Written) -> str | None:
    return None if written.kept is None else str(written.kept)


def _following(report: IncidentReport, name: str) -> str:
    if report.open:
        return 'runbook incident resolve "what it was, what was done"'
    return "runbook incident postmortem" if name == "incident_report.md" else "runbook incident show"
