"""One list of rules with kept states: the triggers of the stage we are in, its guardrails, the built-in one for a dead
service, and the rows of the matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from runbook.judge.facts import Facts
from runbook.judge.rules import Rule, Ruled, RuleState, advance
from runbook.judge.verdicts import Status
from runbook.language.conditions import parse_condition
from runbook.playbook.model import Playbook, Stage
from runbook.rollout.kept import keep_note, kept_note
from runbook.rollout.matrix import advance_matrix, answer_here, pending_told, status_of
from runbook.rollout.rows import Row
from runbook.rollout.samples import SHORTEST_INTERVAL, interval_of
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing

SERVICE_DOWN = "service_down"  # the built-in rule
NOBODY_ANSWERS = "service fails for 1m"
KEPT = "rules"
SAME_LOOK = 1.0  # seconds: what one look measures and what it judges are not of the very same moment


def rules_of(playbook: Playbook, stage: Stage, environment: str = "") -> list[Rule]:
    """The rules of a stage: its triggers, the guardrails among its gates, and last the built-in one."""
    return [
        *trigger_rules(playbook, stage),
        *guardrail_rules(playbook, stage, environment),
        *built_in_rules(playbook, stage),
    ]


def rules_here(site: Site, standing: Standing) -> list[Rule]:
    """The rules in force where we stand; none where no stage was entered yet."""
    if standing.stage is None or not standing.entered:
        return []
    return rules_of(site.playbook, standing.stage, site.environment.name)


def trigger_rules(playbook: Playbook, stage: Stage) -> list[Rule]:
    return [
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


def guardrail_rules(playbook: Playbook, stage: Stage, environment: str) -> list[Rule]:
    """The gates that must not fail while the step bakes: one that fails does the stage's fallback, else it holds."""
    return [
        Rule(
            id=f"{stage.name}/guardrail/{number}",
            when=parse_condition(gate.condition),
            then="fallback" if stage.fallback else "hold",
            source="guardrail",
            dry_run=gate.dry_run,
            on_nodata=gate.on_nodata or playbook.on_nodata,
            on_error=gate.on_error or playbook.on_error,
            minimum=gate.min_samples,
        )
        for number, gate in enumerate(stage.gates)
        if gate.as_ == "guardrail" and gate.sign is None and gate.counts_in(environment)
    ]


def built_in_rules(playbook: Playbook, stage: Stage) -> list[Rule]:
    """`verify` says for a minute that the service is not there."""
    if not any(check.options.presence() for check in playbook.verify):
        return []
    then = "hold" if stage.on_down == "hold" else "rollback"
    return [Rule(id=SERVICE_DOWN, when=parse_condition(NOBODY_ANSWERS), then=then, source="built in")]


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
    kept = kept_note(site, KEPT, Kept)
    if kept is None or standing.position is None or kept.entered != standing.position.since:
        return {}
    return kept.states


def save_states(site: Site, standing: Standing, states: Mapping[str, RuleState]) -> None:
    """Keep the states, so that elapsed time survives our own restart."""
    if standing.position is not None:
        keep_note(site, KEPT, Kept(entered=standing.position.since, states=dict(states)))


def advance_rules(site: Site, standing: Standing, facts: Facts, *, keep: bool = True) -> list[Ruled]:
    """Judge every rule of the stage and every row of the matrix now, and keep what was learnt (a dry run keeps
    nothing). The rules of a stage are judged once it was entered, the matrix wherever we stand.
    """
    interval = tick_of(site)
    matrix = advance_matrix(site, facts, interval=interval, keep=keep)
    states = load_states(site, standing)
    ruled = [
        Ruled(rule, advance(rule, facts, states.get(rule.id) or RuleState(), interval=interval))
        for rule in rules_here(site, standing)
    ]
    if keep and ruled:
        save_states(site, standing, {one.rule.id: one.advanced.state for one in ruled})
    return [*ruled, *matrix]


def title_of(rule: Rule) -> str:
    """A rule of a stage as its row says it: `error_rate > 5% -> rollback`, `guardrail error_rate < 1% -> fallback`."""
    return f"{rule.shown} -> {rule.then}"


def trigger_rows(ruled: Sequence[Ruled], site: Site) -> list[Row]:
    """The rules of the stage as rows. One that changes or holds says no while its condition is true, also where that is
    not for long enough yet; an unknown one is shown and holds nothing back by itself.

    The rows of the matrix are shown apart.
    """
    return [_trigger_row(one, site) for one in ruled if one.rule.source != "matrix"]


def _trigger_row(one: Ruled, site: Site) -> Row:
    judged, rule, advanced = one.advanced.judged, one.rule, one.advanced
    status = status_of(one)
    # The built-in one only speaks about reachability.
    if status is Status.UNKNOWN and rule.source == "built in" and not advanced.pending:
        status = Status.PASS
    acts = rule.changes or rule.action == "hold"
    against = advanced.firing or (advanced.pending and acts)
    state = _word(one) if status is not Status.UNKNOWN or advanced.pending else "not known"
    return Row(
        id=rule.id,
        title=title_of(rule),
        kind="trigger",
        status=status,
        observed=judged.observed,
        expected=judged.limit,
        message=state + (f": {judged.message}" if judged.message and status is not Status.PASS else ""),
        reason=judged.reason if status is Status.UNKNOWN else None,
        n=judged.n,
        age=judged.age,
        counts=not rule.dry_run and against,
        remedy=answer_here(site, rule.then) if advanced.firing and not rule.dry_run else "",
    )


def asked_of(site: Site, standing: Standing, since: float) -> list[str]:
    """What the rules do that change or hold and that were true at the last look, unless that was before `since`."""
    states = load_states(site, standing)
    found = []
    for rule in rules_here(site, standing):
        state = states.get(rule.id)
        true = (
            state is not None and (state.firing or state.since is not None) and (state.seen or 0.0) >= since - SAME_LOOK
        )
        if true and not rule.dry_run and (rule.changes or rule.action == "hold"):
            found.append(rule.then)
    return found


def _word(one: Ruled) -> str:
    """How a rule stands, in a word; a dry one and one that only `keep` holds up say so."""
    word = "firing" if one.advanced.firing else pending_told(one) if one.advanced.pending else "quiet"
    why = ["a dry run"] if one.rule.dry_run else []
    why += ["false again, kept for a while"] if one.advanced.held else []
    return f"{word} ({', '.join(why)})" if why and word != "quiet" else word
