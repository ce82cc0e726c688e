"""When each check passed last, and what happened since: what a failing row says beside its own value."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from runbook.checks.base import CheckResult
from runbook.judge.verdicts import Status
from runbook.rollout.kept import change_note, kept_note
from runbook.rollout.site import Site, masked
from runbook.store.base import StoreAway
from runbook.store.events import Recorded
from runbook.system.clock import microseconds
from runbook.system.harmless import harmless

KEPT = "last_good"
LOOKED = "looked"  # the note with the first look of each list of checks
MOST_KEPT = 1000  # checks of a chain
MOST_READ = 500  # events that are looked through
NEWEST = 3  # events that are told
LONGEST = 160  # characters of what is kept or told
# What may explain why a check does not hold any more.
CHANGES = (
    "operation.ended", "version.seen", "bake.restarted", "incident.opened", "incident.resolved", "incident.noted",
    "hold.set", "hold.released", "check.signed", "role.signed", "check.waived", "trigger.fired", "noted",
)  # fmt: skip


class Good(msgspec.Struct, frozen=True):
    """A check when it passed. `at` is in seconds since the epoch, `observed` as it was shown."""

    at: float
    observed: str = ""


@dataclass(frozen=True)
class Happened:
    """One event, in words. `at` is in seconds since the epoch."""

    at: float
    kind: str
    who: str
    text: str


@dataclass(frozen=True)
class Beside:
    """What stands beside a check that does not hold: when it was last good (None: never, though its list was looked at
    before), and what happened since, the newest first; `more` events are not listed.
    """

    last: Good | None
    events: tuple[Happened, ...] = ()
    more: int = 0


def keep_last_good(site: Site, results: Iterable[CheckResult]) -> None:
    """Keep when the checks that pass passed, and what they saw: one note of the chain. Without the store nothing."""
    now, rows = site.clock.wall(), list(every(results))
    _keep_looked(site, rows, now)
    good = {
        row.check.full_id: Good(row.checked_at or now, harmless(row.observed or row.message, limit=LONGEST))
        for row in rows
        if row.status is Status.PASS
    }
    if not good or site.store is None:
        return

    def merged(kept: dict[str, Good] | None) -> Any:
        stays = {name: old for name, old in (kept or {}).items() if name not in good or old.at > good[name].at}
        newest = sorted({**good, **stays}.items(), key=lambda one: -one[1].at)[:MOST_KEPT]
        return masked(msgspec.to_builtins(dict(newest)), site.masker)

    change_note(site, KEPT, dict[str, Good], merged)


def _keep_looked(site: Site, rows: Iterable[CheckResult], now: float) -> None:
    """Keep when each list of checks was looked at first."""
    before = _first_looks(site)
    first = {row.check.checklist: now for row in rows if row.status not in (Status.SKIPPED, Status.WAIVED)}
    if not first.keys() <= before.keys():
        change_note(
            site, LOOKED, dict[str, float], lambda kept: dict(list({**first, **(kept or {})}.items())[:MOST_KEPT])
        )


def _first_looks(site: Site) -> dict[str, float]:
    """When each list of checks was looked at first, in seconds since the epoch."""
    return kept_note(site, LOOKED, dict[str, float]) or {}


def kept_last_good(site: Site) -> dict[str, Good]:
    """The checks that were ever seen to pass, by `LIST/ID`."""
    return kept_note(site, KEPT, dict[str, Good]) or {}


def every(results: Iterable[CheckResult]) -> Iterator[CheckResult]:
    """The rows and those nested in them."""
    for row in results:
        yield row
        yield from every(row.nested)


def beside_failing(site: Site, results: Iterable[CheckResult]) -> dict[str, Beside]:
    """For each check that does not hold, by `LIST/ID`: when it was last good, and what happened since.

    Empty where the store is away: nobody can tell then. In the first look of a checklist nothing is said of what never
    passed. A list of checks is told by those in it; what only people answer has no value to compare, so it is told
    where it was answered once.
    """
    against = [row for row in every(results) if row.status in (Status.FAIL, Status.UNKNOWN) and not row.nested]
    if not against or site.store is None:
        return {}
    kept = kept_last_good(site)
    first, now = _first_looks(site), site.clock.wall()
    found = {
        row.check.full_id: kept.get(row.check.full_id)
        for row in against
        if row.check.full_id in kept or first.get(row.check.checklist, now) < (row.checked_at or now)
    }
    oldest = min((good.at for good in found.values() if good is not None), default=None)
    happened = _happened(site, oldest) if oldest is not None else []
    if site.store is None:  # it went away meanwhile
        return {}
    from runbook.rollout.manual_items import BY_PEOPLE

    people = {row.check.full_id for row in against if row.check.kind in BY_PEOPLE}
    return {name: _beside(good, happened) for name, good in found.items() if good is not None or name not in people}


def _beside(good: Good | None, happened: Sequence[Happened]) -> Beside:
    since = [one for one in happened if good is not None and one.at > good.at]
    return Beside(good, tuple(since[:NEWEST]), len(since) - len(since[:NEWEST]))


def _happened(site: Site, since: float) -> list[Happened]:
    """The events that may explain a change, newest first."""
    if site.store is None:
        return []
    try:
        found = site.store.events(site.chain, since=microseconds(since), last=MOST_READ)
    except StoreAway as away:
        site.lose_store(away)
        return []
    told = [record for record in found if record.event.kind in CHANGES or _is_adoption(record)]
    told.sort(key=lambda record: (-record.event.at, -record.number))
    return [_in_words(record) for record in told]


def _is_adoption(record: Recorded) -> bool:
    return record.event.kind == "position.entered" and record.event.payload.get("how") == "adopt"


def _in_words(record: Recorded) -> Happened:
    from runbook.incidents.words import words_of

    event = record.event
    return Happened(event.at / 1_000_000, event.kind, event.who.operator, harmless(words_of(record), limit=LONGEST))


def since_option(last: float, now: float) -> str:
    """What `runbook history --since` has to be given so that everything after `last` is shown: `22h`, `40m`."""
    seconds = max(0.0, now - last) + 1
    return f"{math.ceil(seconds / 60)}m" if seconds < 7200 else f"{math.ceil(seconds / 3600)}h"
