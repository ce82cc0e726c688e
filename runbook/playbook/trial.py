"""A recorded test of a playbook, as data. Plain and frozen like the rest of the model; durations are seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from runbook.playbook.trial_layers import laid_over, merged


class Expected(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a recorded test must come to; None, or nothing under a name, is not asked.

    `gate` and `preflight` are verdicts; `gates`, `checks` (statuses) and `metrics` (levels) are by name; `fires` are
    the actions, or the conditions, of every rule that fires.
    """

    gate: str | None = None
    gates: dict[str, str] = {}
    checks: dict[str, str] = {}
    fires: tuple[str, ...] | None = None
    severity: str | None = None
    metrics: dict[str, str] = {}
    preflight: str | None = None


class Trial(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of a playbook's own tests: where the service stands, what is answered there, and what must come of it.

    `answers`, `before`, `baseline`, `left` and `signed` are plain data as written; `answers_in` is a file of more.
    `bake` is how long the step was watched, in seconds (None: its whole bake), `held` how long the answers hold.
    """

    name: str
    at: str | None = None
    enters: str | None = None
    environment: str | None = None
    like: str | None = None
    bake: float | None = None
    held: float | None = None
    time: str | None = None
    answers: dict[str, Any] = {}
    answers_in: str | None = None
    before: dict[str, Any] = {}
    baseline: dict[str, Any] = {}
    left: dict[str, Any] = {}
    signed: dict[str, bool] = {}
    incidents: tuple[str, ...] = ()
    expect: Expected = Expected()


def line_of(trial: Trial, trials: Sequence[Trial]) -> list[Trial]:
    """The test behind all that it is `like`, the first of them first.

    Raises ValueError where that leads nowhere, or round in a circle.
    """
    line = [trial]
    while (like := line[0].like) is not None:
        base = next((one for one in trials if one.name == like), None)
        if base is None:
            raise ValueError(f"there is no test '{like}'")
        if any(base.name == one.name for one in line):
            raise ValueError(f"the test '{base.name}' is like itself")
        line.insert(0, base)
    return line


def overlaid(trial: Trial, trials: Sequence[Trial]) -> Trial:
    """The test with what it takes over from the one that it is `like`; what it says itself wins, mappings merge.

    Raises ValueError where that leads nowhere, or round in a circle.
    """
    base, *rest = line_of(trial, trials)
    for ours in rest:
        base = _over(base, ours)
    return base


_LAID = ("answers", "before", "signed")
_MERGED = ("baseline", "left")
_OWN = (*_LAID, *_MERGED, "name", "like", "expect")


def _over(base: Trial, ours: Trial) -> Trial:
    whole = Trial(name="")
    kept = {name: getattr(ours, name) for name in ours.__struct_fields__ if name not in _OWN}
    said = {name: value for name, value in kept.items() if value != getattr(whole, name)}
    both = {name: laid_over(getattr(base, name), getattr(ours, name)) for name in _LAID}
    both |= {name: merged(getattr(base, name), getattr(ours, name)) for name in _MERGED}
    return msgspec.structs.replace(base, name=ours.name, like=None, expect=ours.expect, **said, **both)


def conditions_tried(trials: Sequence[Trial]) -> frozenset[str]:
    """The conditions of rules that some test expects to fire, as they are written: `error_rate > 5% for 5m`."""
    return frozenset(name for trial in trials for name in trial.expect.fires or () if " " in name)
