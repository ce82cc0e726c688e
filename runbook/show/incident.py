"""The screens of incidents: the list, one incident with its timeline, what was changed, what was written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runbook.incidents.severity import respond_by
from runbook.language.durations import show_duration
from runbook.playbook.model import Severity
from runbook.reports.incident import IncidentReport
from runbook.reports.sentences import minute_of
from runbook.show.documents import IncidentRow
from runbook.show.page import Page, Span
from runbook.show.rows import incident_row
from runbook.store.state import Incident
from runbook.system.clock import local_clock, local_day_and_clock

SHOWN = 30  # rows of a timeline on a screen


def incident_rows(incidents: Iterable[Incident], severities: dict[str, Severity]) -> list[IncidentRow]:
    """The rows of the JSON document, each with the time at which an answer is due."""
    return [incident_row(one, respond_by(severities, one.severity, one.opened)) for one in incidents]


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
    rows = report.timeline[-(last or SHOWN) :]
    if len(rows) < len(report.timeline):
        page.line(f"  the newest {len(rows)} of {len(report.timeline)} rows; --last shows more")
    for row in rows:
        what = f"changed before: {row.what}" if row.change else row.what
        page.line(f"  {local_clock(row.at)}  {_offset(row.at - clocks.began):>11}  {what}  ({row.who})", indent=25)
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
    if report.open and report.respond is not None:
        left = report.respond - report.written
        yield f"answer due in {show_duration(left)}" if left > 0 else f"answer was due {show_duration(-left)} ago"


def _offset(seconds: float) -> str:
    return ("-" if seconds < 0 else "+") + show_duration(abs(seconds))


def _next(report: IncidentReport) -> tuple[str, ...]:
    number = report.incident.id
    if not report.open:
        return (f"runbook incident postmortem {number}",)
    if report.impact.clocks.mitigated is None:
        return ("runbook rollback --emergency", "runbook incident note TEXT")
    return ("runbook incident report", "runbook incident resolve TEXT")


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
