"""The screen of `status`: one service in one environment, from the store and files alone; at most 24 lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runbook.judge.facts import Sample
from runbook.language.conditions import names_in, parse_condition
from runbook.language.durations import show_duration
from runbook.language.units import show_value
from runbook.playbook.model import Metric, Stage
from runbook.rollout.bake import elapsed_since
from runbook.rollout.glance import Glance
from runbook.rollout.rows import Row
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing
from runbook.rollout.underway import said_of_steps
from runbook.show.card import Card
from runbook.show.open_matters import open_lines
from runbook.show.page import STYLES, Line, Page, Span, shortened
from runbook.store.base import LeaseView
from runbook.system.clock import local_day_and_clock

LINES = 23  # of a screen of 24, with the prompt
MOST_METRICS = 6
BARS = "▁▂▃▄▅▆▇█"
BY_WAY = {
    "partial": "by a partial way back",
    "fallback": "by a fallback",
    "previous": "by a way back",
    "rollback": "by a rollback",
    "emergency": "by the emergency",
    "adopt": "as it was found",
}


@dataclass(frozen=True)
class Seen:
    """What `status` gathered. `rules` are the rows of the decision to go on, `triggers` how many are watched for."""

    glance: Glance
    lease: LeaseView | None = None
    samples: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    rules: Sequence[Row] = ()
    triggers: int = 0


def status_page(site: Site, seen: Seen) -> Page:
    """The screen: what is cut off or held first, then where we are and what comes."""
    glance, end = seen.glance, Page()
    end.next(f"{glance.step.command}{shortened(glance.step.told, 90)}", *glance.step.more[:2])
    if glance.back and glance.found is None and not glance.standing.drift:
        end.next(glance.back, label="Back")
    card = Card(LINES - sum(block.height() for block in end.blocks if isinstance(block, Line)))
    _first_line(card, site, glance)
    if glance.found is not None:
        word = "at work" if glance.found.alive else "cut off"
        card.add(word, Span(shortened(glance.found.what, 110), "yellow" if glance.found.alive else "bold red"))
        card.add("", shortened(said_of_steps(glance.found), 190), spare=2)
    _ladder(card, site, glance.standing)
    _bake(card, site, glance)
    names = _in_turn(site, seen)
    for number, name in enumerate(names[:MOST_METRICS]):
        _metric(card, site, name, seen.samples[name], spare=4 + number)
    if len(names) > MOST_METRICS:
        card.add("metrics", f"{len(names) - MOST_METRICS} more: runbook health-check", spare=11)
    open_lines(card, site, glance, seen.lease, seen.rules, seen.triggers)
    _wrong(card, glance)
    page = Page()
    card.onto(page)
    page.blocks += end.blocks
    return page


def _first_line(card: Card, site: Site, glance: Glance) -> None:
    position, danger = glance.standing.position, glance.danger
    if position is None:
        where = "before the first stage"
    elif glance.standing.entered:
        where = f"{position.name} for {show_duration(_whole(elapsed_since(position, site.clock)))}"
    else:
        where = f"{position.name}, by its flag file"
    word = "" if danger.word == "QUIET" else f"   {danger.word}"
    if danger.word in ("UNSAFE", "SERVICE DOWN") and danger.since is not None:
        word += f" since {local_day_and_clock(danger.since, site.clock.wall())}"
    if word.strip() != "HELD" and glance.state.hold_at(site.clock.wall()) is not None:
        word = f"{word}, HELD" if word else "   HELD"
    card.line(Span(site.name, "bold"), f"   {where}", Span(word, STYLES.get(danger.word, "bold")), indent=2)


def _whole(seconds: float) -> float:
    """Without the seconds where minutes say enough."""
    return float(round(seconds) // 60 * 60) if seconds >= 600 else seconds


def _ladder(card: Card, site: Site, standing: Standing) -> None:
    if not standing.rungs:
        return
    parts: list[str] = []
    for stage in site.playbook.stages:
        here = standing.position if standing.position and standing.position.stage == stage.name else None
        if here is not None and len(stage.rungs) > 1:
            steps = (
                f"[{rung.percent:g}]" if rung.percent == here.percent else f"{rung.percent:g}" for rung in stage.rungs
            )
            parts.append(f"{stage.name} {', '.join(steps)}")
        else:
            text = f"{stage.name} {', '.join(f'{rung.percent:g}' for rung in stage.rungs)}"
            parts.append(f"[{text}]" if here and standing.rung is not None else text)
    card.add("ladder", " > ".join(parts), spare=1)
    position = standing.position
    if standing.entered and position is not None and not standing.gone:
        off = standing.rung is None
        way = BY_WAY.get(position.how, "")
        if off or (way and position.how != "adopt"):
            told = ", ".join(word for word in (position.name, "off the ladder" if off else "", way) if word)
            card.add("here", Span(told, "yellow" if off else ""), spare=0 if off else 3)


def _bake(card: Card, site: Site, glance: Glance) -> None:
    bake, now = glance.bake, site.clock.wall()
    if bake is None or bake.asked <= 0 or glance.danger.word == "STABLE":
        return
    full = round(20 * bake.share)
    told = "over" if bake.over else f"opens {local_day_and_clock(bake.ends_at, now)}, {show_duration(bake.left)} left"
    later = bake.recommended_until
    if later is not None and later > max(now, bake.ends_at):
        told += f", recommended until {local_day_and_clock(later, now)}"
    watched = f", watched {bake.sampled:.0%}" if bake.sampled is not None and bake.sampled_asked is not None else ""
    card.add("bake", Span("#" * full + "-" * (20 - full), "cyan"), f"  {told}{watched}")


def _in_turn(site: Site, seen: Seen) -> list[str]:
    """The metrics with samples: first what is bad, then what gates and triggers of the stage name, then what has a
    target.
    """
    bad = {one.name for one in seen.glance.danger.breaches} | {one.name for one in seen.glance.danger.blind}
    stage = seen.glance.standing.stage
    asked = _named(stage) if stage is not None else frozenset()

    def rank(name: str) -> int:
        metric = site.playbook.metrics[name]
        return 0 if name in bad else 1 if name in asked else 2 if metric.target else 3

    return sorted((name for name, samples in seen.samples.items() if samples), key=rank)


def _named(stage: Stage) -> frozenset[str]:
    """The metrics that the stage's gates and triggers speak of."""
    texts = [gate.condition for gate in stage.gates if gate.condition] + [one.when for one in stage.triggers]
    return frozenset(use.name for text in texts for use in names_in(parse_condition(text)))


