"""`runbook incident`: open, note, severity, resolve, show, list, report, postmortem."""

from __future__ import annotations

from typing import Annotated

import typer

from runbook.cli.boundary import command
from runbook.cli.incident_documents import write_document
from runbook.cli.options import IncidentId, Last, Shared
from runbook.cli.wiring import open_site
from runbook.incidents.checklist import checklist_of
from runbook.incidents.incident import open_incident, severity_named, the_open_one, the_reported_one
from runbook.incidents.severity import Proposed, response_of
from runbook.language.durations import show_duration
from runbook.reports.incident import gather, store_is_away
from runbook.rollout.notices import Announced, announce
from runbook.rollout.severity import proposed_now
from runbook.rollout.site import Site
from runbook.show.answer import Answer
from runbook.show.incident import changed_page, incident_rows, list_page, show_page
from runbook.show.page import Page
from runbook.show.rows import event_row
from runbook.store.state import Incident
from runbook.system.refusals import Exit, Refusal

app = typer.Typer(no_args_is_help=True, help="The life of an incident, and its papers.")

SeverityName = Annotated[
    str | None, typer.Option("--severity", metavar="P0..P3", help="How grave; without it the live numbers propose one.")
]
Number = Annotated[int | None, typer.Argument(metavar="[ID]", help="Which incident.", show_default=False)]
TemplateName = Annotated[
    str | None, typer.Option("--template", metavar="NAME", help="Another template of the project's templates/ folder.")
]


@command(app, "open")
def open_(
    shared: Shared,
    title: Annotated[str, typer.Argument(help="What is the matter, in one line.", show_default=False)] = "",
    severity: SeverityName = None,
    another: Annotated[bool, typer.Option("--another", help="Although one is open already.")] = False,
) -> Answer:
    """Open an incident. Its severity is proposed from live numbers, or given.

    Example: runbook incident open "answers are slow" --severity P1
    """
    named = severity_named(severity) if severity else None
    site = _site(shared)
    still_open = site.state().open_incidents()
    if still_open and not another:
        one = still_open[-1]
        raise Refusal(
            f"incident {one.id} ({one.severity}, {one.title}) is open already",
            exit_=Exit.NO_GO,
            next_steps=["runbook incident note TEXT", "for one of its own: runbook incident open TITLE --another"],
        )
    proposed = Proposed(named, "as given") if named else proposed_now(site)
    told = open_incident(site.state(), title or f"Incident of {site.playbook.service}", proposed.severity)
    site.record(site.event(told.kind, told.payload))
    incident = site.state().incidents[told.incident]
    response = response_of(site.playbook.severities, incident, site.clock.wall()).words()
    announced = announce(site, "incident", {"incident": str(incident.id), "severity": incident.severity, "why": title})
    lines = [f"severity {proposed.severity}: {proposed.why}", *([response] if response else []), *_told(announced)]
    page = changed_page(
        "OPENED", incident, *lines,
        following=["runbook incident note TEXT", "runbook rollback --emergency  brings everything back"],
    )  # fmt: skip
    return _answer(site, incident, f"incident {incident.id} opened as {incident.severity}: {proposed.why}", page)


@command(app)
def note(
    shared: Shared,
    text: Annotated[str, typer.Argument(help="What was found, done or decided.")],
    incident: IncidentId = None,
) -> Answer:
    """Write into the timeline. A note to an incident that is over is possible too.

    Example: runbook incident note "the index was rebuilt at noon"
    """
    site = _site(shared)
    meant = the_open_one(site.state(), incident)
    site.record(site.event("incident.noted", {"id": meant.id, "text": _something(text)}))
    page = changed_page("NOTED", meant, text, following=["runbook incident show"])
    return _answer(site, meant, f"noted in incident {meant.id}", page)


@command(app)
def severity(
    shared: Shared,
    name: Annotated[str, typer.Argument(metavar="P0..P3", help="How grave it is.")],
    incident: IncidentId = None,
) -> Answer:
    """Set the severity: P0 (critical), P1 (high), P2 (medium), P3 (low).

    Example: runbook incident severity P0
    """
    wanted, site = severity_named(name), _site(shared)
    meant = _still_open(the_open_one(site.state(), incident))
    if meant.severity == wanted:
        message = f"incident {meant.id} is {wanted} already"
        return _answer(site, meant, message, changed_page("GO", meant, message))
    before = meant.severity
    site.record(site.event("incident.severity", {"id": meant.id, "severity": wanted, "before": before}))
    now = site.state().incidents[meant.id]
    page = changed_page("SEVERITY", now, f"it was {before}", following=["runbook incident show"])
    return _answer(site, now, f"incident {now.id} is {wanted}, it was {before}", page)


