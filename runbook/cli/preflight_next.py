"""What to type after a preflight: against what does not hold, else on."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence

from runbook.checks.base import Check, CheckResult
from runbook.judge.verdicts import Status
from runbook.language.durations import parse_duration
from runbook.rollout.last_good import every
from runbook.rollout.manual_items import BY_PEOPLE, manual_items
from runbook.rollout.site import Site
from runbook.show.advice import advice_on, can_be_typed, signing_in
from runbook.show.checked import AGAINST

_MORE_TIME = re.compile(r"runbook preflight --deadline (\d+[smh])\b")  # as a check says it that had no time


def preflight_of(stage: str | None, only: Iterable[str] = ()) -> str:
    """The command that looks again."""
    return shlex.join(["runbook", "preflight", *([stage] if stage else [])]) + "".join(
        f" --only {shlex.quote(one)}" for one in only
    )


def against_it(site: Site, against: Sequence[CheckResult], again: str) -> str:
    """What to type when checks do not hold, and then `again`."""
    rows = [row for row in every(against) if row.status in AGAINST]
    failed = [row for row in rows if row.status is Status.FAIL]
    unanswered = [_signed(site, row) for row in rows if row.check.kind in BY_PEOPLE]
    unknown = [row for row in rows if row.status is Status.UNKNOWN]
    for first in (*_advice(failed), *unanswered, *_advice(unknown)):
        return f"{first}, then  {again}"
    if site.environment.protected and any(_is_barred(row.check) for row in rows):
        elsewhere = [name for name, one in site.playbook.environments.items() if not (one.protected or one.sandbox)]
        return f"{again} -e {elsewhere[0]}" if elsewhere else f"allow: true at the load in the playbook, then  {again}"
    more = [found[1] for row in rows if (found := _MORE_TIME.search(row.message))]
    return f"{again} --deadline {max(more, key=parse_duration)}" if more else again


def where_it_is_looked_at(site: Site, row: CheckResult, again: str) -> str:
    """What to type where every check was passed over: the first one, in an environment where it is looked at."""
    while row.nested:
        row = row.nested[0]
    elsewhere = [name for name in site.playbook.environments if row.check.counts_in(name)]
    return f"{again} --only {row.check.full_id} -e {elsewhere[0]}" if elsewhere else again


def _advice(rows: Iterable[CheckResult]) -> list[str]:
    """What the playbook advises, as far as it can be typed; what is said behind a command is left out."""
    advice = (advice_on(row.status.value, row.check.advice, row.message) for row in rows)
    typed = (one.partition("  ")[0] if one.startswith("runbook ") else one for one in advice)
    return [one for one in typed if can_be_typed(one)]


def _signed(site: Site, row: CheckResult) -> str:
    """The command that answers a manual item, as its row says it; with its list where two have the same name."""
    alike = [item for item in manual_items(site) if item.id == row.check.id]
    told = signing_in(row.message) if row.status is Status.UNKNOWN and len(alike) < 2 else ""
    return told or f"runbook sign {row.check.full_id}"


def _is_barred(check: Check) -> bool:
    """Whether it is a load that the playbook does not allow where it may do harm."""
    return check.kind == "load" and not check.options.allow
