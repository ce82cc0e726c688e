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
    """One step of the ladder. `index` counts from 0; `percent` is 0..100."""

    index: int
    stage: Stage
    percent: float
    bake: Bake | None
    first_of_stage: bool
    last_of_stage: bool

    @property
    def name(self) -> str:
        return f"{self.stage.name}@{self.percent:g}"


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


def above(rungs: Sequence[Rung], position: Position | None) -> Rung | None:
    """The next rung up; None at the top. Off the ladder it is the first rung above within the stage, or after it."""
    if position is None:
        return rungs[0] if rungs else None
    here = rung_at(rungs, position.stage, position.percent)
    if here is not None:
        return rungs[here.index + 1] if here.index + 1 < len(rungs) else None
    last = [rung for rung in rungs if rung.stage.name == position.stage]
    higher = [rung for rung in last if rung.percent > position.percent]
    if higher:
        return higher[0]
    after = last[-1].index + 1 if last else 0
    return rungs[after] if after < len(rungs) else None


def below(rungs: Sequence[Rung], position: Position) -> Rung | None:
    """The next rung down; None on the first. Off the ladder it is the nearest rung with a lower percentage."""
    here = rung_at(rungs, position.stage, position.percent)
    if here is not None:
        return rungs[here.index - 1] if here.index > 0 else None
    of_stage = [rung for rung in rungs if rung.stage.name == position.stage]
    top = of_stage[-1].index if of_stage else len(rungs) - 1
    lower = [rung for rung in rungs[: top + 1] if rung.percent < position.percent]
    return lower[-1] if lower else None


def named_rungs(rungs: Sequence[Rung], text: str) -> list[Rung]:
    """The rungs meant by `PERCENT`, `STAGE` (its first) or `STAGE@PERCENT`, lowest first.

    Raises `Refusal` when there is none, with what there is.
    """
    stage, at, percent_text = text.rpartition("@") if "@" in text else ("", "", text)
    number = _number(percent_text)
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
        f"there is no step {text!r} on the ladder" + (f"; {meant}" if meant else ""),
        next_steps=[f"the ladder is: {' > '.join(names) or 'empty: the playbook has no stages'}"],
    )


def _number(text: str) -> float | None:
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
