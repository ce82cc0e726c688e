"""A playbook as data. Everything here is plain and frozen; durations are seconds, conditions and templates text.

Conditions are kept as written and parsed where they are judged (parsing is cached); `${...}` is expanded where it is
used. Place information is needed only while a playbook is read, so it is not kept here.
"""

from __future__ import annotations

from typing import Any

import msgspec

from runbook.actions.base import Action
from runbook.checks.base import Check
from runbook.judge.calendar import Calendar
from runbook.judge.watched import Pace
from runbook.playbook.trial import Trial


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of all parts of a playbook."""


class FlagPlace(Part, frozen=True):
    """One place where flags live, `env` by kind; `write: in_place` declares a file that cannot be renamed over."""

    kind: str
    path: str
    in_place: bool = False


class Flags(Part, frozen=True):
    """The keys that are ours. `percent` names the percentage's key; `fraction` writes 0.05 for 5 %."""

    percent: str | None = None
    fraction: bool = False
    safe: dict[str, str] = {}

    def keys(self) -> tuple[str, ...]:
        """Every declared key, the percentage's last."""
        names = [key for key in self.safe if key != self.percent]
        return (*names, self.percent) if self.percent else tuple(names)


class Redeploy(Part, frozen=True):
    """How the service is made to read its flags. `action` says what to run; times in seconds."""

    action: Action
    verify_within: float = 30.0
    settle: float = 0.0
    passes: int = 1


class Environment(Part, frozen=True):
    """One environment of the service. `bake_scale` shortens what a sandbox waits for; any other refuses it.

    `version` is a check that takes out which build runs there.
    """

    name: str
    url: str | None = None
    home: str | None = None
    flags_in: tuple[FlagPlace, ...] = ()
    redeploy: Redeploy | None = None
    variables: dict[str, str] = {}
    variables_from: str | None = None
    version: Check | None = None
    proxy: str | None = None
    at_once: int = 32
    protected: bool = False
    sandbox: bool = False
    bake_scale: float = 1.0


class Metric(Part, frozen=True):
    """One number that is watched. `check` asks for it; or it is a counter fed by people, or a constant.

    `target`, `warning`, `critical` are the right-hand sides of conditions (`< 2%`). Times are seconds. `n` names the
    metric that counts the requests which this one rests on.
    """

    name: str
    check: Check | None = None
    counter: str | None = None
    value: float | None = None
    unit: str | None = None
    target: str | None = None
    warning: str | None = None
    critical: str | None = None
    interval: float = 30.0
    max_age: float | None = None
    min_samples: int = 1
    covers: str = "all"
    n: str | None = None
    is_: str = msgspec.field(name="is", default="gauge")
    on_nodata: str | None = None
    on_error: str | None = None
    deadline: float | None = None
    at_deadline: str | None = None
    attribution: str | None = None


class Gate(Part, frozen=True):
    """What must hold to go on: a condition, or a manual item (`sign`)."""

    condition: str = ""
    sign: Check | None = None
    as_: str = msgspec.field(name="as", default="signal")
    on_nodata: str | None = None
    on_error: str | None = None
    min_samples: int | None = None
    dry_run: bool = False
    override: bool = False
    only: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()

    def counts_in(self, environment: str) -> bool:
        """Whether it is judged in this environment."""
        return (not self.only or environment in self.only) and environment not in self.unless

    @property
    def title(self) -> str:
        return self.sign.title if self.sign else self.condition


class Trigger(Part, frozen=True):
    """When this, then that. `keep` is in seconds."""

    when: str
    then: str
    on_nodata: str | None = None
    on_error: str | None = None
    min_samples: int | None = None
    keep: float = 0.0
    dry_run: bool = False


class Bake(Part, frozen=True):
    """How long a rung is watched before the next step: at least and recommended, seconds; `sampled` a share 0..1."""

    at_least: float = 0.0
    recommended: float | None = None
    sampled: float | None = None


class Rung(Part, frozen=True):
    """One percentage of a stage, with the bake it asks for."""

    percent: float
    bake: Bake | None = None


class SignOff(Part, frozen=True):
    """A role that must sign to leave a stage; `not_role` names whose signer it must not be."""

    role: str
    not_role: str | None = None


