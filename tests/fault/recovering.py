"""One fault, and what an operator would do after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fault import acceptance
from tests.fault.calls import Call, inject
from tests.fault.faults import FAULTS, ended_well
from tests.fault.practice import Practice, copy
from tests.fault.scenarios import EMERGENCY, Scenario, give_store_back, is_store_hidden
from tests.fault.warm import run_warm


@dataclass
class Tried:
    """One fault: where it was meant to be and where it struck, the exit, the way out, and what was wrong after it."""

    fault: str
    at: str
    struck: str
    code: int | None
    way: str
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.fault} at {self.at}, exit {self.code}, then {self.way}: {'; '.join(self.wrong) or 'recovered'}"


@dataclass(frozen=True)
class Strike:
    """Which fault, at which call, and by which way out it is to be recovered."""

    fault: str
    call: Call
    way: str


def try_one(scenario: Scenario, strike: Strike, made: Practice, root: Path) -> Tried:
    """Let a fault strike a scenario's command, in a fresh copy of the project, and recover."""
    practice, fault = copy(made, root), FAULTS[strike.fault]
    hit = inject(practice, strike.call, fault.injected, *scenario.argv, onwards=fault.onwards)
    wrong = ended_well(fault, scenario, hit) + recover(scenario, practice, strike.way)
    return Tried(fault.name, str(strike.call), hit.place or "never reached", hit.ran.code, strike.way, wrong)


def recover(scenario: Scenario, practice: Practice, way: str) -> list[str]:
    """What is wrong on the way from a command that was struck to a named state."""
    status = run_warm(practice, "status", "-f", "json")
    shown = acceptance.document(status)
    # A file that is written in place may be torn until the next command that changes it puts it right.
    torn = scenario.in_place and acceptance.is_cut_off(shown)
    wrong = [] if torn else acceptance.flag_file(practice, scenario.may_show())
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
        more, end = _typed_again(scenario, practice, shown), _end_reached(scenario, shown)
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
    if again.code != (scenario.again if done else 0):
        return [f"typed again when {'it was done' if done else 'nothing was begun'}: {again}"]
    return []


def _end_reached(scenario: Scenario, shown: dict[str, Any]) -> str:
    """Where it stays when nothing is cut off any more: a `resume --finish` that fails takes the operation back."""
    position = acceptance.position_of(shown)
    over = scenario.command == "resume" and position in (scenario.end_of("undo"), scenario.end_of("finish"))
    return position if over else scenario.after


def _brought_to_rest(practice: Practice, way: str) -> list[str]:
    return _worked(practice, EMERGENCY if way == "emergency" else ("resume", f"--{way}"))
