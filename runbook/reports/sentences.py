"""The sentences of a report: what a reader who has one minute needs, and what to do next. Figures are computed."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.incidents.impact import Clocks
from runbook.language.durations import show_duration
from runbook.reports.incident import IncidentReport
from runbook.system.clock import utc


@dataclass(frozen=True)
class Minute:
    """One minute's reading: what happened, who was affected and how much, what it is now."""

    happened: str
    affected: str
    now: str


@dataclass(frozen=True)
class NextStep:
    """Something to do, and the command that does it, where there is one."""

    text: str
    command: str = ""


def minute_of(report: IncidentReport) -> Minute:
    """The three sentences at the head of a report."""
    return Minute(_happened(report), _affected(report), _now(report))


def _happened(report: IncidentReport) -> str:
    clocks, beginning = report.impact.clocks, report.impact.beginning
    where = f"{report.service} in {report.environment}"
    began = utc(clocks.began)
    told = f"On {began:%Y-%m-%d} at {began:%H:%M:%S} UTC "
    told += f"{beginning.what} for {where}" if beginning else f"an incident of {where} began ({clocks.sign})"
    change = report.change
    if change is not None and change.at <= clocks.began:
        told += f", {show_duration(clocks.began - change.at)} after {change.name} by {change.who}"
    parts = [told]
    if beginning and clocks.sign:
        parts.append(f"it was noticed after {show_duration(clocks.to_detect or 0.0)} ({clocks.sign})")
    if clocks.to_mitigate is not None:
        parts.append(
            f"the {report.way_back or 'way back'} was done {show_duration(clocks.to_mitigate)} after the beginning"
        )
    elif report.way_back:
        parts.append(f"a {report.way_back} was begun and is not known to be done")
    return "; ".join(parts) + "."


def _affected(report: IncidentReport) -> str:
    impact = report.impact
    share = "An unknown share" if impact.percent is None else f"{impact.percent:g} %"
    told = f"{share} of the traffic for {show_duration(impact.clocks.duration)}{_how_far(impact.clocks)}"
    requests = impact.requests
    if requests is None:
        return f"{told}; how many requests that were is not known, since no metric counted them."
    least = "at least " if requests.at_least else ""
    counted = f"{told}; {least}{requests.total:,} requests in that time ({requests.metric})"
    return f"{counted}, {requests.affected} of them in the changed share." if requests.affected else f"{counted}."


def _how_far(clocks: Clocks) -> str:
    if clocks.going_on:
        return ", and going on"
    return "" if clocks.mitigated is not None else ", until it was resolved"


def _now(report: IncidentReport) -> str:
    incident, standing = report.incident, report.standing
    if incident.resolved is None:
        state = f"The incident is open ({incident.severity})"
    else:
        state = f"The incident was resolved at {utc(incident.resolved):%Y-%m-%d %H:%M:%S} UTC ({incident.severity})"
        state += f": {incident.resolution}" if incident.resolution else ""
    parts = [state]
    position = standing.position
    if position is None:
        parts.append(f"no position of {report.service} is recorded")
    else:
        verified = "verified" if position.verified else "not verified"
        parts.append(f"{report.service} is at {position.name} since {utc(position.since):%H:%M:%S} UTC, {verified}")
    if standing.under_way:
        parts.append(f"{standing.under_way} has not ended")
    if standing.hold is not None:
        parts.append("it is held" + (f" ({standing.hold.reason})" if standing.hold.reason else ""))
    return "; ".join(parts) + "."


def next_steps(report: IncidentReport) -> tuple[NextStep, ...]:
    """What to do next, by how things stand. Each command names the environment: a report is read elsewhere, too."""
    standing, number = report.standing, report.incident.id
    steps = []
    if standing.under_way:
        steps.append(("An operation was cut off or still runs: look, then end it", "resume"))
    if report.open and report.impact.clocks.mitigated is None:
        steps.append(("Nothing was brought back yet: one step back", "rollback"))
        steps.append(("Everything back to the safe flags", "rollback --emergency"))
    if report.open:
        steps.append(("Write down what is found", f"incident note TEXT --incident {number}"))
    if undone := [item for item in report.checklist if not item.done]:
        steps.append(("Work through the checklist, line by line", f"sign {undone[0].slug} --evidence TEXT"))
    if standing.hold is not None:
        steps.append(("When the cause is removed, release the hold", "release"))
    if report.open:
        steps.append(("When it is over", f"incident resolve TEXT --incident {number}"))
    else:
        steps.append(("Write the post-mortem", f"incident postmortem {number}"))
    steps.append(("Before going up again", "preflight"))
    return tuple(NextStep(text, f"runbook {command} -e {report.environment}") for text, command in steps)
