"""The screens of incidents: the list, one incident with its timeline, what was changed, what was written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from runbook.incidents.checklist import ChecklistItem, checklist_of
from runbook.incidents.severity import response_of
from runbook.incidents.timeline import show_offset
from runbook.language.durations import show_duration
from runbook.playbook.model import Severity
from runbook.reports.incident import IncidentReport
from runbook.reports.sentences import minute_of
from runbook.show.documents import ChecklistRow, IncidentRow
from runbook.show.page import Page, Span
from runbook.show.rows import incident_row
from runbook.store.state import Incident, SignedAnswer
from runbook.system.clock import local_clock, local_day_and_clock, rfc3339

SHOWN = 30  # rows of a timeline on a screen


def incident_rows(
    incidents: Iterable[Incident], severities: dict[str, Severity], answers: Mapping[str, SignedAnswer]
) -> list[IncidentRow]:
    """The rows of the JSON document, each with its checklist and when an answer was due and came."""
    return [_incident_row(one, severities, answers) for one in incidents]


def _incident_row(
    incident: Incident, severities: dict[str, Severity], answers: Mapping[str, SignedAnswer]
) -> IncidentRow:
    response = response_of(severities, incident, incident.opened)
    row = incident_row(incident, response.due)
    row.answered_at = None if response.answered is None else rfc3339(response.answered)
    row.checklist = [_checklist_row(item) for item in checklist_of(incident, answers)]
    return row


def _checklist_row(item: ChecklistItem) -> ChecklistRow:
    answer = item.answer
    if answer is None:
        return ChecklistRow(id=item.id, text=item.text, done=False)
    return ChecklistRow(
        id=item.id, text=item.text, done=item.done, by=answer.who, at=rfc3339(answer.at), evidence=answer.evidence
    )


def list_page(incidents: Sequence[Incident], name: str, now: float) -> Page:
    """All incidents of a service and environment, the newest first."""
    page = Page()
    still_open = sum(1 for one in incidents if one.resolved is None)
    page.verdict(f"{still_open} open", name, f"{len(incidents)} incident{'' if len(incidents) == 1 else 's'} in all")
    if incidents:
        page.table(
            ("id", "severity", "state", "opened", "lasted", "by", "title"),
            [
                (
                    one.id,
                    one.severity,
                    "open" if one.resolved is None else "resolved",
                    local_day_and_clock(one.opened, now),
                    show_duration(max(0.0, (one.resolved or now) - one.opened)),
                    one.by,
                    one.title,
                )
                for one in reversed(incidents)
            ],
        )
    page.next("runbook incident show" if incidents else "runbook incident open TITLE")
    return page


def show_page(report: IncidentReport, last: int | None = None) -> Page:
    """One incident: what happened, how much, what it is now, and its timeline."""
    page, incident, minute = Page(), report.incident, minute_of(report)
    clocks = report.impact.clocks
    state = "OPEN" if report.open else "RESOLVED"
    page.verdict(state, f"incident {incident.id} {incident.severity}", f"{report.service} · {report.environment}")
    page.line("  ", Span(incident.title, "bold"), indent=2)
    for sentence in (minute.happened, minute.affected, minute.now):
        page.line(f"  {sentence}", indent=2)
    page.line("  ", "  ".join(_clocks(report)), indent=2)
    checklist_lines(page, report.checklist, report.written)
    rows = report.timeline[-(last or SHOWN) :]
    if len(rows) < len(report.timeline):
        page.line(f"  the newest {len(rows)} of {len(report.timeline)} rows; --last shows more")
    for row in rows:
        what = f"changed before: {row.what}" if row.change else row.what
        page.line(f"  {local_clock(row.at)}  {show_offset(row.at - clocks.began):>11}  {what}  ({row.who})", indent=25)
    page.next(*_next(report))
    return page


def _clocks(report: IncidentReport) -> Iterable[str]:
    clocks = report.impact.clocks
    for name, seconds in (
        ("detected", clocks.to_detect),
        ("mitigated", clocks.to_mitigate),
        ("resolved", clocks.to_resolve),
    ):
        yield f"{name} after {show_duration(seconds)}" if seconds is not None else f"{name}: not known"
    if words := report.response.words(report.answered_by):
        yield words


def checklist_lines(page: Page, checklist: Sequence[ChecklistItem], now: float) -> None:
    """What the way back asks people to do after it: each line with its box, and who did it."""
    if not checklist:
        return
    page.line(f"  checklist  {sum(item.done for item in checklist)} of {len(checklist)} done")
    for item in checklist:
        page.line(f"    {item.box} {item.text}", f"   {_answered(item, now)}", indent=8)


def _answered(item: ChecklistItem, now: float) -> str:
    answer = item.answer
    if answer is None:
        return f"runbook sign {item.slug}"
    told = ", ".join(filter(None, (answer.who, local_day_and_clock(answer.at, now), answer.evidence)))
    return told if item.done else f"not done: {told}"


def _next(report: IncidentReport) -> tuple[str, ...]:
    number = report.incident.id
    if not report.open:
        return (f"runbook incident postmortem {number}",)
    if report.impact.clocks.mitigated is None:
        return ("runbook rollback --emergency", "runbook incident note TEXT")
    return ("runbook incident report", 'runbook incident resolve "what it was, what was done"')


def changed_page(word: str, incident: Incident, *lines: str, following: Sequence[str] = ()) -> Page:
    """What was just recorded about an incident."""
    page = Page()
    page.verdict(word, f"incident {incident.id} {incident.severity}", incident.title)
    for line in lines:
        page.line(f"  {line}", indent=2)
    page.next(*following)
    return page


def written_page(report: IncidentReport, path: str, kept: str | None, said: Iterable[str], following: str) -> Page:
    """What was written where, and the minute's reading of it."""
    page, minute = Page(), minute_of(report)
    page.verdict("WRITTEN", path)
    for line in said:
        page.line(f"  {line}", indent=2)
    if kept is not None and kept != path:
        page.line(f"  kept at {kept}", indent=2)
    for sentence in (minute.happened, minute.affected, minute.now):
        page.line(f"  {sentence}", indent=2)
    page.next(following)
    return page
