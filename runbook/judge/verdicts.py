"""The one table of words for what was measured: status of a check, truth of a condition, and why it is unknown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why something is unknown."""

    INCONCLUSIVE = "inconclusive"  # between a success and a failure condition
    NODATA = "nodata"  # the source answered and had no such value
    ERROR = "error"  # it could not be asked, or did not make sense


class Truth(StrEnum):
    """The outcome of a condition."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Judged:
    """A condition, judged.

    `observed` and `limit` are shown to people, in the metric's unit; `value` is the number behind `observed` where
    there is one; `n` is the number of samples it rests on and `age` the age in seconds of the newest of them.
    """

    truth: Truth
    reason: Reason | None = None
    observed: str = ""
    limit: str = ""
    message: str = ""
    value: float | str | None = None
    n: int | None = None
    age: float | None = None

    @property
    def holds(self) -> bool:
        return self.truth is Truth.TRUE


class Status(StrEnum):
    """The status of one row: a check, a gate or another rule."""

    PASS = "pass"  # noqa: S105 - a status
    FAIL = "fail"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    WAIVED = "waived"


class Verdict(StrEnum):
    """What a command ends with."""

    GO = "go"
    NO_GO = "no-go"
    UNKNOWN = "unknown"
    FAILED = "failed"


STATUS_OF = {Truth.TRUE: Status.PASS, Truth.FALSE: Status.FAIL, Truth.UNKNOWN: Status.UNKNOWN}


def verdict_of(statuses: Iterable[Status]) -> Verdict:
    """One no makes no-go; else one unknown makes unknown; else go. Skipped and waived rows do not count."""
    seen = set(statuses)
    if Status.FAIL in seen:
        return Verdict.NO_GO
    return Verdict.UNKNOWN if Status.UNKNOWN in seen else Verdict.GO