def _metric(card: Card, site: Site, name: str, samples: Sequence[Sample], *, spare: int) -> None:
    metric: Metric = site.playbook.metrics[name]
    good = [sample for sample in samples if sample.good]
    newest = samples[-1]
    value = show_value(newest.value, metric.unit) if newest.good else "??"
    age = show_duration(_whole(max(0.0, site.clock.wall() - newest.t)))
    spark = sparkline([float(sample.value) for sample in good if isinstance(sample.value, (int, float))])
    style = "" if newest.good else "yellow"
    target = f"  {metric.target}" if metric.target else ""
    card.line(
        f"  {name:<16} ", Span(f"{shortened(value, 20):>9}", style), f"  {spark:<8}{target}   {age} ago", indent=19,
        spare=spare,
    )  # fmt: skip


def sparkline(values: Sequence[float], width: int = 8) -> str:
    """The last values as bars; all on one line when they are equal."""
    last = list(values)[-width:]
    if not last:
        return ""
    low, high = min(last), max(last)
    if high == low:
        return BARS[2] * len(last)
    return "".join(BARS[round((value - low) / (high - low) * (len(BARS) - 1))] for value in last)


def _wrong(card: Card, glance: Glance) -> None:
    """Drift, a stage that is gone, a flag file that cannot be read."""
    # While something is cut off, what it did is no riddle.
    for number, drift in enumerate(glance.standing.drift if glance.found is None else ()):
        card.add("drift", Span(shortened(str(drift), 120), "red"), spare=3 if number > 2 else 0)
    if glance.standing.gone:
        card.add("position", Span("the playbook has no such stage any more", "red"))
    if glance.flags_trouble:
        card.add("flags", Span(shortened(glance.flags_trouble, 120), "red"))
