"""The ladder: every stage and percentage in order, and the flags that belong to each rung. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbook.language.places import did_you_mean
from runbook.playbook.model import Bake, Flags, Playbook, Stage
from runbook.store.state import Position
from runbook.system.refusals import Refusal


@dataclass(frozen=True)
class Rung:
    """One step of the ladder. `index` counts the rungs below it; `percent` is 0..100.

    `off` is a percentage between (or below, or above) the rungs of its stage, where a fallback or a partial way back
    leads: its flags are those of the stage, and the rung with the same index is the next one up.
    """

    index: int
    stage: Stage
    percent: float
    bake: Bake | None
    first_of_stage: bool
    last_of_stage: bool
    off: bool = False

    @property
    def name(self) -> str:
        return f"{self.stage.name}@{self.percent:g}"

    @property
    def order(self) -> tuple[int, bool, float]:
        """By this steps are compared, those off the ladder too: what is lower is further down."""
        return self.index, not self.off, self.percent


def ladder(playbook: Playbook) -> tuple[Rung, ...]:
    """All rungs of the playbook, lowest first. A rung without a bake of its own has its stage's."""
    rungs: list[Rung] = []
    for stage in playbook.stages:
        for number, step in enumerate(stage.rungs):
            rungs.append(
                Rung(
                    index=len(rungs),
                    stage=stage,
                    percent=step.percent,
                    bake=step.bake or stage.bake,
                    first_of_stage=number == 0,
                    last_of_stage=number == len(stage.rungs) - 1,
                )
            )
    return tuple(rungs)


def rung_at(rungs: Sequence[Rung], stage: str, percent: float) -> Rung | None:
    """The rung with just this stage and percentage."""
    return next((rung for rung in rungs if rung.stage.name == stage and rung.percent == percent), None)


def rung_off(rungs: Sequence[Rung], stage: str, percent: float) -> Rung:
    """This percentage of a stage as a step: the rung where there is one, else one that stands off the ladder.

    It bakes as the next rung up within the stage does. Raises `KeyError` where no rung is of this stage.
    """
    mine = [rung for rung in rungs if rung.stage.name == stage]
    if not mine:
        raise KeyError(stage)
    found = rung_at(mine, stage, percent)
    if found is not None:
        return found
    higher = [rung for rung in mine if rung.percent > percent]
    return Rung(
        index=higher[0].index if higher else mine[-1].index + 1,
        stage=mine[0].stage,
        percent=percent,
        bake=(higher or mine[-1:])[0].bake,
        first_of_stage=False,
        last_of_stage=not higher,
        off=True,
    )


def place_of(rungs: Sequence[Rung], position: Position) -> Rung | None:
    """Where a position stands, on the ladder or off it; None where its stage is gone."""
    known = any(rung.stage.name == position.stage for rung in rungs)
    return rung_off(rungs, position.stage, position.percent) if known else None


def above(rungs: Sequence[Rung], position: Position | None) -> Rung | None:
    """The next rung up; None at the top. Off the ladder it is the first rung above within the stage, or after it."""
    if position is None:
        return rungs[0] if rungs else None
    here = place_of(rungs, position)
    following = 0 if here is None else here.index if here.off else here.index + 1
    return rungs[following] if following < len(rungs) else None


def below(rungs: Sequence[Rung], position: Position) -> Rung | None:
    """The next rung down; None on the first. Off the ladder it is the nearest rung with no higher percentage.

    A second ramp (`again`) begins anew: below its lowest percentage stands the top of the ramp before it.
    """
    here = place_of(rungs, position)
    if here is None:
        lower = [rung for rung in rungs if rung.percent < position.percent]
        return lower[-1] if lower else None
    if not here.off:
        return rungs[here.index - 1] if here.index > 0 else None
    ramp = _ramp_of(rungs, here.stage)
    under = rungs[: here.index]
    same = [rung for rung in under if _ramp_of(rungs, rung.stage) == ramp and rung.percent <= here.percent]
    before = [rung for rung in under if _ramp_of(rungs, rung.stage) < ramp]
    nearest = same or before
    return nearest[-1] if nearest else None


