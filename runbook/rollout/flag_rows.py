"""Whether the flag files can be read, and edited for the next step: a no where `ramp` would be refused."""

from __future__ import annotations

import shlex

from runbook.flags.changes import FlagTrouble
from runbook.judge.verdicts import Status
from runbook.rollout.ladder import Rung, flags_at
from runbook.rollout.planning import set_steps
from runbook.rollout.rows import Row
from runbook.rollout.site import Site

CREATES = "echo"  # how the command begins that makes a flag file


def flag_rows(site: Site, to: Rung | None) -> list[Row]:
    """A row where a flag file cannot be read or edited exactly, with what to do; nothing where all is well."""
    try:
        shown, flags = site.shown_flags(), site.playbook.flags
        if to is not None:
            set_steps(site, flags_at(site.playbook, to, shown.get(flags.percent) if flags and flags.percent else None))
    except FlagTrouble as trouble:
        return [
            Row(
                id="flags",
                title="the flag file can be edited",
                kind="flags",
                status=Status.FAIL,
                observed=f"{trouble.path} {trouble.reason}",
                remedy=_remedy(site, trouble),
            )
        ]
    return []


def _remedy(site: Site, trouble: FlagTrouble) -> str:
    """A file that is not there, or holds nothing, is made; all else is as the trouble says."""
    path = site.project / trouble.path
    try:
        bare = not path.exists() or (path.is_file() and path.stat().st_size == 0)
    except OSError:
        bare = False
    if bare and path.parent.is_dir():
        return f"{CREATES} '# flags of {site.name}' >> {shlex.quote(trouble.path)}"
    return trouble.hint or "runbook doctor  shows what is found where"
