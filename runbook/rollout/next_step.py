"""The one command to type next, why, and what takes it back: the same on every screen. Pure, given what is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbook.incidents.checklist import checklist_of
from runbook.judge.rules import ACTIONS
from runbook.judge.verdicts import Status
from runbook.language.durations import show_duration
from runbook.playbook.model import Playbook
from runbook.rollout.countdowns import command_here, countdowns
from runbook.rollout.danger import Danger
from runbook.rollout.journey import at_the_end, stable_since
from runbook.rollout.ladder import below
from runbook.rollout.rows import Decision, Row
from runbook.rollout.standing import Standing, ways_out_of_drift
from runbook.rollout.underway import Underway
from runbook.store.fold import WAYS_DOWN
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
        return f"  {self.why}" if self.why else ""


@dataclass(frozen=True)
class Known:
    """What the choice rests on. `decision` is that of the next step up, judged on what was kept; `safe`
    tells that every flag file shows the safe values, `held` that a hold is in force, `away` why the store cannot be
    read.
    """

    playbook: Playbook
    state: State
    standing: Standing
    danger: Danger
    decision: Decision
    found: Underway | None = None
    safe: bool = False
    held: bool = False
    away: str = ""


def next_step(known: Known) -> NextStep:
    """The first of these that has something to say: danger, what is half done, people's words, and the step up."""
    for choose in (_unsafe, _underway, _store_away, _misplaced, _incident, _held, _not_begun, _done):
        step = choose(known)
        if step is not None:
            return step
    return _step_up(known)


def _took(known: Known) -> str:
    taken = known.state.way_back
    return f", about {show_duration(taken.seconds)}" if taken is not None and taken.seconds >= 1 else ""


def _emergency(known: Known, why: str = "") -> NextStep:
    following = known.standing.rungs[1] if len(known.standing.rungs) > 1 else None
    up = f", then  runbook ramp {following.percent:g}" if following is not None else ""
    return NextStep(EMERGENCY, f"to the safe flags{_took(known)}{why}", f"runbook preflight{up}")


def _unsafe(known: Known) -> NextStep | None:
    if known.danger.word not in ("UNSAFE", "SERVICE DOWN"):
        return None
    if known.safe:
        still_open = known.state.open_incidents()
        why = "the flags are safe already: look elsewhere"
        if still_open:
            return NextStep("runbook incident show", why)
        return NextStep("runbook incident open", why, "runbook incident resolve")
    if known.found is not None:
        return _emergency(known, "; it ends what stands half done" if not known.found.alive else "; it takes over")
    plain = [one for one in known.danger.breaches if not one.limit.then]
    actions = [one.then for one in countdowns(known.playbook, known.state) if one.decides]
    actions += [one.limit.then for one in known.danger.breaches if one.limit.then]
    commands = {action: command_here(known.playbook, known.state, action) for action in actions}
    ranked = sorted((action for action in commands if commands[action]), key=_rank)
    if plain or not ranked or _rank(ranked[0]) == 0:
        return _emergency(known)
    typed, more = commands[ranked[0]], (f"{EMERGENCY}  is the whole way back",)
    if ACTIONS[ranked[0]] == "hold":
        return NextStep(typed, "nothing goes up; what runs, runs on", "runbook release", more)
    return NextStep(typed, f"as the playbook says: {ranked[0]}", "runbook ramp", more)


def _rank(then: str) -> int:
    action = ACTIONS.get(then, then)
    return RANKS.index(action) if action in RANKS else len(RANKS)


def _underway(known: Known) -> NextStep | None:
    if known.found is None:
        return None
    if known.found.alive:
        return NextStep(
            "runbook history --last 5", f"{known.found.header.who.operator} is at work: wait", "", (EMERGENCY,)
        )
    return NextStep("runbook resume", "says what was done, and ends it or takes it back", "", (EMERGENCY,))


def _store_away(known: Known) -> NextStep | None:
    if not known.away:
        return None
    if known.safe:
        return NextStep("runbook doctor", "tells what is wrong with the store")
    return NextStep("runbook health-check", "asks the service itself", "", (f"{EMERGENCY}  needs no store",))


