"""Where a service stands: the fold over its events.

`State` is kept in the store beside the chain and is rebuilt from the events whenever it is missing or behind. Every
time here is seconds since the epoch, UTC.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Position(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stage and a percentage, and since when. `boot` and `boot_time` carry the waiting over clock jumps.

    `flags` are the values that were left; `how` is ramp, rollback, partial, fallback, previous, emergency or adopt;
    `verified` is None where the playbook has no `verify`. `by` went there, and `known` says how well that is known.
    `version` is the build that was seen there; a new one begins the bake again, at `rebaked`.
    """

    stage: str
    percent: float
    since: float
    boot: str = ""
    boot_time: float = 0.0
    how: str = "ramp"
    verified: bool | None = None
    flags: dict[str, str] = {}
    by: str = ""
    known: str = ""
    version: str | None = None
    rebaked: float | None = None

    @property
    def name(self) -> str:
        return f"{self.stage}@{self.percent:g}"

    @property
    def baking_since(self) -> float:
        """Since when what runs here has been running here: evidence from before does not count."""
        return self.since if self.rebaked is None else self.rebaked


class OpenOperation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An operation that was started and has not ended, as far as the store knows."""

    id: str
    kind: str
    began: float
    who: str
    host: str
    to: str = ""
    epoch: int = 0


class Hold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What stops going up, and every automatic action, until a person releases it."""

    by: str
    since: float
    reason: str = ""
    until: float | None = None
    automatic: bool = False
    robots: bool = False  # it stops the robot too, not only what goes up


class Incident(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One incident. `resolved` is None while it is open; `operations` are those that happened in it."""

    id: int
    title: str
    severity: str
    opened: float
    by: str
    resolved: float | None = None
    resolution: str = ""
    operations: list[str] = []
    started: float | None = None  # when the harm began, where that is known
    responded: float | None = None  # when somebody first answered
    checklist: list[str] = []  # what the way back asks people to do after it


class SignedAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The newest answer to a manual item. `rollout` is the journey it was given in."""

    yes: bool
    who: str
    at: float
    evidence: str = ""
    valid_until: float | None = None
    rollout: int | None = None
    rollouts: int = 0  # how many journeys had begun when it was given


class SignedRole(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sign-off of a stage by a role. It counts for the rollout, the playbook text and the entry it was given for."""

    role: str
    yes: bool
    who: str
    known: str
    at: float
    stage: str
    percent: float
    since: float  # when the position was entered (or its bake began again) for which it was given
    playbook: str = ""
    evidence: str = ""
    rollout: int | None = None


class Waived(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An exception from a check, until then."""

    who: str
    at: float
    until: float
    reason: str


class Captured(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Numbers that became a reference: of each metric its mean, n and standard deviation."""

    at: float
    who: str
    stage: str
    percent: float
    numbers: dict[str, tuple[float, int, float]]
    rollout: int | None = None
    rollouts: int = 0


class Due(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A row of the matrix that is true: since when, and until when people have time to act."""

    since: float
    then: str
    due: float | None = None
    severity: str | None = None
    observed: str = ""


class WayBackTaken(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last way back that worked: when, and how many seconds it took."""

    at: float
    seconds: float


SHAPE = 3  # counted up whenever the fold keeps more than before


class State(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Everything that commands ask of the past of one service and environment."""

    shape: int = 0  # SHAPE when it was kept; what was folded in an older shape is folded anew
    number: int = 0
    epoch: int = 0
    latest: float = 0.0  # the newest time that any event tells
    position: Position | None = None
    operation: OpenOperation | None = None
    last_operation: dict[str, Any] | None = None
    hold: Hold | None = None
    incidents: dict[int, Incident] = {}
    answers: dict[str, SignedAnswer] = {}
    rollout: int | None = None
    rollouts: int = 0
    rollbacks: int = 0
    passed: list[tuple[str, float]] = []  # rungs of this rollout that were left upwards, oldest first
    entered: list[tuple[str, float]] = []  # rungs of this rollout that were entered, oldest first
    counters: dict[str, list[float]] = {}
    automatic: list[float] = []  # when the robot acted; at most the last ten
    fired: dict[str, float] = {}  # the condition of each trigger that was seen to fire, and when last
    sign_offs: dict[str, SignedRole] = {}  # by STAGE/ROLE, the newest
    waivers: dict[str, Waived] = {}
    baseline: Captured | None = None
    stages: dict[str, Captured] = {}  # the numbers of each stage's bake when it was left upwards
    matrix: dict[str, Due] = {}  # rows of the matrix that are true, by condition
    stable: float | None = None  # when the last rollout was declared stable
    recovered: float | None = None  # when the numbers had recovered after the last way back
    way_back: WayBackTaken | None = None
    changed_epoch: int = 0  # the highest epoch that changed the present, and when it last did
    changed_at: float = 0.0
    held_at: float = 0.0  # when a hold was last set or released

    def open_incidents(self) -> list[Incident]:
        """The incidents that are not resolved, oldest first."""
        return [incident for _, incident in sorted(self.incidents.items()) if incident.resolved is None]

    def counted(self, kind: str, since: float) -> int:
        """How often `note KIND` was said since then."""
        return sum(1 for moment in self.counters.get(kind, ()) if moment >= since)

    def hold_at(self, now: float) -> Hold | None:
        """The hold that is in force now."""
        if self.hold is None or (self.hold.until is not None and self.hold.until <= now):
            return None
        return self.hold
