"""What to type against what is bad now: the one place that says it, for every screen. Pure, given what is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbook.judge.rules import ACTIONS, CHANGES
from runbook.language.durations import show_duration
from runbook.playbook.model import Playbook
from runbook.rollout.countdowns import command_here, countdowns, own_fallback, runs_an_action
from runbook.rollout.danger import Danger
from runbook.rollout.ladder import below
from runbook.rollout.refuge import refuge_of
from runbook.rollout.standing import Standing
from runbook.rollout.underway import Underway
from runbook.rollout.ways_down import Way, barrier_below
from runbook.store.state import State

EMERGENCY = "runbook rollback --emergency"
RANKS = ("rollback", "previous", "fallback", "halve", "hold")  # of several rules the one that leaves the least acts


@dataclass(frozen=True)
class NextStep:
    """What to type. `why` says what it does or waits for, `undo` what takes it back (empty: it changes nothing)."""

    command: str
    why: str = ""
    undo: str = ""
    more: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """The reason as it stands behind the command."""
        if self.why.startswith("then "):
            return f", {self.why}"
        mark = "" if self.command.startswith("runbook ") else "# "  # of the shell; ours is put before by the page
        return f"  {mark}{self.why}" if self.why else ""

    @property
    def line(self) -> str:
        """The command with its reason, as a screen ends with it."""
        return f"{self.command}{self.told}"


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of where the service stands, and of what is bad there.

    `safe` tells that every flag file shows the safe values, `held` that a hold is in force, and `asked` what the rules
    do that were firing or pending at the last look.
    """

    playbook: Playbook
    state: State
    standing: Standing
    danger: Danger
    found: Underway | None = None
    safe: bool = False
    held: bool = False
    asked: Sequence[str] = ()


def answer_to(playbook: Playbook, state: State, then: str, *, safe: bool, held: bool) -> str:
    """What a person types to do what a rule says, from here: at the safe flags there is nothing to go down to, and
    what was done already is not asked for again. Every screen takes it from here.
    """
    action = ACTIONS.get(then, then)
    if action in CHANGES and safe and not (action == "fallback" and runs_an_action(playbook, state)):
        return elsewhere(state)
    if action == "fallback" and _has_fallen_back(playbook, state):
        return ""
    if (action == "hold" and held) or (action == "investigate" and state.open_incidents()):
        return ""
    return command_here(playbook, state, then)


def _has_fallen_back(playbook: Playbook, state: State) -> bool:
    """Whether we stand at the stage's own percentage already, or below it, so that its fallback does nothing more."""
    here, own = state.position, own_fallback(playbook, state)
    return here is not None and own is not None and own.percent is not None and here.percent <= own.percent


def elsewhere(state: State) -> str:
    """What to type where the flags cannot help any more."""
    return "runbook incident show" if state.open_incidents() else "runbook incident open"


def took(known: Known) -> str:
    taken = known.state.way_back
    return f", about {show_duration(taken.seconds)}" if taken is not None and taken.seconds >= 1 else ""


def _emergency(known: Known, why: str = "") -> NextStep:
    refuge = refuge_of(known.standing)
    if not refuge.safe:
        return NextStep(EMERGENCY, f"{refuge.message}{took(known)}{why}", "runbook ramp")
    following = known.standing.rungs[1] if len(known.standing.rungs) > 1 else None
    up = f", then  runbook ramp {following.percent:g}" if following is not None else ""
    return NextStep(EMERGENCY, f"{refuge.message}{took(known)}{why}", f"runbook preflight{up}")


def way_down_now(known: Known) -> NextStep | None:
    """What to type against what is bad now; None where nothing is. `gate` and `explain` begin with it too."""
    if known.danger.word not in ("UNSAFE", "SERVICE DOWN") and not known.asked:
        return None
    if known.safe and known.found is not None:
        return None  # what stands half done comes first: there is nothing lower to go to
    if known.safe:
        return _look_elsewhere(known, "the flags are safe already: look elsewhere")
    if known.found is not None:
        return _emergency(known, "; it ends what stands half done" if not known.found.alive else "; it takes over")
    plain = [one for one in known.danger.breaches if not one.limit.then]
    commands = {then: answer_to(known.playbook, known.state, then, safe=False, held=False) for then in _asked(known)}
    ranked = sorted((then for then in commands if commands[then]), key=_rank)
    if plain or not ranked or _rank(ranked[0]) == 0 or _barred(known, ranked[0]):
        refuge = refuge_of(known.standing)
        return _look_elsewhere(known, _at_refuge(refuge)) if _is_there(known, refuge) else _emergency(known)
    typed, more = commands[ranked[0]], (f"{EMERGENCY}  # is the whole way back",)
    if ACTIONS[ranked[0]] == "hold":
        return _holding(known, typed, more)
    return NextStep(typed, f"as the playbook says: {ranked[0]}", "runbook ramp", more)


def _asked(known: Known) -> list[str]:
    """What the rules ask for that are true now; of the matrix only the row that decides."""
    actions = [one.then for one in countdowns(known.playbook, known.state) if one.decides]
    limits = [one.limit for one in known.danger.breaches if one.limit.then]
    order = {row.when: number for number, row in reversed(list(enumerate(known.playbook.matrix)))}
    rows = sorted((one for one in limits if one.source == "matrix"), key=lambda one: order.get(one.condition.text, 0))
    if not actions:
        actions = [one.then for one in rows[:1]]
    stage = known.standing.stage
    if known.danger.word == "SERVICE DOWN" and stage is not None:
        actions.append(stage.on_down)
    return list(dict.fromkeys([*actions, *(one.then for one in limits if one.source != "matrix"), *known.asked]))


def _look_elsewhere(known: Known, why: str) -> NextStep:
    typed = elsewhere(known.state)
    return NextStep(typed, why, "" if known.state.open_incidents() else "runbook incident resolve")


def _holding(known: Known, typed: str, more: tuple[str, ...]) -> NextStep:
    if known.held:
        return NextStep("runbook explain", "it is held, as the playbook says: what it was judged on", "", more)
    return NextStep(typed, "nothing goes up; what runs, runs on", "runbook release", more)


def _is_there(known: Known, refuge: Way) -> bool:
    """Whether the emergency has nothing to change: past a one-way stage it goes no lower than that stage's fallback."""
    here = known.standing.position
    return not refuge.safe and refuge.action is None and bool(here and refuge.to and refuge.to.percent >= here.percent)


def _at_refuge(refuge: Way) -> str:
    return f"{refuge.to.name if refuge.to else 'this'} is as far back as the playbook goes: look elsewhere"


def _barred(known: Known, then: str) -> bool:
    """Whether a rule's one step down would pass a stage that is one_way."""
    here = known.standing.position
    lower = below(known.standing.rungs, here) if here is not None and known.standing.rungs else None
    return ACTIONS.get(then, then) == "previous" and lower is not None and bool(barrier_below(known.standing, lower))


def _rank(then: str) -> int:
    action = ACTIONS.get(then, then)
    return RANKS.index(action) if action in RANKS else len(RANKS)
