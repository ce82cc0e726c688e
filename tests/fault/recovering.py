"""One kill, and what an operator would do after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.fault import acceptance
from tests.fault.calls import Call, inject
from tests.fault.practice import SHOWN, Practice, Ran, copy
from tests.fault.scenarios import Scenario, give_store_back
from tests.fault.warm import run_warm


@dataclass
class Tried:
    """One kill: where it was meant to be and where it struck, the way out, and what was wrong after it."""

    at: str
    struck: str
    way: str
    wrong: list[str] = field(default_factory=list)


def try_one(scenario: Scenario, call: Call, way: str, made: Practice, root: Path) -> Tried:
    """Kill a scenario's command at a call, in a fresh copy of the project, and recover."""
    practice = copy(made, root)
    hit = inject(practice, call, "signal=KILL", *scenario.argv, **scenario.environment)
    tried = Tried(str(call), hit.place or "never reached", way)
    if hit.place is not None and hit.ran.code != -9:
        tried.wrong.append(f"it was not killed: {hit.ran}")
    tried.wrong += recover(scenario, practice, way)
    return tried


def recover(scenario: Scenario, practice: Practice, way: str) -> list[str]:
    """What is wrong on the way from a cut-off command to a named state."""
    either = (scenario.before, scenario.after)
    wrong = acceptance.flag_file(practice, either)
    first = run_warm(practice, "status", "-f", "json")
    shown = acceptance.document(first)
    if not (practice.state / "hidden-state.db").exists():
        # The record lags behind the file where a former operation was cut off before this one.
        wrong += acceptance.told_truly(practice, first, set(SHOWN) if scenario.repeats else either)
    elif first.code != 0:
        wrong.append(f"status without the store: {first}")
    if scenario.repeats:
        again = run_warm(practice, *scenario.argv)
        if again.code != 0:
            wrong.append(f"the same command again: {again}")
        ends = _ends_of_repeated(scenario, again)
    else:
        wrong += _typed_again(scenario, practice, shown)
        ends = (scenario.after,)
        if acceptance.is_cut_off(shown):
            wrong += _brought_to_rest(practice, way)
            ends = {"undo": (scenario.before,), "finish": (scenario.after,), "emergency": ("dark@0",)}[way]
    give_store_back(practice)
    return wrong + acceptance.settled(run_warm, practice, ends)


def _ends_of_repeated(scenario: Scenario, again: Ran) -> tuple[str, ...]:
    """Where a repeated command may end: a resume that finds nothing cut off was killed after its end."""
    return (scenario.after,)


def _typed_again(scenario: Scenario, practice: Practice, shown: dict[str, object]) -> list[str]:
    """The command again: refused naming `resume` where it was cut off, else it works or has worked."""
    before = practice.flags.read_bytes()
    again = run_warm(practice, *scenario.argv)
    if acceptance.is_cut_off(shown):
        wrong = [] if again.code == 4 and "resume" in again.said else [f"typed again while cut off: {again}"]
        return wrong + (["typed again while cut off, it wrote"] if practice.flags.read_bytes() != before else [])
    there = acceptance.position_of(shown) == scenario.after
    if again.code != (1 if there else 0):
        return [f"typed again when {'it was done' if there else 'nothing was begun'}: {again}"]
    return []


def _brought_to_rest(practice: Practice, way: str) -> list[str]:
    argv = ("rollback", "--emergency", "--yes") if way == "emergency" else ("resume", f"--{way}", "--yes")
    ran = run_warm(practice, *argv)
    return [] if ran.code == 0 else [f"{' '.join(argv)}: {ran}"]
