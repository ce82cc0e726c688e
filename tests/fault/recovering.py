"""One kill, and what an operator would do after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fault import acceptance
from tests.fault.calls import Call, inject
from tests.fault.practice import Practice, copy
from tests.fault.scenarios import EMERGENCY, Scenario, give_store_back, is_store_hidden
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
    hit = inject(practice, call, "signal=KILL", *scenario.argv)
    tried = Tried(str(call), hit.place or "never reached", way)
    if hit.place is not None and hit.ran.code != -9:
        tried.wrong.append(f"it was not killed: {hit.ran}")
    tried.wrong += recover(scenario, practice, way)
    return tried


def recover(scenario: Scenario, practice: Practice, way: str) -> list[str]:
    """What is wrong on the way from a cut-off command to a named state."""
    wrong = acceptance.flag_file(practice, (scenario.before, scenario.after))
    status = run_warm(practice, "status", "-f", "json")
    shown = acceptance.document(status)
    if is_store_hidden(practice):
        wrong += [] if status.code == 0 else [f"status without the store: {status}"]
    else:
        wrong += acceptance.told_truly(practice, status)
    if scenario.is_emergency:
        more, end = _worked(practice, scenario.argv), scenario.after
    elif acceptance.is_cut_off(shown):
        refused = [] if scenario.command == "resume" else _refused(scenario, practice)
        more, end = refused + _brought_to_rest(practice, way), scenario.end_of(way)
    else:
        more, end = _typed_again(scenario, practice, shown), scenario.after
    give_store_back(practice)
    return wrong + more + acceptance.settled(run_warm, practice, end)


def _worked(practice: Practice, argv: tuple[str, ...]) -> list[str]:
    ran = run_warm(practice, *argv)
    return [] if ran.code == 0 else [f"{' '.join(argv)}: {ran}"]


def _refused(scenario: Scenario, practice: Practice) -> list[str]:
    """The command again while it is cut off: refused, `resume` is named, and nothing is written."""
    before = practice.flags.read_bytes()
    again = run_warm(practice, *scenario.argv)
    wrong = [] if again.code == 4 and "resume" in again.said else [f"typed again while cut off: {again}"]
    return wrong + ([] if practice.flags.read_bytes() == before else ["typed again while cut off, it wrote"])


def _typed_again(scenario: Scenario, practice: Practice, shown: dict[str, Any]) -> list[str]:
    """The command again when nothing was cut off: it works, or it says that it is done already."""
    again = run_warm(practice, *scenario.argv)
    done = scenario.command != "resume" and acceptance.position_of(shown) == scenario.after
    if again.code != (1 if done else 0):
        return [f"typed again when {'it was done' if done else 'nothing was begun'}: {again}"]
    return []


def _brought_to_rest(practice: Practice, way: str) -> list[str]:
    return _worked(practice, EMERGENCY if way == "emergency" else ("resume", f"--{way}"))
