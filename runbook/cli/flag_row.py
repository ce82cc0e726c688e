"""The row of a preflight that holds the flag file against what is known of it."""

from __future__ import annotations

import os

from runbook.checks.base import Check, CheckResult
from runbook.flags.changes import FlagTrouble
from runbook.judge.verdicts import Reason, Status
from runbook.rollout.flag_rows import flag_rows
from runbook.rollout.looking import look
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing


def flags_row(site: Site, standing: Standing, trouble: FlagTrouble | None) -> CheckResult:
    """The safe-default check before a later stage was entered, the drift check after it."""
    from runbook.checks.here.flags import Flags

    later = standing.entered and standing.position is not None and standing.rungs[:1] != (standing.rung,)
    title = "The flag file is as it was left" if later else "The flag file shows the safe defaults"
    now, advice = site.clock.wall(), None
    if trouble is not None and not is_elsewhere(site, standing, trouble):
        advice = next((row.remedy for row in flag_rows(site, None)), trouble.hint) or None
    options = Flags(flags="safe")
    check = Check(title=title, id="drift" if later else "safe_defaults", kind="flags", options=options, advice=advice)
    if trouble is not None and is_elsewhere(site, standing, trouble):
        told = f"{trouble.path} is not there: run it where the flag file lies, or put {trouble.path} there"
        return CheckResult(check, Status.UNKNOWN, Reason.NODATA, message=told, checked_at=now)
    if trouble is not None:
        told = f"{trouble.path} {trouble.reason}"
        return CheckResult(check, Status.FAIL, observed="cannot be read", message=told, checked_at=now)
    if site.playbook.flags is None:
        return CheckResult(check, Status.SKIPPED, message="the playbook has no flags")
    if not standing.rungs:  # no first stage to hold the file against
        return look(site, [check], metrics=False, deadline=check.timeout).checks[0]
    wrong = [str(drift) for drift in standing.drift]
    observed = "; ".join(wrong) or (f"{len(standing.missing)} not set" if standing.missing else "yes")
    status = Status.FAIL if wrong else Status.PASS
    return CheckResult(check, status, observed=observed, listed=wrong[1:], checked_at=now)


def is_elsewhere(site: Site, standing: Standing, trouble: FlagTrouble | None) -> bool:
    """Whether there is no flag file here, and no history that says there was one: nobody can look then."""
    return trouble is not None and not standing.entered and not os.path.lexists(site.project / trouble.path)
