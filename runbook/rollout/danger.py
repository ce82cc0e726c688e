"""Whether the service is in danger, told from what was kept: which limits the newest samples breach, and since when.

Pure: nothing is asked. A limit is a condition that must not be true; a `for` at its end is left out, since who is woken
wants to know from the first bad sample on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from runbook.judge.evaluate import Evaluation
from runbook.judge.facts import Facts, Sample
from runbook.judge.rules import ACTIONS, CHANGES, FLIPPED, Rule
from runbook.judge.verdicts import Judged, Truth
from runbook.language.conditions import Condition, parse_condition
from runbook.language.syntax import Held, Name, walk
from runbook.playbook.model import Playbook
from runbook.store.state import Due, Hold, Position

GRAVE = {*CHANGES, "hold"}  # what a rule does that is no mere telling
LONGEST_WALK = 2000  # samples that are looked back over for the first bad one
YOUNG = 600.0  # seconds: where nobody says how often to look, what is older tells little of now


@dataclass(frozen=True)
class Limit:
    """A condition that must not be true. `source` is critical, severity, matrix, trigger or guardrail.

    `then` is what its rule does, empty for a mere limit. A guardrail is breached where its condition is false.
    """

    condition: Condition
    source: str
    then: str = ""

    @property
    def action(self) -> str:
        return ACTIONS.get(self.then, self.then)

    def names(self, facts: Facts) -> tuple[str, ...]:
        """The measured metrics that it speaks of."""
        found = (node.name for node in walk(self.condition.root) if isinstance(node, Name))
        return tuple(dict.fromkeys(name for name in found if name in facts.series))


@dataclass(frozen=True)
class Breach:
    """A limit that is breached. `since` is the first bad sample after the last good one, `before` what that showed."""

    limit: Limit
    name: str
    observed: str
    allowed: str
    since: float
    before: str = ""
    value: float | str | None = None


@dataclass(frozen=True)
class Blind:
    """A metric that a limit speaks of and that could not be read at the last look; `since` when it was last read."""

    name: str
    why: str
    since: float | None


@dataclass(frozen=True)
class Scene:
    """All that is known without asking anybody. Times are seconds since the epoch.

    `cut_off` and `at_work` are when an operation began that stands half done or goes on; `safe` tells that every flag
    file shows the safe values; `next_look` is when a person is expected to look, where the stage says so; `known` is
    false where the store is away and the flag file does not show that nothing can harm.
    """

    facts: Facts
    position: Position | None
    limits: Sequence[Limit] = ()
    matrix: Mapping[str, Due] | None = None
    down: float | None = None
    cut_off: float | None = None
    at_work: float | None = None
    hold: Hold | None = None
    safe: bool = False
    stable: float | None = None
    baked: bool = True
    next_look: float | None = None
    known: bool = True


@dataclass(frozen=True)
class Danger:
    """The state in one word, since when, and what is bad.

    `seen` is the newest sample of all; `stale` that it tells nothing of now. `worst` orders the words for a list.
    """

    word: str
    since: float | None
    breaches: tuple[Breach, ...] = ()
    blind: tuple[Blind, ...] = ()
    seen: float | None = None
    stale: bool = False

    @property
    def worst(self) -> int:
        return WORDS.index(self.word)


WORDS = (
    "UNSAFE", "SERVICE DOWN", "CUT OFF", "UNKNOWN", "STALE", "HELD", "AT WORK", "BAKING", "BAKED", "QUIET", "STABLE",
    "SAFE",
)  # fmt: skip


def limits_of(playbook: Playbook, rules: Sequence[Rule]) -> list[Limit]:
    """Every limit that holds where we stand: critical values, the P0 severity, and what the rules in force there say.

    Of the rules those count that do more than tell, and rows of the matrix for P0; a dead service is no number.
    """
    limits = [
        Limit(parse_condition(metric.critical, name), "critical")
        for name, metric in playbook.metrics.items()
        if metric.critical
    ]
    severity = playbook.severities.get("P0")
    if severity is not None and severity.when:
        limits.append(Limit(parse_condition(severity.when), "severity"))
    return limits + [
        Limit(rule.when, rule.source, rule.then)
        for rule in rules
        if rule.source != "built in" and not rule.dry_run and (rule.action in GRAVE or rule.severity == "P0")
    ]


def danger_of(scene: Scene) -> Danger:
    """The state in one word. What harms users comes first, then what is half done, then what nobody can tell."""
    breaches, blind = _breaches(scene), _blind(scene)
    seen = max((series.samples[-1].t for series in scene.facts.series.values() if series.samples), default=None)
    stale = _stale(scene, seen)
    word, since = _word(scene, breaches, blind, seen, stale)
    return Danger(word, since, breaches, blind, seen, stale)


def _word(
    scene: Scene, breaches: Sequence[Breach], blind: Sequence[Blind], seen: float | None, stale: bool
) -> tuple[str, float | None]:
    here = scene.position
    entered = here.baking_since if here is not None and here.since else None
    answers = (
        (bool(breaches), "UNSAFE", min((one.since for one in breaches), default=None)),
        (scene.down is not None, "SERVICE DOWN", scene.down),
        (scene.cut_off is not None, "CUT OFF", scene.cut_off),
        (scene.at_work is not None, "AT WORK", scene.at_work),
        (not scene.known, "UNKNOWN", None),
        (scene.safe, "SAFE", entered),
        (bool(blind) and not stale, "UNKNOWN", min((one.since for one in blind if one.since), default=None)),
        (scene.hold is not None, "HELD", scene.hold.since if scene.hold else None),
        (scene.stable is not None, "STABLE", scene.stable),
        (stale, "STALE", seen if seen is not None else entered),
        (here is None, "QUIET", None),
        (not scene.baked, "BAKING", entered),
    )
    return next(((word, since) for true, word, since in answers if true), ("BAKED", entered))


def _breaches(scene: Scene) -> tuple[Breach, ...]:
    """One breach a metric: the first limit that is breached, by the order in which they are listed."""
    found: dict[str, Breach] = {}
    for limit in scene.limits:
        breach = _breach(scene, limit)
        if breach is not None:
            known = found.get(breach.name)
            # A rule says what to do, so it speaks for the metric; the limit shown is that of the gravest.
            if known is None:
                found[breach.name] = breach
            elif not known.limit.then and limit.then:
                found[breach.name] = replace(known, limit=limit, since=min(known.since, breach.since))
    return tuple(found.values())


def _breach(scene: Scene, limit: Limit) -> Breach | None:
    facts, names = scene.facts, limit.names(scene.facts)
    times = sorted({sample.t for name in names for sample in facts.series[name].samples if sample.t <= facts.now + 1})
    at = times[-1] if times else facts.now
    entered = scene.position.baking_since if scene.position is not None else 0.0
    judged = judged_at(limit, facts, at) if at >= entered else Judged(Truth.UNKNOWN)
    title = names[0] if len(names) == 1 else limit.condition.text
    due = (scene.matrix or {}).get(limit.condition.text) if limit.source == "matrix" else None
    if judged.truth is Truth.UNKNOWN and due is not None and due.since >= entered:
        return Breach(limit, title, due.observed, "", due.since)
    if judged.truth is not Truth.TRUE:
        return None
    since, before = _since(limit, facts, times[-LONGEST_WALK:], at)
    return Breach(limit, title, judged.observed, _allowed(limit, judged), since, before, judged.value)


def judged_at(limit: Limit, facts: Facts, time: float) -> Judged:
    """The limit as it came out on what was known at a time; an unknown one where it cannot be judged at all."""
    root = limit.condition.root
    condition = replace(limit.condition, root=root.of) if isinstance(root, Held) else limit.condition
    try:
        judged = Evaluation(condition, facts).judge_at(time)
    except Exception:  # a broken condition is isolated: gate and lint say what is wrong with it
        return Judged(Truth.UNKNOWN)
    return replace(judged, truth=FLIPPED[judged.truth]) if limit.source == "guardrail" else judged


def _allowed(limit: Limit, judged: Judged) -> str:
    """The limit in the metric's unit: `5 %`; the whole condition where it is no plain comparison."""
    return judged.limit or limit.condition.text


