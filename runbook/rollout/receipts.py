"""Receipts: what a decision rested on. A step up carries its own; the newest look is kept as a note in the store."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from runbook.judge.facts import Sample, Series
from runbook.judge.values import problem_of
from runbook.judge.verdicts import Status, verdict_of
from runbook.language.conditions import ConditionError, names_in, parse_condition
from runbook.rollout.kept import keep_note, kept_note
from runbook.rollout.rows import Decision, Row, counted
from runbook.rollout.site import Site, masked
from runbook.rollout.standing import Standing
from runbook.store.events import Recorded

KEPT = "decision"
SHOWN = 5  # samples of a metric that are shown behind a gate
GRAIN = 1.0  # seconds that a sample of the look may be dated later than the decision


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A decision with everything that it rested on. `at` is seconds since the epoch, `about` the command that made it.

    `entered` is when the position was entered that it is about; `operation` the step that was made on it.
    """

    at: float
    who: str
    about: str
    came_from: str
    to: str
    verdict: str
    rows: list[Row]
    entered: float | None = None
    operation: str = ""


@dataclass(frozen=True)
class Behind:
    """The samples behind a gate: how many numbers were kept since the rung was entered, their mean, and the last."""

    metric: str
    unit: str | None
    n: int
    mean: float | None
    last: tuple[Sample, ...]


def keep_decision(site: Site, decision: Decision, about: str) -> None:
    """Keep the newest decision of a look (`gate`, `ramp`, `watch`) for `explain`. Without the store nothing is kept."""
    position = site.state().position
    receipt = Receipt(
        at=site.clock.wall(),
        who=site.who.operator,
        about=about,
        came_from=decision.came_from,
        to=decision.to,
        verdict=decision.verdict.value,
        rows=[replace(row, age=None if row.age is None else round(row.age, 3)) for row in decision.receipt()],
        entered=position.since if position is not None else None,
    )
    keep_note(site, KEPT, masked(msgspec.to_builtins(receipt), site.masker))


def kept_decision(site: Site) -> Receipt | None:
    """The newest decision of a look; None where none was kept, or the store is away."""
    return kept_note(site, KEPT, Receipt)


def receipt_of(record: Recorded) -> Receipt | None:
    """The decision that an operation was begun on; None where it was begun on none (a way back asks nothing)."""
    told = record.event.payload
    rows = [_told(number, row) for number, row in enumerate(told.get("decision") or ())]
    if not rows:
        return None
    return Receipt(
        at=record.event.at / 1_000_000,
        who=record.event.who.operator,
        about=str(told.get("kind", "")),
        came_from=str(told.get("from") or ""),
        to=str(told.get("to") or ""),
        verdict=verdict_of(counted(rows)).value,
        rows=rows,
        operation=record.event.operation or "",
    )


def _told(number: int, row: dict[str, Any]) -> Row:
    kind, title = str(row.get("kind", "")), str(row.get("rule", ""))
    return Row(
        id=f"{kind}/{number}",
        title=title,
        kind=kind,
        status=Status(row.get("status", "unknown")),
        observed=str(row.get("observed") or ""),
        expected=str(row.get("expected") or ""),
        n=row.get("n"),
        age=row.get("age"),
        counts=kind != "trigger" or row.get("status") == "fail",
    )


def last_operations(site: Site, count: int = 5) -> list[Recorded]:
    """The newest operations that were begun, newest first. Raises `StoreAway`."""
    if site.store is None:
        return []
    wanted = 200
    begun: list[Recorded] = []
    while len(begun) < count:  # a long chain is read from its end, in growing pieces
        events = site.store.events(site.chain, last=wanted)
        begun = [record for record in events if record.event.kind == "operation.started"]
        if len(events) < wanted:
            break
        wanted *= 4
    return begun[: -count - 1 : -1]


def newest_receipt(site: Site) -> Receipt | None:
    """The last decision: of a look, or of the step that was made on one, whichever is newer. Raises `StoreAway`."""
    of_steps = (receipt_of(record) for record in last_operations(site, 20))
    found = [one for one in (kept_decision(site), next(filter(None, of_steps), None)) if one is not None]
    return max(found, key=lambda one: one.at, default=None)


def behind(standing: Standing, series: Mapping[str, Series], receipt: Receipt) -> dict[str, list[Behind]]:
    """The samples behind each gate of a decision about the rung we stand on, by the gate's id."""
    position = standing.position
    if position is None or not standing.entered or receipt.at < position.baking_since:
        return {}
    found: dict[str, list[Behind]] = {}
    for row in receipt.rows:
        if row.kind == "gate":
            names = [name for name in _metrics_in(row.title) if name in series]
            found[row.id] = [_behind(name, series[name], position.baking_since, receipt.at) for name in names]
    return found


def _metrics_in(condition: str) -> list[str]:
    try:
        return list(dict.fromkeys(use.name for use in names_in(parse_condition(condition)) if use.role == "metric"))
    except ConditionError:
        return []


def _behind(name: str, series: Series, since: float, until: float) -> Behind:
    samples = [sample for sample in series.samples if since <= sample.t <= until + GRAIN]
    numbers = [float(sample.value) for sample in samples if _counts(sample, series)]  # type: ignore[arg-type]
    mean = math.fsum(numbers) / len(numbers) if numbers else None
    return Behind(name, series.unit, len(numbers), mean, tuple(samples[-SHOWN:]))


def _counts(sample: Sample, series: Series) -> bool:
    """Whether a sample is in the mean, as gates take it."""
    value = sample.value
    return problem_of(sample, series) is None and isinstance(value, int | float) and not isinstance(value, bool)
