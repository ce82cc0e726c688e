"""What can strike a command at a system call, and how it may end when it does."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tests.fault.calls import ELSEWHERE, NAMES, OPENS, WRITES, Call, Hit
from tests.fault.scenarios import Scenario

SPOILT = (*OPENS, *WRITES, *NAMES, "fsync", "fdatasync", "ftruncate")  # the calls that a disk makes fail
BY_SIGNAL = {"INT": {130, -2}, "TERM": {143, -15}, "HUP": {143, -1}, "PIPE": set[int](), "KILL": {-9}}


@dataclass(frozen=True)
class Fault:
    """`injected` is what strace calls it; `onwards` strikes every later call of the same name too, like a full disk."""

    name: str
    injected: str
    onwards: bool = False

    @property
    def is_signal(self) -> bool:
        return self.injected.startswith("signal=")

    def strikes(self, call: Call) -> bool:
        """Whether it can happen at this call at all."""
        return self.is_signal or call.name in (WRITES if self.onwards else SPOILT)


FAULTS = {
    **{name: Fault(name, f"signal={name}") for name in BY_SIGNAL},
    **{name: Fault(name, f"error={name}") for name in ("ENOSPC", "EIO", "EDQUOT")},
    "FULL": Fault("FULL", "error=ENOSPC", onwards=True),
}


def ended_well(fault: Fault, scenario: Scenario, hit: Hit) -> list[str]:
    """What is wrong with the way in which the command itself ended."""
    code, may = hit.ran.code, _may_end(fault, scenario, hit)
    wrong = (
        [] if code in may else [f"{fault.name}: it ended with {hit.ran}, not with {' or '.join(map(str, sorted(may)))}"]
    )
    if "Traceback" in hit.ran.said and hit.place != ELSEWHERE:
        wrong.append(f"{fault.name}: a traceback: {hit.ran}")
    return wrong


def _may_end(fault: Fault, scenario: Scenario, hit: Hit) -> Collection[int]:
    """A kill kills, an emergency is stopped by nothing that leaves it a way; all else works or says that it failed."""
    if hit.place is None:
        return {0}
    if fault.name == "KILL":
        return {-9}
    if hit.place == ELSEWHERE and not fault.is_signal:
        return range(256)  # how many files are opened varies with the machine's processes: it may have been a library
    touches_flags = hit.place.startswith("conf")
    if scenario.is_emergency:
        if fault.is_signal:
            # It goes on once it has begun, and no terminal that closes stops it before.
            begun = touches_flags or "journal" in hit.place or fault.name == "HUP"
            return {0} if begun else {0, *BY_SIGNAL[fault.name]}
        return {0, 4} if touches_flags or fault.onwards else {0}
    return {0, 4, *BY_SIGNAL.get(fault.name, ())}
