"""Whether this machine's clock can be right, as a row of a decision: what happened cannot be later than now."""

from __future__ import annotations

from runbook.judge.verdicts import Status
from runbook.rollout.rows import Row
from runbook.rollout.site import Site
from runbook.system.moments import dated

BEHIND_ALLOWED = 60.0  # seconds: what the clocks of two machines may differ by


def clock_rows(site: Site) -> list[Row]:
    """A no where the clock is behind the newest event: how long ago anything was cannot be told then.

    Bakes are counted by the time since boot and go on. Where it is the event's clock that was wrong, an override says
    so: an event is never taken back.
    """
    now, latest = site.clock.wall(), site.state().latest
    if latest - now <= BEHIND_ALLOWED:
        return []
    return [
        Row(
            id="clock",
            title="the clock is right",
            kind="clock",
            status=Status.FAIL,
            observed=f"this clock says {dated(now)}, the newest event is of {dated(latest)}",
            message="sign-offs, waivers and the calendar cannot be judged by it; is the event wrong instead (runbook "
            "history shows whose it is), ramp --override REASON passes this",
            remedy="date; timedatectl",
            can_override=True,
        )
    ]


def dated_wrongly(site: Site) -> str:
    """What is wrong with the time that anything said now is recorded with; empty where nothing is."""
    return "; ".join(f"{row.observed}: see {row.remedy}" for row in clock_rows(site))
