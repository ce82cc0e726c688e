"""Where a service stands: what the events say, held against what the flag files show. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from runbook.playbook.model import Playbook, Stage
from runbook.rollout.ladder import Rung, above, flags_at, ladder, percent_shown, place_of, rung_at, rung_off, same_value
from runbook.store.state import Position, State


@dataclass(frozen=True)
class Drift:
    """A declared key whose value is not the one that the last operation left, or before any the first stage's."""

    key: str
    expected: str
    present: str
    left: bool = True

    def __str__(self) -> str:
        said = f"{self.expected} was left" if self.left else f"the first stage has {self.expected}"
        return f"{self.key} is {self.present}, {said}"


@dataclass(frozen=True)
class Standing:
    """`position` is None before the first stage was entered. `entered` tells that events say so, not only the file."""

    rungs: tuple[Rung, ...]
    position: Position | None
    entered: bool
    drift: tuple[Drift, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def rung(self) -> Rung | None:
        """The rung we stand on; None off the ladder and before it."""
        return rung_at(self.rungs, self.position.stage, self.position.percent) if self.position else None

    @property
    def place(self) -> Rung | None:
        """Where we stand as a step, also off the ladder; None before the first one, and where our stage is gone."""
        return place_of(self.rungs, self.position) if self.position else None

    @property
    def stage(self) -> Stage | None:
        """The stage we stand in; None before the first one, and where the playbook has it no longer."""
        here = self.position
        return next((rung.stage for rung in self.rungs if here and rung.stage.name == here.stage), None)

    @property
    def gone(self) -> bool:
        """Whether the playbook has no longer the stage we stand in."""
        return self.position is not None and self.stage is None

    @property
    def next(self) -> Rung | None:
        """The next rung up; None at the top, and where nobody can tell because our stage is gone."""
        return None if self.gone else above(self.rungs, self.position)


TAKES_IT = "runbook adopt POSITION --reason TEXT"


def ways_out_of_drift(standing: Standing) -> list[str]:
    """What to type where the flags are not as they were left: put them back, or take what is there."""
    restores = ["runbook adopt --restore  puts the recorded values back"] if standing.entered else []
    return [*restores, f"{TAKES_IT}  takes what is there"]


def standing_of(playbook: Playbook, state: State, shown: Mapping[str, str | None]) -> Standing:
    """Where we are. `shown` are the values of the declared keys in the flag file, None where a key is missing.

    With no history a first stage that asks nothing counts as entered when the file shows its values; any other first
    stage has to be entered by `ramp`. With no history drift is measured against the first stage. A missing key shows
    nothing, so it is no drift.
    """
    rungs = ladder(playbook)
    missing = tuple(key for key, value in shown.items() if value is None)
    if state.position is not None:
        return Standing(rungs, state.position, True, _drift(state.position.flags, shown), missing)
    if not rungs:
        return Standing(rungs, None, False, (), missing)
    first = rungs[0]
    expected = flags_at(playbook, first)
    drift = tuple(replace(one, left=False) for one in _drift(expected, shown))
    stage = first.stage
    asks_nothing = not (stage.requires or first.bake or stage.gates or stage.sign)
    if asks_nothing and not drift and not missing:
        position = Position(stage=stage.name, percent=first.percent, since=0.0, how="file", flags=expected)
        return Standing(rungs, position, False, (), ())
    return Standing(rungs, None, False, drift, missing)


def standing_by_file(playbook: Playbook, shown: Mapping[str, str | None]) -> Standing:
    """Where the flag file alone says we are, for a way back while the store is away: the highest step it shows.

    A percentage off the ladder counts for the highest stage whose other flags the file shows.
    """
    rungs = ladder(playbook)
    rung = _shown_rung(playbook, rungs, shown)
    if rung is None:
        return Standing(rungs, None, False)
    values = flags_at(playbook, rung, shown.get(playbook.flags.percent or "") if playbook.flags else None)
    position = Position(stage=rung.stage.name, percent=rung.percent, since=0.0, how="file", flags=values)
    return Standing(rungs, position, False)


def _shown_rung(playbook: Playbook, rungs: Sequence[Rung], shown: Mapping[str, str | None]) -> Rung | None:
    key = playbook.flags.percent if playbook.flags else None
    present = shown.get(key) if key else None
    percent = percent_shown(playbook.flags, present) if playbook.flags else None
    tops = [rung for rung in rungs if rung.last_of_stage and percent is not None and percent <= rung.percent]
    between = [rung_off(rungs, top.stage.name, percent) for top in tops if percent is not None]
    for rung in (*reversed(rungs), *reversed(between)):
        values = flags_at(playbook, rung, present)
        if all(same_value(shown.get(name), value) for name, value in values.items()):
            return rung
    return None


def _drift(expected: Mapping[str, str], shown: Mapping[str, str | None]) -> tuple[Drift, ...]:
    return tuple(
        Drift(key, value, present)
        for key, value in expected.items()
        if (present := shown.get(key)) is not None and not same_value(present, value)
    )


def shows_safe(rollback: Mapping[str, str], shown: Sequence[Mapping[str, str | None]]) -> bool:
    """Whether the flag files show the values that the way back would set: each key somewhere, and nowhere otherwise."""
    for key, value in rollback.items():
        present = [one for values in shown if (one := values.get(key)) is not None]
        if not present or not all(same_value(one, value) for one in present):
            return False
    return True
