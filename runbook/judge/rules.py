"""Rules: when this, then that. Triggers, matrix rows, alerts and severities are all one list of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from runbook.judge.clocks import LONGEST_ABSENCE, Clock, cadence, tick
from runbook.judge.evaluate import Evaluation
from runbook.judge.facts import Facts
from runbook.judge.gates import judge_gate
from runbook.judge.history import MISSING_OF
from runbook.judge.policies import settled
from runbook.judge.verdicts import Judged, Reason, Truth
from runbook.language.conditions import Condition
from runbook.language.durations import show_duration
from runbook.language.syntax import Held

# Each accepted name of an action, and what it does.
ACTIONS: dict[str, str] = {
    "notify": "notify",
    "notify_team": "notify",
    "email": "notify",
    "page": "notify",
    "investigate": "investigate",
    "hold": "hold",
    "pause": "hold",
    "fallback": "fallback",
    "reduce": "fallback",
    "halve": "halve",
    "previous": "previous",
    "rollback": "rollback",
    "auto_rollback": "rollback",
    "investigate_and_rollback": "rollback",
}
ALSO_INVESTIGATES = frozenset({"investigate_and_rollback"})
COMES_ALONG = frozenset({"notify", "investigate"})
CHANGES = frozenset({"fallback", "halve", "previous", "rollback"})
FLIPPED = {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE, Truth.UNKNOWN: Truth.UNKNOWN}


@dataclass(frozen=True)
class Rule:
    """One rule. `source` says where it comes from: trigger, guardrail, matrix, alert, severity or built in.

    `then` is one of ACTIONS; `keep` keeps it firing over short recoveries; `within` is a matrix row's countdown. Both
    are seconds. A guardrail's `when` is its gate's condition, and the rule is true where the gate is judged false.
    `on_nodata` and `on_error` are hold, fail (it counts as true), pass (as false) or keep (the last known).
    """

    id: str
    when: Condition
    then: str
    source: str
    keep: float = 0.0
    severity: str | None = None
    within: float | None = None
    dry_run: bool = False
    on_nodata: str = "hold"
    on_error: str = "hold"
    minimum: int | None = None

    @property
    def action(self) -> str:
        """What it does, by its one name."""
        return ACTIONS.get(self.then, self.then)

    @property
    def changes(self) -> bool:
        """Whether it changes the service."""
        return self.action in CHANGES

    @property
    def investigates(self) -> bool:
        """Whether it opens an incident."""
        return self.action == "investigate" or self.then in ALSO_INVESTIGATES

    @property
    def guards(self) -> bool:
        """Whether it is a gate that must not fail, read as a rule."""
        return self.source == "guardrail"

    @property
    def shown(self) -> str:
        """Its condition, as people are told of it."""
        return f"guardrail {self.when.text}" if self.guards else self.when.text

    @property
    def needs_two(self) -> bool:
        """Whether one evaluation is too little: a guardrail, or a way back whose condition spans no time."""
        return self.guards or (self.action == "rollback" and not self.when.smoothed)


class RuleState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What must be kept of a rule between evaluations; the default is a rule that was never looked at.

    `false_since` is when a firing rule was first false again, `trues` how many true evaluations came in a row, `last`
    the last known outcome and `last_at` its time. `parts` are the clocks of held parts inside the condition, by their
    place in it.
    """

    clock: Clock = Clock()
    firing: bool = False
    false_since: float | None = None
    trues: int = 0
    last: bool | None = None
    last_at: float | None = None
    parts: dict[str, Clock] = {}

    @property
    def since(self) -> float | None:
        """Since when the condition has been true."""
        return self.clock.since

    @property
    def seen(self) -> float | None:
        """When it was last evaluated."""
        return self.clock.seen


@dataclass(frozen=True)
class Moved:
    """The clocks after an evaluation, and how long the condition must be true (seconds, scaled)."""

    clock: Clock
    parts: dict[str, Clock]
    hold: float
    interval: float


@dataclass(frozen=True)
class Advanced:
    """A rule, one evaluation later.

    `judged` is the outcome of what is held, without the hold. `pending` is true but not yet long enough; `held` is
    firing only because of `keep`. `due_in` is how many seconds a pending rule has left.
    """

    state: RuleState
    judged: Judged
    firing: bool
    pending: bool
    held: bool = False
    due_in: float | None = None


@dataclass(frozen=True)
class Ruled:
    """One rule after a look."""

    rule: Rule
    advanced: Advanced


def advance(rule: Rule, facts: Facts, state: RuleState, *, interval: float, restarted: bool = False) -> Advanced:
    """Evaluate a rule now, from the state that the evaluation before left.

    `interval` is how often it is really looked at, in seconds; `restarted` says that the state was kept over a restart
    of ours, so that the time between does not count (absences above two intervals are recognised without it). A rule
    that cannot be evaluated at all is an error, alone: it never disturbs the others.
    """
    parts, interval = dict(state.parts), cadence(interval, facts.scale)
    try:
        judged = _judged(rule, facts, parts, interval, restarted)
    except Exception as error:  # a broken rule is isolated, reported, and error
        judged = Judged(
            Truth.UNKNOWN, Reason.ERROR, message=f"it could not be evaluated: {error or type(error).__name__}"
        )
    known = judged.truth is not Truth.UNKNOWN
    judged = _settled(rule, judged, state, facts.now)
    root = rule.when.root
    hold = root.seconds * facts.scale if isinstance(root, Held) and not rule.guards else 0.0
    clock = tick(state.clock, judged.truth, facts.now, interval=interval, hold=hold, restarted=restarted)
    if known:
        state = msgspec.structs.replace(state, last=judged.truth is Truth.TRUE, last_at=facts.now)
    moved = Moved(clock, parts, hold, interval)
    if judged.truth is Truth.TRUE:
        return _stepped_true(rule, facts, state, judged, moved)
    if judged.truth is Truth.FALSE:
        return _stepped_false(rule, facts, state, judged, moved)
    state = msgspec.structs.replace(state, clock=clock, parts=parts)
    return Advanced(state, judged, state.firing, pending=not state.firing and clock.since is not None)