def _since(limit: Limit, facts: Facts, times: Sequence[float], at: float) -> tuple[float, str]:
    """The first bad time after the last good one, and what was seen then. Unknown times decide nothing."""
    since = at
    for time in reversed(times[:-1]):
        judged = judged_at(limit, facts, time)
        if judged.truth is Truth.FALSE:
            return since, judged.observed
        if judged.truth is Truth.TRUE:
            since = time
    return since, ""


def _blind(scene: Scene) -> tuple[Blind, ...]:
    """The metrics that limits speak of and that could not be read at the last look."""
    facts = scene.facts
    names = dict.fromkeys(name for limit in scene.limits for name in limit.names(facts))
    entered = scene.position.baking_since if scene.position is not None else 0.0
    found = []
    for name in names:
        samples = facts.series[name].samples
        newest = samples[-1] if samples else None
        if newest is None or newest.good or newest.t < entered:
            continue
        last = next((sample.t for sample in reversed(samples) if sample.good), None)
        found.append(Blind(name, why_unread(newest), last))
    return tuple(found)


def why_unread(sample: Sample) -> str:
    """Why there is no value."""
    return sample.error or "no value"


def _stale(scene: Scene, seen: float | None) -> bool:
    """Whether nobody has looked: later than the stage asks for, else than the metrics' own age allows."""
    facts = scene.facts
    if not facts.series:
        return False
    if seen is None:
        return scene.position is not None and facts.now - scene.position.baking_since > YOUNG
    allowed = max([YOUNG * min(1.0, facts.scale * 10), *(series.oldest_allowed for series in facts.series.values())])
    if scene.next_look is not None:
        return facts.now > scene.next_look and facts.now - seen > allowed
    return facts.now - seen > allowed
