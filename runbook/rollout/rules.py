"""Triggers of the stage we are in, and the built-in one for a dead service, as one list of rules with kept states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from runbook.judge.facts import Facts
from runbook.judge.rules import Advanced, Rule, RuleState, advance
from runbook.judge.verdicts import Status
from runbook.language.conditions import parse_condition
from runbook.playbook.model import Playbook, Stage
from runbook.rollout.facts import SHORTEST_INTERVAL, interval_of
from runbook.rollout.rows import Row
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing
from runbook.store.base import StoreAway

SERVICE_DOWN = "service fails for 1m"
KEPT = "rules"


@dataclass(frozen=True)
class Ruled:
    """One rule after this look."""

    rule: Rule
    advanced: Advanced


def rules_of(playbook: Playbook, stage: Stage) -> list[Rule]:
    """The triggers of a stage; last the built-in one: `verify` says for a minute that the service is not there."""
    rules = [
        Rule(
            id=f"{stage.name}/{number}",
            when=parse_condition(trigger.when),
            then=trigger.then,
            source="trigger",
            keep=trigger.keep,
            dry_run=trigger.dry_run,
            on_nodata=trigger.on_nodata or playbook.on_nodata,
            on_error=trigger.on_error or playbook.on_error,
            minimum=trigger.min_samples,
        )
        for number, trigger in enumerate(stage.triggers)
    ]
    if any(check.options.presence() for check in playbook.verify):
        then = "hold" if stage.on_down == "hold" else "rollback"
        rules.append(Rule(id="service_down", when=parse_condition(SERVICE_DOWN), then=then, source="built in"))
    return rules


class Kept(msgspec.Struct):
    """The states of the rules, for the position they belong to (`entered`, seconds since the epoch)."""

    entered: float
    states: dict[str, RuleState]


def tick_of(site: Site) -> float:
    """How often the armed triggers are looked at, seconds: the shortest interval of the metrics."""
    scale = site.environment.bake_scale
    intervals = [interval_of(metric, scale) for metric in site.playbook.metrics.values() if metric.check]
    return min(intervals) if intervals else max(SHORTEST_INTERVAL, 30.0 * scale)


def load_states(site: Site, standing: Standing) -> dict[str, RuleState]:
    """The kept states; none when another position was entered since."""
    body = None
    if site.store is not None:
        try:
            body = site.store.get_note(site.chain, KEPT)
        except StoreAway as away:
            site.lose_store(away)
    if body is None or standing.position is None:
        return {}
    try:
        kept = msgspec.json.decode(body, type=Kept)
    except msgspec.MsgspecError:
        return {}
    return kept.states if kept.entered == standing.position.since else {}


def save_states(site: Site, standing: Standing, states: Mapping[str, RuleState]) -> None:
    """Keep the states, so that elapsed time survives our own restart."""
    if site.store is None or standing.position is None:
        return
    try:
        site.store.put_note(
            site.chain, KEPT, msgspec.json.encode(Kept(entered=standing.position.since, states=dict(states)))
        )
    except StoreAway as away:
        site.lose_store(away)


def advance_rules(site: Site, standing: Standing, facts: Facts, *, keep: bool = True) -> list[Ruled]:
    """Judge every rule of the stage now, and keep what was learnt (a dry run keeps nothing)."""
    if standing.stage is None:
        return []
    states, interval = load_states(site, standing), tick_of(site)
    ruled = [
        Ruled(rule, advance(rule, facts, states.get(rule.id) or RuleState(), interval=interval))
        for rule in rules_of(site.playbook, standing.stage)
    ]
    if keep:
        save_states(site, standing, {one.rule.id: one.advanced.state for one in ruled})
    return ruled


def trigger_rows(ruled: Sequence[Ruled]) -> list[Row]:
    """The triggers as rows: a firing one says no, an unknown one is shown and holds nothing back by itself."""
    rows = []
    for one in ruled:
        judged, rule = one.advanced.judged, one.rule
        status = Status.FAIL if one.advanced.firing else Status.PASS
        # A trigger that cannot be judged is not known to be quiet. The built-in one only speaks about reachability.
        if not one.advanced.firing and judged.reason is not None and rule.source != "built in":
            status = Status.UNKNOWN
        state = "firing" if one.advanced.firing else "pending" if one.advanced.pending else "quiet"
        rows.append(
            Row(
                id=rule.id,
                title=f"{rule.when.text} -> {rule.then}",
                kind="trigger",
                status=status,
                observed=judged.observed,
                expected=judged.limit,
                message=state + (f": {judged.message}" if judged.message and status is not Status.PASS else ""),
                reason=judged.reason if status is Status.UNKNOWN else None,
                n=judged.n,
                age=judged.age,
                counts=not rule.dry_run and status is Status.FAIL,
            )
        )
    return rows