def choose(fired: Sequence[tuple[Rule, float | None]]) -> tuple[Rule | None, list[Rule]]:
    """Which of the rules that fire acts, and which only come along.

    Each is given with the percentage that its action leaves (None where it changes none). The lowest percentage acts,
    then the order in the list; where none changes one, the first `hold`. Of the others those come along that only
    tell: notify and investigate, and the investigating half of what also rolls back. Dry rules never act.
    """
    live = [(rule, percent) for rule, percent in fired if not rule.dry_run]
    changing = [(percent, order, rule) for order, (rule, percent) in enumerate(live) if percent is not None]
    holding = [rule for rule, _ in live if rule.action == "hold"]
    acting = min(changing, key=lambda row: row[:2])[2] if changing else next(iter(holding), None)
    along = [rule for rule, _ in live if rule is not acting and _comes_along(rule)]
    return acting, along


def _comes_along(rule: Rule) -> bool:
    return rule.action in COMES_ALONG or rule.investigates


def _judged(rule: Rule, facts: Facts, parts: dict[str, Clock], interval: float, restarted: bool) -> Judged:
    """The condition without its own hold; held parts inside it run on clocks of their own."""
    if rule.guards:
        return _judged_as_gate(rule, facts)

    def hold_part(part: Held, inside: Judged) -> Judged:
        key, hold = str(part.start), part.seconds * facts.scale
        clock = tick(
            parts.get(key, Clock()), inside.truth, facts.now, interval=interval, hold=hold, restarted=restarted
        )
        parts[key] = clock
        if inside.truth is not Truth.TRUE:
            return inside
        elapsed = clock.elapsed(facts.now)
        message = f"for {show_duration(elapsed)} of {show_duration(hold)}"
        return replace(inside, truth=Truth.TRUE if elapsed >= hold else Truth.FALSE, message=message)

    missing = MISSING_OF.get(rule.on_nodata, "missing")
    evaluation = Evaluation(rule.when, facts, rule.minimum, missing=missing, holds=hold_part)
    root = rule.when.root
    return evaluation.judge(root.of if isinstance(root, Held) else root)


def _judged_as_gate(rule: Rule, facts: Facts) -> Judged:
    """A guardrail: now and over the bake, as its gate is judged, and true where the gate says no."""
    judged = judge_gate(rule.when, facts, on_nodata=rule.on_nodata, on_error=rule.on_error, minimum=rule.minimum)
    return replace(judged, truth=FLIPPED[judged.truth])


def _settled(rule: Rule, judged: Judged, state: RuleState, now: float) -> Judged:
    last = None
    if state.last is not None and state.last_at is not None:
        last = (Truth.TRUE if state.last else Truth.FALSE, now - state.last_at)
    return settled(judged, on_nodata=rule.on_nodata, on_error=rule.on_error, failing=Truth.TRUE, last=last)


def _stepped_true(rule: Rule, facts: Facts, state: RuleState, judged: Judged, moved: Moved) -> Advanced:
    trues = _counted(state, facts.now, moved)
    elapsed = moved.clock.elapsed(facts.now)
    firing = elapsed >= moved.hold and trues >= (2 if rule.needs_two else 1)
    state = msgspec.structs.replace(
        state, clock=moved.clock, parts=moved.parts, firing=firing, false_since=None, trues=trues
    )
    due_in = None if firing else max(0.0, moved.hold - elapsed)
    return Advanced(state, judged, firing, pending=not firing, due_in=due_in)


def _counted(state: RuleState, now: float, moved: Moved) -> int:
    """How many true evaluations came in a row: the same moment looked at twice is one, and too far apart is no row."""
    seen = state.clock.seen
    if seen is None or now - seen > max(2 * moved.interval, LONGEST_ABSENCE):
        return 1
    return state.trues + 1 if now > seen else max(1, state.trues)


def _stepped_false(rule: Rule, facts: Facts, state: RuleState, judged: Judged, moved: Moved) -> Advanced:
    """False: not firing, except that `keep` bridges it for a while once it fired; then the clock runs on."""
    first = state.false_since if state.false_since is not None else facts.now
    held = state.firing and facts.now - first < rule.keep * facts.scale
    clock = msgspec.structs.replace(moved.clock, since=state.clock.since) if held else moved.clock
    state = msgspec.structs.replace(
        state,
        clock=clock,
        parts=moved.parts,
        firing=held,
        false_since=first if held else None,
        trues=state.trues if held else 0,
    )
    return Advanced(state, judged, held, pending=False, held=held)