class Fallback(Part, frozen=True):
    """What a stage does when there are issues: one of a percentage, a `way` (`previous`, `rollback`), an action."""

    percent: float | None = None
    way: str | None = None
    action: Action | None = None

    @property
    def shown(self) -> str:
        """As an operator says it."""
        if self.action is not None:
            return self.action.title
        return f"to {self.percent:g} %" if self.percent is not None else str(self.way)


class Stage(Part, frozen=True):
    """One stage. `rungs` are its percentages in rising order; `set` what it changes beside the percentage.

    `again` lets it start lower than the stage before; `one_way` is a stage that cannot simply be gone back past;
    `optional` one before which the rollout may be declared stable; `baseline` one whose numbers become the reference.
    `cadence` is how often a person looks.
    """

    name: str
    rungs: tuple[Rung, ...]
    set: dict[str, str] = {}
    requires: tuple[str, ...] = ()
    bake: Bake | None = None
    gates: tuple[Gate, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    sign: tuple[SignOff, ...] = ()
    on_down: str = "rollback"
    again: bool = False
    one_way: bool = False
    optional: bool = False
    baseline: bool = False
    cadence: tuple[Pace, ...] = ()
    fallback: Fallback | None = None


class Partial(Part, frozen=True):
    """The partial way back: percentages, falling, and how long each is watched before the next."""

    ladder: tuple[float, ...]
    bake: Bake = Bake()


class Rollback(Part, frozen=True):
    """The way back. `set` is already overlaid (`safe` is spelled out); `objective` in seconds.

    `recovered` is the condition that ends the watching after it; `checklist` opens in the incident.
    """

    set: dict[str, str] = {}
    objective: float | None = None
    steps: tuple[Check | Action, ...] = ()
    incident: str = "P1"
    recovered: str | None = None
    partial: Partial | None = None
    checklist: tuple[str, ...] = ()


class MatrixRow(Part, frozen=True):
    """A row of the decision matrix. `within` (seconds) is how long people have; then an armed watcher acts."""

    when: str
    then: str
    severity: str | None = None
    within: float | None = None


class Channel(Part, frozen=True):
    """Where notices go. `kind` is webhook or grafana; `token` and `secret` are templates, `timeout` in seconds."""

    kind: str
    url: str
    token: str | None = None
    secret: str | None = None
    headers: dict[str, str] = {}
    tags: tuple[str, ...] = ()
    timeout: float = 5.0


class Notice(Part, frozen=True):
    """A text and the channels it goes to; `on` are the occasions. Without `auto` it is only drafted."""

    to: tuple[str, ...]
    text: str
    on: tuple[str, ...] = ()
    auto: bool = False


class Contact(Part, frozen=True):
    """Who to call, by role. `timezone` tells what time it is there."""

    role: str
    name: str = ""
    phone: str = ""
    mail: str = ""
    chat: str = ""
    timezone: str | None = None
    note: str = ""


class Severity(Part, frozen=True):
    """How fast a severity demands an answer (`respond`, seconds), and when it is proposed."""

    respond: float | None = None
    when: str | None = None


class Playbook(Part, frozen=True):
    """A whole playbook, checked. `path` is where it was read, relative to the project where it lies inside."""

    service: str
    path: str
    title: str = ""
    digest: str = ""  # SHA-256 of the merged text it was read from
    flags: Flags | None = None
    environments: dict[str, Environment] = {}
    secrets: dict[str, dict[str, Any]] = {}
    verify: tuple[Check, ...] = ()
    metrics: dict[str, Metric] = {}
    checklists: dict[str, tuple[Check, ...]] = {}
    stages: tuple[Stage, ...] = ()
    rollback: Rollback | None = None
    calendar: Calendar | None = None
    matrix: tuple[MatrixRow, ...] = ()
    notices: dict[str, Notice] = {}
    channels: dict[str, Channel] = {}
    contacts: tuple[Contact, ...] = ()
    severities: dict[str, Severity] = {}
    incident: dict[str, Any] = {}
    on_nodata: str = "hold"
    on_error: str = "hold"
    tests: tuple[Trial, ...] = ()
    plain: dict[str, Any] = {}  # the merged sections as read, from which a kit is cut