def is_below(rungs: Sequence[Rung], rung: Rung, here: Rung) -> bool:
    """Whether a way back from `here` may lead to this rung: it stands lower, and within one ramp goes no higher."""
    same = _ramp_of(rungs, rung.stage) == _ramp_of(rungs, here.stage)
    return rung.order < here.order and (rung.percent <= here.percent or not same)


def _ramp_of(rungs: Sequence[Rung], stage: Stage) -> int:
    """The how-maniest ramp a stage belongs to: each stage with `again` begins another one."""
    stages = list(dict.fromkeys(rung.stage.name for rung in rungs))
    again = {rung.stage.name for rung in rungs if rung.stage.again}
    return sum(1 for name in stages[: stages.index(stage.name) + 1] if name in again)


def named_rungs(rungs: Sequence[Rung], text: str) -> list[Rung]:
    """The rungs meant by `PERCENT`, `STAGE` (its first) or `STAGE@PERCENT`, lowest first.

    Raises `Refusal` when there is none, with what there is.
    """
    stage, at, percent_text = text.rpartition("@") if "@" in text else ("", "", text)
    number = percent_of(percent_text)
    if at:
        found = [rung for rung in rungs if rung.stage.name == stage and rung.percent == number]
    elif number is not None:
        found = [rung for rung in rungs if rung.percent == number]
    else:
        found = [rung for rung in rungs if rung.stage.name == text and rung.first_of_stage]
    if found:
        return found
    names = [rung.name for rung in rungs]
    meant = did_you_mean(text, [*names, *(rung.stage.name for rung in rungs)])
    raise Refusal(
        f"there is no step {text!r} on the ladder ({' > '.join(names) or 'empty: the playbook has no stages'})"
        + (f"; {meant}" if meant else ""),
        next_steps=["runbook status  shows where we are on it"],
    )


def percent_of(text: str) -> float | None:
    """The percentage that a text names, 0..100; None where it names none."""
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        return None
    return number if 0 <= number <= 100 else None


def percent_text(flags: Flags, percent: float, present: str | None) -> str:
    """The percentage as the file writes it: `10`, or with `as: fraction` `0.10` with the decimals found there."""
    if not flags.fraction:
        return f"{percent:g}"
    decimals = len((present or "").partition(".")[2])
    fraction = percent / 100
    shortest = f"{fraction:.6f}".rstrip("0")
    needed = len(shortest.partition(".")[2])
    return f"{fraction:.{max(decimals, needed)}f}" if max(decimals, needed) else f"{fraction:g}"


def percent_shown(flags: Flags, present: str | None) -> float | None:
    """The percentage that the file shows, 0..100; None where it shows none. The opposite of `percent_text`."""
    try:
        number = float(present or "")
    except ValueError:
        return None
    percent = round(number * 100, 6) if flags.fraction else number
    return percent if 0 <= percent <= 100 else None


def flags_at(playbook: Playbook, rung: Rung, present_percent: str | None = None) -> dict[str, str]:
    """The values at a rung: the safe flags, overlaid by the `set` of every stage up to it, and its percentage."""
    flags = playbook.flags
    if flags is None:
        return {}
    values = dict(flags.safe)
    for stage in playbook.stages:
        values |= stage.set
        if stage.name == rung.stage.name:
            break
    if flags.percent:
        values.pop(flags.percent, None)
        values[flags.percent] = percent_text(flags, rung.percent, present_percent)
    return values


def same_value(one: str | None, other: str | None) -> bool:
    """Whether two values mean the same: `true` and `True`, `10` and `10.0`."""
    if one is None or other is None:
        return one is other
    if one == other or (one.casefold() == other.casefold() and one.casefold() in ("true", "false")):
        return True
    try:
        return float(one) == float(other)
    except ValueError:
        return False
