"""What every kind of check shares: its options, what it may know, and what it finds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import msgspec

from runbook.judge.verdicts import Reason, Status

if TYPE_CHECKING:
    from runbook.checks.asker import Asker
    from runbook.checks.recorded import Recorded
    from runbook.flags.target import FlagFile
    from runbook.system.secrets import Masker
    from runbook.system.variables import Variables


class Kind(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The options of one kind of check. The field named as the kind's key in a playbook holds its main value.

    A new kind is a subclass in a file of its own and a row in `checks.registry.KINDS`.
    """

    KEY: ClassVar[str]
    LOOKS_AT: ClassVar[str]  # one sentence for the reference
    EXAMPLE: ClassVar[str]  # one playbook line for the reference; a test runs it
    GIVES: ClassVar[tuple[str, ...] | None] = None  # names that `expect` has beside its value; None: they may be any
    TIMEOUT: ClassVar[float] = 10.0  # seconds of one attempt, where the check itself names none

    def presence(self) -> bool:
        """Whether this asks *is it there*: then a refusal or a time-out is a fail, not an unknown."""
        return False

    def only_looks(self) -> bool:
        """Whether it is harmless by its nature, so that it may run in a dry run without `reads: true`."""
        return True

    def takes_value(self) -> bool:
        """Whether it yields a value that `expect` or a metric can judge."""
        return True

    def given_names(self) -> tuple[str, ...] | None:
        """The names that `expect` may use beside the value and what is built in; None where they may be any.

        A jq program that gives an object brings names of its own.
        """
        return None if getattr(self, "jq", None) else self.GIVES

    def asserts(self) -> bool:
        """Whether it says something without `expect`; a check that asserts nothing is refused."""
        return True

    def alone(self) -> bool:
        """Whether it is looked at after everything else of its look, and beside nothing."""
        return False

    def by_hand(self, url: str | None) -> str:
        """The shell line that looks at the same by hand, relative URLs from `url` on; empty where there is none."""
        return ""

    def keeps_history(self) -> bool:
        """Whether its source can be asked for what was: then nobody has to watch for a bake to be watched."""
        return False

    async def past(self, around: Surroundings, since: float, until: float, step: float) -> Past:
        """What its source kept between two times (seconds since the epoch), every `step` seconds. Raises nothing."""
        return Past(trouble="this source keeps no history")

    async def look(self, around: Surroundings) -> Finding:
        """Look once. Raises nothing for what the world does: that is a finding."""
        raise NotImplementedError


@dataclass(frozen=True)
class Finding:
    """What one look found, before `expect` is applied.

    `status` is the kind's own verdict. `value` is what was taken out (a number, text, truth or list), `values` more
    of them by name (`p95`, `errors`), `units` the units of these and of `value`. `listed` are entries shown by name.
    `at` is the time of the value by the source's own clock, in seconds since the epoch, where the source told it.
    `sampled` is when the value itself was taken, where the source tells that apart from its clock: how old it may be is
    for `max_age`. `phases` are the parts of a request and how long each took, in seconds (resolve, connect, tls, wait,
    read); `phase` is the one in which it ended badly.
    """

    status: Status
    observed: str = ""
    expected: str = ""
    message: str = ""
    reason: Reason | None = None
    value: Any = None
    values: Mapping[str, Any] = field(default_factory=dict)
    listed: Sequence[str] = ()
    at: float | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    phases: Mapping[str, float] = field(default_factory=dict)
    phase: str = ""
    sampled: float | None = None


@dataclass(frozen=True)
class Past:
    """What a source kept: times (seconds since the epoch) and numbers, oldest first; or why it could not be had."""

    points: Sequence[tuple[float, float]] = ()
    trouble: str = ""


class Answers(Protocol):
    """The kept answers to manual items (`sign`, `waive`)."""

    def answer(self, check_id: str, title: str) -> Answer | None: ...

    def waiver(self, check_id: str) -> Waiver | None: ...


@dataclass(frozen=True)
class Answer:
    """A person's answer to a manual item. Times are seconds since the epoch."""

    yes: bool
    who: str
    at: float
    evidence: str = ""
    valid_until: float | None = None


@dataclass(frozen=True)
class Waiver:
    """An exception that expires."""

    who: str
    until: float
    reason: str


@dataclass
class Surroundings:
    """What a check may know of the world it looks at. One is made for each look; times are seconds.

    `deadline` is on the monotonic clock (`time.monotonic()`), as is `began`: nothing may take longer than that.
    `proxy` is what the environment says of proxies: a URL, `environment`, or None for none. With `recorded` its answers
    stand in for the world, which is not asked at all.
    """

    project: Path
    environment: str
    url: str | None
    variables: Variables
    masker: Masker
    asker: Asker
    deadline: float
    now: float
    flag_files: Sequence[FlagFile] = ()
    safe: Mapping[str, str] = field(default_factory=dict)
    percent: float | None = None
    stage: str | None = None
    answers: Answers | None = None
    dry_run: bool = False
    builtins: Mapping[str, Any] = field(default_factory=dict)
    protected: bool = False
    proxy: str | None = None
    recorded: Recorded | None = None
    began: float = field(default_factory=time.monotonic)


class Check(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One check of a playbook. `kind` is the key, `options` the kind's own; the rest is common to all kinds.

    `timeout` is in seconds and for one attempt; where it is left out (0), it becomes the kind's own `TIMEOUT`. `checks`
    holds the nested checks of the kind `all`.
    """

    title: str
    id: str
    kind: str
    options: Any  # an instance of registry.KINDS[kind]
    checklist: str = ""
    timeout: float = 0.0
    attempts: int = 1
    expect: str | None = None
    level: str = "error"
    advice: str | None = None
    only: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    reads: bool = False
    checks: tuple[Check, ...] = ()

    def __post_init__(self) -> None:
        if not self.timeout:
            msgspec.structs.force_setattr(self, "timeout", self.options.TIMEOUT)

    def counts_in(self, environment: str) -> bool:
        """Whether it is looked at in this environment."""
        return (not self.only or environment in self.only) and environment not in self.unless

    @property
    def full_id(self) -> str:
        """`LIST/ID`: unique in the whole playbook."""
        return f"{self.checklist}/{self.id}" if self.checklist else self.id


@dataclass(frozen=True)
class CheckResult:
    """One row: a check and how it came out. `duration` is in seconds; `checked_at` in seconds since the epoch.

    `measured_at` is the time of the value by the source's own clock, where it told it. `phases` and `phase` are those
    of the finding.
    """

    check: Check
    status: Status
    reason: Reason | None = None
    observed: str = ""
    expected: str = ""
    message: str = ""
    duration: float = 0.0
    checked_at: float = 0.0
    value: Any = None
    listed: Sequence[str] = ()
    nested: Sequence[CheckResult] = ()
    measured_at: float | None = None
    phases: Mapping[str, float] = field(default_factory=dict)
    phase: str = ""
