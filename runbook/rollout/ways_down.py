"""Where a way down leads: one step, in parts, the stage's own fallback, the last good step, and the emergency's refuge.

Pure, given the site's state and what the flag files show. Down is always allowed, except past a `one_way` stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runbook.actions.base import Action
from runbook.playbook.model import Playbook, Stage
from runbook.rollout.ladder import Rung, below, is_below, named_rungs, percent_of, rung_off
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing
from runbook.system.refusals import Exit, Refusal

# Each accepted name of a way, and the one that is recorded with the position. Rules say `halve` and `reduce`.
WAYS: Mapping[str, str] = {
    "rollback": "rollback",
    "partial": "partial",
    "halve": "partial",
    "fallback": "fallback",
    "reduce": "fallback",
    "previous": "previous",
}


@dataclass(frozen=True)
class Way:
    """Where a way down leads. `to` is None where there is nothing to do, as `message` says.

    `how` is what the position is recorded with. With `action` the stage's own fallback is an action: it is run, and
    the flags stay. With `safe` the values are those of `rollback.set`, as in an emergency.
    """

    how: str
    to: Rung | None
    message: str = ""
    action: Action | None = None
    safe: bool = False


def way_down(site: Site, standing: Standing, how: str, target: str | None = None) -> Way:
    """The way that is meant, from where we stand. `target` only goes with `rollback`.

    Raises `Refusal` where the playbook has no such way, and where it would pass a `one_way` stage.
    """
    refuse_unknown_place(site, standing)
    if standing.position is None:
        if target is not None:
            named_rungs(standing.rungs, target)  # what is no step at all is refused here as everywhere
        return _nothing(site, standing, WAYS[how], "the first step")
    if how == "rollback":
        to = below(standing.rungs, standing.position) if target is None else named_below(site, standing, target)
        way = Way("rollback", to) if to else _nothing(site, standing, "rollback", "the first step")
    else:
        way = _OTHERS[WAYS[how]](site, standing, _here(site, standing), how)
    refuse_passing(site, standing, way)
    return way


def refuse_unknown_place(site: Site, standing: Standing) -> None:
    """Raises `Refusal` where there is no ladder, and where neither events nor file tell where we are."""
    if not standing.rungs:
        raise Refusal(f"{site.playbook.service} has no stages", next_steps=["runbook rollback --emergency"])
    if standing.position is None and site.store is None:
        raise Refusal(
            f"the store is away ({site.store_trouble}) and the flag file shows no step of the ladder",
            exit_=Exit.FAILED,
            next_steps=["runbook rollback --emergency  needs neither"],
        )


def _here(site: Site, standing: Standing) -> Rung:
    place, position = standing.place, standing.position
    if place is None or position is None:
        raise Refusal(
            f"we are at {position.name if position else 'no step'}, and the playbook has no such stage any more",
            exit_=Exit.NO_GO,
            next_steps=["runbook rollback  goes to the nearest step below", "runbook rollback --emergency"],
        )
    return place


def _nothing(site: Site, standing: Standing, how: str, why: str) -> Way:
    here = standing.position.name if standing.position else "before the first stage"
    return Way(how, None, f"nothing to do: {site.playbook.service} is at {here}, {why}")


def _fallback(site: Site, standing: Standing, here: Rung, how: str) -> Way:
    """What the stage we are in says itself; `reduce` without that goes down in part."""
    fallback = here.stage.fallback
    if fallback is None and how == "reduce":
        return _partial(site, standing, here, "halve")
    if fallback is None:
        raise Refusal(
            f"the stage {here.stage.name} has no fallback",
            exit_=Exit.NO_GO,
            next_steps=["runbook rollback  goes one step back", *_partial_line(site), "runbook rollback --emergency"],
        )
    if fallback.action is not None:
        return Way("fallback", here, f"the fallback of {here.stage.name}: {fallback.action.title}", fallback.action)
    if fallback.percent is not None:
        if here.percent <= fallback.percent:
            return _nothing(site, standing, "fallback", f"and the fallback of {here.stage.name} is {fallback.shown}")
        to = rung_off(standing.rungs, here.stage.name, fallback.percent)
        return Way("fallback", to, f"the fallback of {here.stage.name}: {fallback.shown}")
    if fallback.way == "previous":
        way = _previous(site, standing, here, how)
        return Way("fallback", way.to, way.message)
    return Way("fallback", standing.rungs[0], f"the fallback of {here.stage.name}: the safe flags", safe=True)


def _previous(site: Site, standing: Standing, here: Rung, how: str) -> Way:
    """The last position of this rollout that passed its bake and lies below; without one, one step down."""
    stages = {rung.stage.name for rung in standing.rungs}
    passed = [rung_off(standing.rungs, stage, percent) for stage, percent in site.state().passed if stage in stages]
    good = [rung for rung in passed if is_below(standing.rungs, rung, here)]
    if good:
        return Way("previous", good[-1], f"the last step that passed its bake: {good[-1].name}")
    assert standing.position is not None  # we stand on a step
    to = below(standing.rungs, standing.position)
    if to is None:
        return _nothing(site, standing, "previous", "the first step")
    return Way("previous", to, "no step below passed its bake in this rollout: one step down")


def _partial(site: Site, standing: Standing, here: Rung, how: str) -> Way:
    """The next lower percentage of the partial way back, within the stage; below the last of them the first step."""
    if here.percent <= 0:
        return _nothing(site, standing, "partial", "and there is nothing below 0 %")
    lower = _next_part(site, here, halving=how == "halve")
    if lower is not None:
        return Way("partial", rung_off(standing.rungs, here.stage.name, lower), f"in part, to {lower:g} %")
    if here.order <= standing.rungs[0].order:
        return _nothing(site, standing, "partial", "the first step")
    return Way("partial", standing.rungs[0], "below the last part there are the safe flags")


def _next_part(site: Site, here: Rung, *, halving: bool) -> float | None:
    """The next lower percentage; None below the last. Without a ladder of parts a rule halves, to 1 % at least."""
    parts = parts_of(site.playbook)
    if not parts and not halving:
        raise Refusal(
            "the playbook has no partial way back",
            exit_=Exit.NO_GO,
            next_steps=["add under rollback:  partial: {ladder: [50, 25, 10], bake: 2h}", *_other_ways(here)],
        )
    if not parts:
        half = max(1.0, float(here.percent // 2))
        return half if half < here.percent else None
    return next((part for part in parts if part < here.percent), None)


_OTHERS = {"fallback": _fallback, "previous": _previous, "partial": _partial}


def parts_of(playbook: Playbook) -> tuple[float, ...]:
    """The falling percentages of the partial way back; none where the playbook has no such way."""
    rollback = playbook.rollback
    return rollback.partial.ladder if rollback and rollback.partial else ()


def named_below(site: Site, standing: Standing, target: str) -> Rung:
    """The nearest step below with that name; else the stage's fallback percentage, or a part of the way back."""
    here, position = standing.place, standing.position
    assert position is not None  # looked at before
    off = _named_off(site, standing, target)
    try:
        found = named_rungs(standing.rungs, target)
    except Refusal as unknown:
        if off is not None:
            return off
        if target in (position.name, f"{position.percent:g}"):
            raise _already_there(position.name) from None
        raise Refusal(unknown.message, next_steps=[*unknown.next_steps, *_off_lines(site, here)]) from None
    lower = [
        rung for rung in found if (is_below(standing.rungs, rung, here) if here else rung.percent <= position.percent)
    ]
    if lower:
        return lower[-1]
    if off is not None:
        return off
    if here in found:
        raise _already_there(position.name)
    raise Refusal(
        f"{found[0].name} is not below {position.name}",
        exit_=Exit.NO_GO,
        next_steps=[f"runbook ramp {found[0].percent:g}  goes up, one step at a time"],
    )


