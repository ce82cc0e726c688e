"""The one command to type next, why, and what takes it back: the same on every screen. Pure, given what is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbook.incidents.checklist import checklist_of
from runbook.judge.verdicts import Status
from runbook.rollout.against_danger import EMERGENCY, Known, NextStep, took, way_down_now
from runbook.rollout.flag_rows import CREATES
from runbook.rollout.journey import at_the_end, stable_since
from runbook.rollout.ladder import below
from runbook.rollout.rows import Decision, Row
from runbook.rollout.standing import ways_out_of_drift
from runbook.rollout.ways_down import barrier_below
from runbook.store.fold import WAYS_DOWN


@dataclass(frozen=True, kw_only=True)
class Considered(Known):
    """What is known, and the decision about the next step up, judged on what was kept; `away` is why the store cannot
    be read.
    """

    decision: Decision
    away: str = ""


def next_step(known: Considered) -> NextStep:
    """The first of these that has something to say: danger, what is half done, people's words, and the step up."""
    for choose in (way_down_now, _underway, _store_away, _unwritable, _misplaced, _incident, _held, _not_begun, _done):
        step = choose(known)
        if step is not None:
            return step
    return _step_up(known)


def _underway(known: Considered) -> NextStep | None:
    if known.found is None:
        return None
    if known.found.alive:
        return NextStep(
            "runbook history --last 5", f"{known.found.header.who.operator} is at work: wait", "", (EMERGENCY,)
        )
    return NextStep("runbook resume", "says what was done, and ends it or takes it back", "", (EMERGENCY,))


def _store_away(known: Considered) -> NextStep | None:
    if not known.away:
        return None
    if known.safe:
        return NextStep("runbook doctor", "tells what is wrong with the store")
    return NextStep("runbook health-check", "asks the service itself", "", (f"{EMERGENCY}  needs no store",))


def _unwritable(known: Considered) -> NextStep | None:
    """The flag file first: no step can be made without it."""
    row = next((row for row in known.decision.against() if row.kind == "flags"), None)
    if row is None:
        return None
    if row.remedy.startswith(f"{CREATES} "):
        return NextStep(row.remedy, f"{row.observed}; then fill in what it held")
    return NextStep("runbook doctor", f"{row.observed}; {row.remedy}")


def _misplaced(known: Considered) -> NextStep | None:
    standing = known.standing
    if not standing.drift and not standing.gone:
        return None
    first, *rest = ways_out_of_drift(standing)
    command, _, why = first.partition("  ")
    return NextStep(command, why, "", tuple(rest))


def _incident(known: Considered) -> NextStep | None:
    still_open = known.state.open_incidents()
    if not still_open:
        return None
    newest = still_open[-1]
    items = [one for one in checklist_of(newest, known.state.answers) if not one.done]
    named = f" --incident {newest.id}" if len(still_open) > 1 else ""
    if newest.responded is None or not items:
        return NextStep(f"runbook incident show{named}", "what it is, and what is due")
    return NextStep(f"runbook sign {items[0].id}", f"when it is done: {items[0].text}")


def _held(known: Considered) -> NextStep | None:
    if not known.held:
        return None
    if known.danger.stale:
        return NextStep("runbook gate", "then  runbook release")
    return NextStep("runbook release", "when the reason is gone", "runbook hold")


def _not_begun(known: Considered) -> NextStep | None:
    standing, following = known.standing, known.standing.next
    if not standing.rungs:
        return NextStep("runbook health-check", "the playbook has no stages")
    if standing.entered or following is None:
        return None
    return NextStep("runbook preflight", f"then  runbook ramp {following.percent:g}")


def _done(known: Considered) -> NextStep | None:
    if stable_since(known.state) is None:
        return None
    following = known.standing.next
    why = f"stable; what is optional begins with  runbook ramp {following.percent:g}" if following else "nothing is due"
    return NextStep("runbook health-check", why)


def _step_up(known: Considered) -> NextStep:
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
    """Where one step back leads, for the end of a screen; empty where there is none. Past a stage that is one_way it is
    the fallback of the stage we are in, where that is lower.
    """
    standing, position = known.standing, known.standing.position
    if not standing.entered or position is None or not standing.rungs:
        return ""
    lower = below(standing.rungs, position)
    if lower is None:
        return ""
    if barrier_below(standing, lower) is None:
        return f"runbook rollback  to {lower.name}{took(known)}"
    own = standing.stage.fallback if standing.stage is not None else None
    goes = own is not None and (own.action is not None or (own.percent is not None and own.percent < position.percent))
    return f"runbook rollback --fallback  {own.shown}" if own is not None and goes else ""
