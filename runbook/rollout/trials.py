"""A playbook's own tests: recorded answers, judged by the very rules that judge the service, and held against what must
come of them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from runbook.checks.base import Check, CheckResult
from runbook.checks.recorded import Recorded
from runbook.judge.facts import Facts, Sample
from runbook.judge.rules import Rule, Ruled
from runbook.judge.watched import interval_at
from runbook.language.conditions import parse_condition
from runbook.language.syntax import Held, Name, Points, Window, walk
from runbook.playbook.model import Playbook
from runbook.playbook.tests_agreement import every_check
from runbook.playbook.trial import Trial, line_of, overlaid
from runbook.playbook.trial_layers import laid
from runbook.rollout.decide import Evidence, decide
from runbook.rollout.facts import facts_of
from runbook.rollout.ladder import Rung, named_rungs
from runbook.rollout.looking import Look, measured_of, reading, surroundings
from runbook.rollout.manual_items import flat
from runbook.rollout.matrix import matrix_rules, note_matrix
from runbook.rollout.rows import Decision
from runbook.rollout.rules import advance_rules, rules_of, tick_of
from runbook.rollout.samples import keep
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing, standing_of
from runbook.rollout.trial_answers import TrialTrouble, answers_of, layers_of
from runbook.rollout.trial_site import Scene, Stand, scene_of, trial_site
from runbook.rollout.watch import fired_of
from runbook.store.base import SampleRow
from runbook.system.refusals import Refusal

LOOK_SECONDS = 60.0
MOST_SAMPLES = 240  # of a metric over the bake; a longer one is thinned out, and its watched share is not asked
FEWEST_SAMPLES = 12  # so that a bake is enough to be a baseline
MOST_LOOKS = 3000


@dataclass(frozen=True)
class Seen:
    """What came of a test. `fired` are the rules that fired while the answers held."""

    look: Look
    facts: Facts
    decision: Decision
    fired: tuple[Ruled, ...]
    entering: tuple[CheckResult, ...] = ()


@dataclass(frozen=True)
class Played:
    """A test that took place: what was seen (None with the `trouble` why not), and what was asked without an answer."""

    trial: Trial
    seen: Seen | None
    missing: tuple[str, ...] = ()
    trouble: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class _Round:
    """Everything that one test works with."""

    stand: Stand
    scene: Scene
    checks: tuple[Check, ...]
    measured: Mapping[str, Check]
    needed: frozenset[str]

    @property
    def site(self) -> Site:
        return self.stand.site


def play(playbook: Playbook, trial: Trial, project: Path) -> Played:
    """Let one test take place. Nothing of the world is touched: what is not recorded is missing."""
    began = time.monotonic()
    try:
        line = line_of(trial, playbook.tests)
        whole = overlaid(trial, playbook.tests)
        seen, missing = _played(playbook, whole, line, project)
    except (TrialTrouble, ValueError) as trouble:
        return Played(trial, None, trouble=str(trouble), seconds=time.monotonic() - began)
    except Refusal as refusal:
        return Played(trial, None, trouble=refusal.message, seconds=time.monotonic() - began)
    except RecursionError:
        return Played(trial, None, trouble="an answer is nested too deeply", seconds=time.monotonic() - began)
    return Played(whole, seen, tuple(missing), seconds=time.monotonic() - began)


def _played(playbook: Playbook, trial: Trial, line: Sequence[Trial], project: Path) -> tuple[Seen, list[str]]:
    scene = scene_of(playbook, trial, _held(playbook, trial))
    layers, url = list(layers_of(playbook, line, project)), scene.environment.url
    scene = replace(scene, trial=msgspec.structs.replace(trial, answers=dict(laid(layers, url).answers)))
    needed = needed_metrics(scene) if _is_measured(trial) else frozenset()
    with trial_site(scene, scene.ends - scene.held) as stand:
        site = stand.site
        measured = measured_of(site) if _is_measured(trial) else {}
        entering = _entering(scene, site) if trial.expect.preflight is not None else ()
        checks = tuple(_looked_at(playbook, trial, entering))
        play_round = _Round(stand, scene, checks, measured, needed)
        now, missing = _look(play_round, layers)
        before = _look(play_round, [*layers, trial.before])[0] if trial.before else now
        _leave_out(play_round, now)
        standing = standing_of(site.playbook, site.state(), site.shown_flags())
        _keep_bake(play_round, before)
        seen = _watched(play_round, standing, now)
        ids = {check.full_id for check in entering}
        return replace(seen, entering=tuple(row for row in now.checks if row.check.full_id in ids)), missing


def _is_measured(trial: Trial) -> bool:
    """Whether what it expects rests on metrics."""
    expect = trial.expect
    asked = (expect.gate, expect.severity, expect.fires)
    return any(one is not None for one in asked) or bool(expect.gates or expect.metrics)


def needed_metrics(scene: Scene) -> frozenset[str]:
    """The metrics that a rule in force, a gate, or an expectation names."""
    playbook, expect = scene.playbook, scene.trial.expect
    stage = scene.rung.stage if scene.rung is not None else None
    place = scene.environment.name
    gates = [gate for gate in (stage.gates if stage else ()) if gate.sign is None and gate.counts_in(place)]
    texts = [gate.condition for gate in gates] + [row.when for row in playbook.matrix]
    texts += [trigger.when for trigger in stage.triggers] if stage else []
    texts += [one.when for one in playbook.severities.values() if one.when] if expect.severity else []
    named = {node.name for text in texts for node in walk(parse_condition(text).root) if isinstance(node, Name)}
    return frozenset(name for name in (*named, *expect.metrics) if name in playbook.metrics)


def _looked_at(playbook: Playbook, trial: Trial, entering: Sequence[Check]) -> list[Check]:
    """The verify list where a decision rests on it, what entering requires, and what the test names."""
    verify = playbook.verify if _is_measured(trial) else ()
    named = [check for check in every_check(playbook) if {check.id, check.full_id} & set(trial.expect.checks)]
    listed = {check.full_id: check for check in (*verify, *entering)}
    inside = {check.full_id for check in flat(listed.values())}
    return [*listed.values(), *(check for check in named if check.full_id not in inside)]


def _entering(scene: Scene, site: Site) -> tuple[Check, ...]:
    """The checklists of the stage that is entered next, or that the test names; without stages all of them."""
    lists = scene.playbook.checklists
    if not scene.playbook.stages:
        return tuple(check for listed in lists.values() for check in listed)
    to = _to(scene, site)
    if to is None:
        raise TrialTrouble("there is no stage above: name one with  enters: STAGE")
    return tuple(check for name in to.stage.requires for check in lists.get(name, ()))


def _to(scene: Scene, site: Site) -> Rung | None:
    standing = standing_of(site.playbook, site.state(), site.shown_flags())
    return named_rungs(standing.rungs, scene.trial.enters)[0] if scene.trial.enters is not None else standing.next


def _look(play_round: _Round, layers: Sequence[Mapping[str, Any]]) -> tuple[Look, list[str]]:
    """One look at what is recorded, by the runner that looks at the world; and what was missing."""
    from runbook.checks.runner import look_and_measure_now

    site, scene = play_round.site, play_round.scene
    quiet = {check.full_id for name, check in play_round.measured.items() if name not in play_round.needed}
    given = laid(layers, scene.environment.url)
    recorded = Recorded(answers_of(site.playbook, given.answers), quiet, said=given.said)
    to = _to(scene, site) if scene.trial.expect.preflight is not None else scene.rung
    percent, stage = (to.percent, to.stage.name) if to is not None else (None, None)
    around = replace(surroundings(site, LOOK_SECONDS, percent=percent, stage=stage), recorded=recorded)
    results, rows = look_and_measure_now(play_round.checks, play_round.measured, around)
    at = site.clock.wall()
    readings = {name: reading(site.playbook.metrics[name], row, at) for name, row in rows.items()}
    return Look(at, tuple(results), readings, rows), recorded.missing


def _leave_out(play_round: _Round, seen: Look) -> None:
    """Nothing is known of metrics that nobody waits for and that were not recorded: they are no part of this test."""
    site = play_round.site
    kept = {
        name: metric
        for name, metric in site.playbook.metrics.items()
        if metric.check is None or name in play_round.needed or (name in seen.readings and seen.readings[name].good)
    }
    site.playbook = msgspec.structs.replace(site.playbook, metrics=kept)


def _keep_bake(play_round: _Round, before: Look) -> None:
    """The samples of the bake so far, as often as the playbook asks for a look."""
    site, scene = play_round.site, play_round.scene
    if scene.rung is None or not play_round.measured:
        return
    entered, end = scene.ends - scene.elapsed, scene.ends - scene.held
    tick = tick_of(site)
    times: list[float] = []
    passed = 0.0
    while entered + passed < end and len(times) < MOST_SAMPLES:
        times.append(entered + passed)
        every = interval_at(scene.rung.stage.cadence, passed) if scene.rung.stage.cadence else tick
        passed += max(1.0, min(every, (end - entered) / FEWEST_SAMPLES))
    if entered + passed < end:
        _ask_no_share(play_round)
        times = [entered + number * (end - entered) / MOST_SAMPLES for number in range(MOST_SAMPLES)]
    rows = [_row(name, one) for at in times for name, one in _at(before, at, play_round).items()]
    if site.store is not None and rows:
        site.store.keep_samples(site.chain, rows)


def _row(name: str, sample: Sample) -> SampleRow:
    """A sample as it is kept; a truth as a condition spells it."""
    value = sample.value
    if isinstance(value, str | bool):
        return SampleRow(metric=name, t=sample.t, text=str(value).lower() if isinstance(value, bool) else value)
    return SampleRow(metric=name, t=sample.t, value=value, error=sample.error)


def _ask_no_share(play_round: _Round) -> None:
    """So long a bake is not looked at as often as it would be: how much was watched is not what a test is about."""
    site = play_round.site

    def unasked(part: Any) -> Any:
        bake = None if part.bake is None else msgspec.structs.replace(part.bake, sampled=None)
        return msgspec.structs.replace(part, bake=bake)

    stages = [
        msgspec.structs.replace(unasked(one), rungs=tuple(map(unasked, one.rungs))) for one in site.playbook.stages
    ]
    site.playbook = msgspec.structs.replace(site.playbook, stages=tuple(stages))


def _at(seen: Look, at: float, play_round: _Round) -> dict[str, Sample]:
    """What was read, as it is read at another time. What only grows has come to its recorded number at the end."""
    metrics, scene = play_round.site.playbook.metrics, play_round.scene
    share = max(0.0, 1 - (scene.ends - at) / scene.elapsed)

    def then(name: str, one: Sample) -> Sample:
        grows = metrics[name].is_ == "counter" and isinstance(one.value, float)
        return replace(one, t=at, value=one.value * share if grows and isinstance(one.value, float) else one.value)

    return {name: then(name, one) for name, one in seen.readings.items() if name in metrics}


def _times(scene: Scene, tick: float) -> list[float]:
    """When it is looked while the answers hold: at the decision, and as often as asked for before it and beyond it."""
    count = int((scene.held + scene.beyond) // tick)
    if count > MOST_LOOKS:
        raise TrialTrouble(f"that takes {count:,} looks; at most {MOST_LOOKS:,} are made: write a shorter `for`")
    before = [scene.ends - scene.held + number * tick for number in range(int(scene.held // tick))]
    beyond = [scene.ends + number * tick for number in range(1, int(scene.beyond // tick) + 1)]
    last = [scene.ends + scene.beyond] if scene.beyond and scene.ends + scene.beyond not in beyond else []
    return [*before, scene.ends, *beyond, *last]


def _watched(play_round: _Round, standing: Standing, now: Look) -> Seen:
    """The answers hold: look after look, as an armed watcher judges them. Decided is at the end of the bake."""
    site, ends = play_round.site, play_round.scene.ends
    fired: dict[str, Ruled] = {}
    decision: Decision | None = None
    for at in _times(play_round.scene, tick_of(site)):
        play_round.stand.clock.now = at
        readings = _at(now, at, play_round)
        keep(site, readings)
        seen = replace(now, at=at, readings=readings)
        facts = facts_of(site, standing, seen)
        ruled = advance_rules(site, standing, facts)
        note_matrix(site, ruled)
        fired |= {one.rule.id: one for one in fired_of(ruled)}
        if at == ends:
            decision = decide(site, standing, standing.next, Evidence(facts, ruled))
    assert decision is not None  # `ends` is among the times
    return Seen(seen, facts, decision, tuple(fired.values()))


def _held(playbook: Playbook, trial: Trial) -> float:
    """How long the answers hold, in seconds: as the test says, or as long as it takes every rule to fire."""
    if trial.held is not None or trial.expect.fires is None:
        return trial.held or 0.0
    scene = scene_of(playbook, trial)
    stage = scene.rung.stage if scene.rung is not None else None
    rules = [*(rules_of(playbook, stage, scene.environment.name) if stage else ()), *matrix_rules(playbook)]
    tick = max((one.interval for one in playbook.metrics.values() if one.check), default=30.0)
    return max((_longest(rule, tick) for rule in rules), default=0.0) + 2 * tick


def _longest(rule: Rule, tick: float) -> float:
    """How long a condition must be true until its rule fires, in seconds."""
    nodes = list(walk(rule.when.root))
    held = sum(node.seconds for node in nodes if isinstance(node, Held))
    points = max((node.n * tick for node in nodes if isinstance(node, Points)), default=0.0)
    window = max((node.seconds or 0.0 for node in nodes if isinstance(node, Window)), default=0.0)
    return max(held, points) + window  # the condition is true once the window is full of what holds
