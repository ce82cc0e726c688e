"""The baseline: the numbers before the change. A stage that says so has them kept as the reference when it is left."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from runbook.actions.journal import Entry, Journal
from runbook.judge.evaluate import evaluate_value
from runbook.judge.facts import Facts
from runbook.judge.verdicts import Reason, Status
from runbook.language.conditions import parse_condition
from runbook.playbook.held_against import held_against_baseline
from runbook.rollout.references import FEWEST, Numbers, enough, numbers_of, of_this_journey, usable
from runbook.rollout.rows import Row
from runbook.rollout.samples import interval_of
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing
from runbook.store.events import Event
from runbook.store.state import Captured, Position
from runbook.system.clock import local_day_and_clock, microseconds

LEAVING = "leaving"
SLOWEST = 0.5  # seconds that one look may take where a sandbox's intervals are shorter than that


def baseline_rows(site: Site, standing: Standing, facts: Facts) -> list[Row]:
    """Whether the stage that we are about to leave has the numbers to be the reference, where it says `capture`."""
    rung, position = standing.rung, standing.position
    if rung is None or position is None or not (rung.stage.baseline and rung.last_of_stage):
        return []
    names = wanted(site)
    if not names:
        return []
    captured = captured_here(site, position)
    if captured is not None:
        when = local_day_and_clock(captured.at, site.clock.wall())
        least = min(n for _, n, _ in captured.numbers.values())
        return [_row(Status.PASS, f"captured by {captured.who} {when}", least)]
    counts = {name: len(usable(facts.series[name], since_of(facts))) for name in names}
    few = min(counts, key=lambda name: counts[name])
    if beyond := beyond_critical(site, numbers_of(facts.series, since_of(facts))):
        return [_row(Status.FAIL, beyond[0], counts[few], "runbook now")]
    if counts[few] >= FEWEST:
        return [_row(Status.PASS, f"will be captured from {counts[few]:,} samples", counts[few])]
    remedy = f"runbook baseline capture --for {time_for(site, facts)}"
    return [_row(Status.UNKNOWN, f"{counts[few]} of {FEWEST} samples of {few}", counts[few], remedy)]


def _row(status: Status, observed: str, n: int, remedy: str = "") -> Row:
    reason = Reason.NODATA if status is Status.UNKNOWN else None
    return Row("baseline", "baseline", "baseline", status, observed, n=n, reason=reason, remedy=remedy)


def wanted(site: Site) -> tuple[str, ...]:
    """The metrics that a baseline is needed of: those held against it; where none is, all that are asked for."""
    playbook = site.playbook
    asked = (name for name, one in playbook.metrics.items() if one.check and one.is_ != "counter")
    return held_against_baseline(playbook) or tuple(asked)


def captured_here(site: Site, position: Position) -> Captured | None:
    """The baseline that somebody captured of this very bake."""
    state = site.state()
    found = state.baseline
    if found is None or not of_this_journey(state, found) or not found.numbers:
        return None
    here = (found.stage, found.percent) == (position.stage, position.percent)
    return found if here and found.at >= position.baking_since else None


def beyond_critical(site: Site, numbers: Numbers) -> list[str]:
    """Why numbers are no reference: each metric whose mean is beyond its own critical limit."""
    told = []
    for name, (mean, _, _) in numbers.items():
        metric = site.playbook.metrics[name]
        if metric.critical is None:
            continue
        judged = evaluate_value(parse_condition(metric.critical, name), {name: mean}, metric.unit)
        if judged.holds:
            told.append(f"{name} is {judged.observed} on average, and {metric.critical} is critical")
    return told


def since_of(facts: Facts) -> float:
    """Since when numbers count here: when the rung was entered, else as far back as samples were read."""
    return facts.entered if facts.entered is not None else -math.inf


def time_for(site: Site, facts: Facts) -> str:
    """How long to look for what is missing yet, as it is typed: `5m`."""
    scale = site.environment.bake_scale
    seconds = 0.0
    for name in wanted(site):
        missing = FEWEST - len(usable(facts.series[name], since_of(facts)))
        interval = interval_of(site.playbook.metrics[name], scale)
        seconds = max(seconds, missing * (max(SLOWEST, interval) if scale != 1 else interval))
    return f"{max(1, math.ceil(seconds / 60))}m" if seconds > 50 else f"{math.ceil(seconds) + 1}s"


def leaving_payload(site: Site, standing: Standing, facts: Facts) -> dict[str, Any]:
    """What `bake.passed` says of the rung that is left: where, and the numbers of its bake."""
    position = standing.position
    assert position is not None  # only what was entered is left
    told: dict[str, Any] = {"stage": position.stage, "percent": position.percent}
    numbers = numbers_of(facts.series, since_of(facts))
    return {**told, "numbers": numbers} if numbers else told


def baseline_payload(site: Site, standing: Standing, facts: Facts) -> dict[str, Any] | None:
    """What `baseline.captured` says where the stage is left that captures it; None where a person did it already."""
    rung, position = standing.rung, standing.position
    if rung is None or position is None or not (rung.stage.baseline and rung.last_of_stage):
        return None
    numbers = kept_numbers(site, facts)
    if not numbers or beyond_critical(site, numbers) or captured_here(site, position) is not None:
        return None
    return captured_payload(position, numbers, how="ramp")


def kept_numbers(site: Site, facts: Facts) -> Numbers:
    """What a baseline is made of here: each metric with samples enough.

    The mean of what only grows says nothing; it is left out unless the playbook holds it against the baseline.
    """
    metrics, held = site.playbook.metrics, held_against_baseline(site.playbook)
    series = {name: one for name, one in facts.series.items() if metrics[name].is_ != "counter" or name in held}
    return enough(numbers_of(series, since_of(facts)))


def captured_payload(position: Position | None, numbers: Numbers, **more: str) -> dict[str, Any]:
    """`baseline.captured` of a position; of none where no step was entered yet."""
    stage, percent = (position.stage, position.percent) if position else ("", 0.0)
    return {"stage": stage, "percent": percent, "numbers": numbers, **more}


def note_leaving(site: Site, journal: Journal, standing: Standing, facts: Facts) -> None:
    """Write down what the rung leaves behind, before anything is changed: its numbers cannot be had afterwards."""
    told = [("bake.passed", leaving_payload(site, standing, facts))] if standing.entered else []
    if (baseline := baseline_payload(site, standing, facts)) is not None:
        told.append(("baseline.captured", baseline))
    if not told:
        return
    header = journal.header
    events = tuple(site.event(kind, payload, operation=header.operation, epoch=header.epoch) for kind, payload in told)
    journal.note(Entry(state=LEAVING, at=site.clock.wall(), events=events))


def left_events(site: Site, journal: Journal, rollout: int | None) -> list[Event]:
    """The events of what was left behind, now that the step is made; they belong to the rollout under way."""
    noted = [event for entry in journal.entries if entry.state == LEAVING for event in entry.events]
    now = microseconds(site.clock.wall())
    return [msgspec.structs.replace(event, at=now, rollout=rollout) for event in noted]