def _already_there(name: str) -> Refusal:
    return Refusal(f"already at {name}", exit_=Exit.NO_GO, next_steps=["runbook rollback  goes one step back"])


def _named_off(site: Site, standing: Standing, target: str) -> Rung | None:
    """A percentage of the stage we are in that its fallback or the partial way back names, below where we are."""
    here = standing.place
    stage, at, text = target.rpartition("@")
    percent = percent_of(text)
    if here is None or percent is None or (at and stage != here.stage.name) or percent >= here.percent:
        return None
    known = {*parts_of(site.playbook), here.stage.fallback.percent if here.stage.fallback else None}
    return rung_off(standing.rungs, here.stage.name, percent) if percent in known else None


def _off_lines(site: Site, here: Rung | None) -> list[str]:
    """What else `--to` takes, beside the ladder."""
    lines = []
    if parts := parts_of(site.playbook):
        lines.append(f"in parts: {' > '.join(f'{part:g}' for part in parts)}")
    if here is not None and here.stage.fallback is not None:
        lines.append(f"the fallback of {here.stage.name}: {here.stage.fallback.shown}")
    return lines


def _partial_line(site: Site) -> list[str]:
    return ["runbook rollback --partial  goes down in parts"] if parts_of(site.playbook) else []


def _other_ways(here: Rung) -> list[str]:
    own = here.stage.fallback
    lines = [f"runbook rollback --fallback  does the fallback of {here.stage.name}: {own.shown}"] if own else []
    return [*lines, "runbook rollback  goes one step back"]


def barrier_below(standing: Standing, to: Rung) -> Stage | None:
    """The `one_way` stage that going there would pass: the highest one that we are in or above, and `to` is below."""
    names = list(dict.fromkeys(rung.stage.name for rung in standing.rungs))
    if standing.stage is None:
        return None
    here, there = names.index(standing.stage.name), names.index(to.stage.name)
    stages = {rung.stage.name: rung.stage for rung in standing.rungs}
    passed = [stages[name] for name in names[there + 1 : here + 1] if stages[name].one_way]
    return passed[-1] if passed else None


def refuse_passing(site: Site, standing: Standing, way: Way) -> None:
    """Raises `Refusal` where the way would pass a `one_way` stage, with what is possible instead."""
    barrier = barrier_below(standing, way.to) if way.to else None
    here = standing.place
    if barrier is None or here is None or way.to is None:
        return
    steps = []
    own = here.stage.fallback
    if own is not None and (own.action is not None or (own.percent is not None and own.percent < here.percent)):
        steps.append(f"runbook rollback --fallback  does the fallback of {here.stage.name}: {own.shown}")
    assert standing.position is not None  # there is a place
    lower = below(standing.rungs, standing.position)
    if lower is not None and barrier_below(standing, lower) is None:
        steps.append(f"runbook rollback  goes to {lower.name}")
    part = next((one for one in parts_of(site.playbook) if one < here.percent), None)
    if part is not None and way.how != "partial":
        steps.append(f"runbook rollback --partial  goes to {here.stage.name}@{part:g}")
    goes = barrier.fallback.shown if barrier.fallback else "the safe flags"
    raise Refusal(
        f"{way.to.name} cannot be gone back to: {barrier.name} is one_way",
        exit_=Exit.NO_GO,
        next_steps=[*steps, f"runbook rollback --emergency  does the fallback of {barrier.name}: {goes}"],
    )