def _misplaced(known: Known) -> NextStep | None:
    standing = known.standing
    if not standing.drift and not standing.gone:
        return None
    first, *rest = ways_out_of_drift(standing)
    command, _, why = first.partition("  ")
    return NextStep(command, why, "", tuple(rest))


def _incident(known: Known) -> NextStep | None:
    still_open = known.state.open_incidents()
    if not still_open:
        return None
    newest = still_open[-1]
    items = [one for one in checklist_of(newest, known.state.answers) if not one.done]
    named = f" --incident {newest.id}" if len(still_open) > 1 else ""
    if newest.responded is None or not items:
        return NextStep(f"runbook incident show{named}", "what it is, and what is due")
    return NextStep(f"runbook sign {items[0].id}", f"when it is done: {items[0].text}")


def _held(known: Known) -> NextStep | None:
    if not known.held:
        return None
    if known.danger.stale:
        return NextStep("runbook gate", "then  runbook release")
    return NextStep("runbook release", "when the reason is gone", "runbook hold")


def _not_begun(known: Known) -> NextStep | None:
    standing, following = known.standing, known.standing.next
    if not standing.rungs:
        return NextStep("runbook health-check", "the playbook has no stages")
    if standing.entered or following is None:
        return None
    return NextStep("runbook preflight", f"then  runbook ramp {following.percent:g}")


def _done(known: Known) -> NextStep | None:
    if stable_since(known.state) is None:
        return None
    following = known.standing.next
    why = f"stable; what is optional begins with  runbook ramp {following.percent:g}" if following else "nothing is due"
    return NextStep("runbook health-check", why)


def _step_up(known: Known) -> NextStep:
    """What stands against the next step, in the order in which it can be helped; else the step."""
    against = {row.kind: row for row in reversed(known.decision.against())}
    for kind in ("clock", "bake", "sampled", "gate", "trigger", "matrix", "baseline", "calendar"):
        if kind in against:
            return _for_row(against[kind])
    signs = [row for row in known.decision.against() if row.kind == "sign"]
    if signs:
        return _for_sign(signs)
    if against:
        return NextStep("runbook gate", next(iter(against.values())).title)
    following, standing = known.standing.next, known.standing
    if following is None or at_the_end(standing):
        also = (f"runbook ramp {following.percent:g}  goes on, which is optional",) if following is not None else ()
        return NextStep("runbook declare stable", "everything holds", "", also)
    here = standing.position
    if here is not None and here.how in WAYS_DOWN and following.first_of_stage:
        return NextStep("runbook preflight", f"then  runbook ramp {following.percent:g}")
    return NextStep(f"runbook ramp {following.percent:g}", "by what was kept, everything holds", "runbook rollback")


def _for_row(row: Row) -> NextStep:
    said = row.message or f"{row.observed} {row.expected}".strip()
    match row.kind:
        case "bake":
            return NextStep("runbook gate", f"the bake {row.message or 'goes on'}")
        case "sampled":
            return NextStep("runbook watch --act", f"{row.observed} of the bake was watched, {row.expected} is asked")
        case "calendar" | "clock":
            return NextStep("runbook gate", f"{row.kind}: {said}")
        case "baseline" if row.remedy:
            return NextStep(row.remedy.partition("  ")[0], f"baseline: {row.observed}")
    if row.status is Status.UNKNOWN:
        return NextStep("runbook gate", f"looks again: {row.title}")
    return NextStep("runbook gate", f"{row.title}: {row.observed}")


def _for_sign(signs: Sequence[Row]) -> NextStep:
    first = signs[0]
    command, _, rest = first.remedy.partition("  ")
    more = ", ".join(row.id for row in signs[1:])
    said = f"{first.observed}; {rest}" if rest else first.observed
    return NextStep(command or f"runbook sign {first.id}", f"{said}; then {more}" if more else said)


def way_back(known: Known) -> str:
    """Where one step back leads, for the end of a screen; empty where there is none."""
    standing, position = known.standing, known.standing.position
    if not standing.entered or position is None or not standing.rungs:
        return ""
    lower = below(standing.rungs, position)
    return f"runbook rollback  to {lower.name}{_took(known)}" if lower is not None else ""