@command(app)
def resolve(
    shared: Shared,
    text: Annotated[str, typer.Argument(help="How it ended.", show_default=False)] = "",
    incident: IncidentId = None,
) -> Answer:
    """The incident is over.

    Example: runbook incident resolve "the model server was restarted"
    """
    site = _site(shared)
    meant = _still_open(the_open_one(site.state(), incident))
    site.record(site.event("incident.resolved", {"id": meant.id, "text": text}))
    now = site.state().incidents[meant.id]
    lasted = show_duration((now.resolved or now.opened) - now.opened)
    held = site.state().hold_at(site.clock.wall())
    following = [f"runbook incident postmortem {now.id}"]
    lines = [f"open for {lasted}"]
    undone = [item for item in checklist_of(now, site.state().answers) if not item.done]
    if undone:
        count = f"{len(undone)} line{'' if len(undone) == 1 else 's'} of its checklist"
        lines.append(f"{count} not done yet: {', '.join(item.text for item in undone)}")
        following.append(f"runbook sign {undone[0].slug}")
    if held is not None:
        lines.append("a hold is in force" + (f": {held.reason}" if held.reason else ""))
        following.append("runbook release")
    page = changed_page("RESOLVED", now, *lines, following=following)
    return _answer(site, now, f"incident {now.id} is resolved after {lasted}", page)


@command(app)
def show(shared: Shared, number: Number = None, last: Last = None) -> Answer:
    """What happened, how much, what it is now, and the timeline: of the open incident, else of the newest.

    Example: runbook incident show
    """
    site = _site(shared)
    report = gather(site, _reported(site, number))
    answer = _answer(site, report.incident, f"incident {report.incident.id}", show_page(report, last))
    answer.lists["events"] = [event_row(record) for record in report.events[-(last or len(report.events) or 1) :]]
    return answer


@command(app, "list")
def list_(shared: Shared, last: Last = None) -> Answer:
    """All incidents of this service and environment.

    Example: runbook incident list --last 5
    """
    site = _site(shared)
    incidents = [one for _, one in sorted(site.state().incidents.items())]
    shown = incidents[-last:] if last else incidents
    still_open = [one for one in incidents if one.resolved is None]
    return Answer(
        Exit.GO, f"{len(incidents)} incidents, {len(still_open)} open", list_page(shown, site.name, site.clock.wall()),
        site.playbook.service, site.environment.name,
        lists={
            "incidents": incident_rows(shown, site.playbook.severities, site.state().answers),
            "incident": still_open[-1].id if still_open else None,
        },
    )  # fmt: skip


@command(app)
def report(shared: Shared, number: Number = None, template: TemplateName = None) -> Answer:
    """Write incident_report.md in the current folder (-o elsewhere), and a copy under the project's incidents/ID/.

    Of the open incident, else of the newest. What people wrote around the generated parts stays.

    Example: runbook incident report
    """
    site = _site(shared)
    return write_document(shared, site, _reported(site, number), "incident_report.md", template)


@command(app)
def postmortem(shared: Shared, number: Number = None, template: TemplateName = None) -> Answer:
    """Write post_mortem.md in the current folder (-o elsewhere), and a copy under the project's incidents/ID/.

    Timeline, impact and durations are computed; causes and lessons are for people to write, and stay.

    Example: runbook incident postmortem 3
    """
    site = _site(shared)
    return write_document(shared, site, _reported(site, number), "post_mortem.md", template)


def _site(shared: Shared) -> Site:
    """The site, with its store. Raises `Refusal` without one: an incident's number and words are kept there."""
    site = open_site(shared, tolerant=True)
    site.state()  # a store that opens may still turn out not to be readable
    if site.store is None:
        raise store_is_away(site)
    return site


def _reported(site: Site, number: int | None) -> Incident:
    state = site.state()
    if not state.incidents:
        raise Refusal(
            f"{site.playbook.service} in {site.environment.name} has had no incident",
            exit_=Exit.NO_GO,
            next_steps=["runbook incident open TITLE"],
        )
    return the_reported_one(state, number)


def _still_open(incident: Incident) -> Incident:
    if incident.resolved is None:
        return incident
    raise Refusal(
        f"incident {incident.id} was resolved already" + (f": {incident.resolution}" if incident.resolution else ""),
        exit_=Exit.NO_GO,
        next_steps=[f"runbook incident note TEXT --incident {incident.id}", "runbook incident open TITLE"],
    )


def _told(announced: Announced) -> list[str]:
    """What becomes of the notices of an incident that was just opened."""
    queued = [f"notice {name} is on its way" for name in announced.queued]
    return queued + [f"notice {name} is drafted: runbook notify {name}" for name in announced.drafted]


def _something(text: str) -> str:
    if text.strip():
        return text
    raise Refusal("the note is empty", next_steps=["runbook incident note TEXT"])


def _answer(site: Site, incident: Incident, message: str, page: Page) -> Answer:
    return Answer(
        Exit.GO, message, page, site.playbook.service, site.environment.name,
        lists={
            "incidents": incident_rows([incident], site.playbook.severities, site.state().answers),
            "incident": incident.id,
        },
    )  # fmt: skip
