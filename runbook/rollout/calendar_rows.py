"""The calendar as a row of a decision to go up. It never binds a way back, and no sandbox."""

from __future__ import annotations

from datetime import datetime

from runbook.judge.calendar import Calendar, calendar_at
from runbook.judge.verdicts import Status
from runbook.judge.zones import UnknownZoneError, zone_of
from runbook.language.durations import show_duration
from runbook.rollout.rows import Row
from runbook.rollout.site import Site
from runbook.system.clock import local_day_and_clock, utc
from runbook.system.moments import dated

WEEK = 6.5 * 86_400.0  # seconds, in which the name of a day says which is meant


def calendar_rows(site: Site) -> list[Row]:
    """Whether a step up may be made now: until when, or when next and why not now."""
    calendar, now = site.playbook.calendar, site.clock.wall()
    if calendar is None or site.environment.sandbox:
        return []
    standing = calendar_at(calendar, now)
    if standing.open:
        closes = "" if standing.closes_at is None else f", closes {_told(calendar, standing.closes_at, now)}"
        return [Row("calendar", "calendar", "calendar", Status.PASS, f"open{closes}", calendar.text)]
    opens, remedy = "", f"correct the calendar of {site.playbook.path}, then  runbook lint"
    if standing.opens_at is not None:
        ahead = show_duration(standing.opens_at - now)
        opens = f"; opens {_told(calendar, standing.opens_at, now)} (in {ahead})"
        remedy = f"wait until {dated(standing.opens_at)}"
    return [
        Row(
            id="calendar",
            title="calendar",
            kind="calendar",
            status=Status.FAIL,
            observed="closed",
            message=f"{'frozen: ' if standing.frozen else ''}{standing.why}{opens}",
            remedy=remedy,
        )
    ]


def _told(calendar: Calendar, moment: float, now: float) -> str:
    """A moment in the operator's zone, and in the calendar's where the clocks there show something else."""
    here = local_day_and_clock(moment, now) if moment - now < WEEK else dated(moment)
    try:
        there = datetime.fromtimestamp(moment, zone_of(calendar.timezone))
    except UnknownZoneError:
        return here
    if there.utcoffset() == utc(moment).astimezone().utcoffset():
        return here
    return f"{here}, {there:%a %H:%M} in {calendar.timezone}"
