"""The site that a recorded test takes place at: a folder of its own, a clock that stands where it is set, and the
events of a service that came there step by step. Nothing outside of the folder is read or written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from runbook.checks.recorded import amount_of
from runbook.judge.calendar import calendar_at
from runbook.judge.zones import UnknownZoneError, zone_of
from runbook.language.algebra import brought
from runbook.playbook.model import Environment, FlagPlace, Playbook
from runbook.playbook.trial import Trial
from runbook.rollout.ladder import Rung, flags_at, ladder, named_rungs, rung_off
from runbook.rollout.site import Site
from runbook.store.database import Database
from runbook.store.events import Event, Who
from runbook.store.sqlite import SqliteStore
from runbook.system.secrets import Masker
from runbook.system.variables import Variables

START = 1_767_693_600.0  # Tuesday, 6 January 2026, 10:00 UTC: where a test says no time, and no calendar minds
_STEP, _LONGEST = 1800.0, 366 * 48  # how a time is searched at which the calendar is open
MEMORY = "/dev/shm"  # noqa: S108 - a folder with a name of its own is made in it, for its owner alone
_BETWEEN = 60.0  # seconds between the events of the way there
_SPREAD = 0.01  # of a captured number: what the noise of its samples was
_SAMPLES = 100  # that a captured number rests on
_NAMED = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")
DEPLOYER = Who(operator="who deployed", host="test")


class StillClock:
    """A clock that stands where it is set."""

    def __init__(self, now: float) -> None:
        self.now = now

    def wall(self) -> float:
        return self.now

    def boot_time(self) -> float:
        return self.now - START + 10.0 * 366 * 86_400

    def boot_id(self) -> str:
        return "of a test"


@dataclass(frozen=True)
class Scene:
    """Where a test takes place. `elapsed` is how long the step was watched when it is decided at `ends`; the answers
    hold for `held` seconds up to then and `beyond` it. Seconds, `ends` since the epoch.
    """

    playbook: Playbook
    environment: Environment
    trial: Trial
    rung: Rung | None
    ends: float
    elapsed: float
    held: float = 0.0
    beyond: float = 0.0


def scene_of(playbook: Playbook, trial: Trial, held: float = 0.0) -> Scene:
    """The place and time of a test whose answers hold for `held` seconds. Raises `Refusal` for a step that is none.

    Where the test says how long the step was watched, that stays so: what does not fit into it comes after.
    """
    environment = _environment(playbook, trial)
    rung = _rung(playbook, trial)
    asked = rung.bake.at_least if rung is not None and rung.bake is not None else 0.0
    elapsed = max(asked, held + 1.0) if trial.bake is None else max(trial.bake, 1.0)
    within = min(held, elapsed - 1.0)
    ends = _moment(playbook, environment, trial)
    return Scene(playbook, environment, trial, rung, ends, elapsed, held=within, beyond=held - within)


def _environment(playbook: Playbook, trial: Trial) -> Environment:
    """The environment that is meant, as far as it can be had without the world."""
    found = playbook.environments.get(trial.environment or "")
    if found is None:
        real = [one for one in playbook.environments.values() if not one.sandbox]
        found = next(iter([*real, *playbook.environments.values()]), Environment(name="test"))
    return msgspec.structs.replace(
        found,
        url=found.url or "http://service.invalid",
        home=None,
        flags_in=(FlagPlace(kind="env", path="flags.env"),),
        redeploy=None,
        version=None,
        variables_from=None,
        proxy=None,
        protected=False,  # a share of 80 % that is asked nowhere in the playbook is nothing that a test is about
        bake_scale=1.0,
    )


def _rung(playbook: Playbook, trial: Trial) -> Rung | None:
    if trial.at is None:
        return None
    stage, at, percent = trial.at.partition("@")
    rungs = ladder(playbook)
    return rung_off(rungs, stage, float(percent)) if at else named_rungs(rungs, stage)[0]


def _moment(playbook: Playbook, environment: Environment, trial: Trial) -> float:
    """When it ends, seconds since the epoch: as the test says, else at a time when the calendar lets a step be made."""
    calendar = playbook.calendar
    if trial.time is not None:
        try:
            zone = zone_of(calendar.timezone) if calendar is not None else UTC
        except UnknownZoneError:
            zone = UTC
        moment = datetime.fromisoformat(trial.time)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
    if calendar is None or environment.sandbox:
        return START
    for number in range(_LONGEST):
        if calendar_at(calendar, START + number * _STEP).open:
            return START + number * _STEP
    return START


@dataclass(frozen=True)
class Stand:
    """The site, and the clock that its time is set by."""

    site: Site
    clock: StillClock


@contextmanager
def trial_site(scene: Scene, began: float) -> Iterator[Stand]:
    """The site as it stands at `began` (seconds since the epoch), in a folder that ends with the block."""
    with TemporaryDirectory(prefix="runbook-test-", dir=_quick_folder()) as name:
        folder, clock = Path(name), StillClock(began)
        masker = Masker()
        standing_for = stand_ins(scene.playbook)
        fixed = {
            "environment": scene.environment.name,
            "service": scene.playbook.service,
            "today": f"{datetime.fromtimestamp(scene.ends, UTC):%Y-%m-%d}",
            "month": f"{datetime.fromtimestamp(scene.ends, UTC):%Y-%m}",
        }

        def variables(context: dict[str, str]) -> Variables:
            declared = {**standing_for, **scene.environment.variables}
            return Variables(declared=declared, context={**fixed, **context}, masker=masker)

        site = Site(
            project=folder,
            state_folder=folder / ".runbook",
            playbook=scene.playbook,
            playbook_name=scene.playbook.service,
            environment=scene.environment,
            who=DEPLOYER,
            clock=clock,
            masker=masker,
            variables=variables,
            store=SqliteStore(in_memory(), clock, folder / "heads"),
        )
        try:
            _lay_flags(site, scene)
            site.record(*_way_there(site, scene))
            _note_people(site, scene)
            yield Stand(site, clock)
        finally:
            if site.store is not None:
                site.store.close()


def _quick_folder() -> str | None:
    """Where files lie in memory, if the machine has such a place: each event waits for the disk of its head."""
    return MEMORY if os.access(MEMORY, os.W_OK | os.X_OK) else None


def in_memory() -> Database:
    """A store that lasts as long as the test: nothing of it is worth a disk."""
    return Database(Path(":memory:"), 1.0, "memory")


def stand_ins(playbook: Playbook) -> dict[str, str]:
    """A value for each `${NAME}` without a default: nothing of the machine's own variables reaches a test."""
    names = _NAMED.findall(msgspec.json.encode(playbook.plain).decode())
    spoken = {name: name.lower().replace("_", "-") for name in names}
    return {name: f"http://{word}.invalid" if name.endswith("URL") else word for name, word in spoken.items()}


def _lay_flags(site: Site, scene: Scene) -> None:
    """The flag file as the ladder says: of the step we stand on, else the safe values."""
    flags = scene.playbook.flags
    (site.project / "flags.env").write_text("# as the ladder says\n")
    if flags is None:
        return
    values = flags_at(scene.playbook, scene.rung) if scene.rung is not None else dict(flags.safe)
    [file] = site.flag_files()
    if values:
        file.apply(file.prepare(values))


def _way_there(site: Site, scene: Scene) -> list[Event]:
    """How the service came where it stands: every step before it, with the numbers that were captured."""
    rung, trial = scene.rung, scene.trial
    entered = scene.ends - scene.elapsed
    before = [] if rung is None else [one for one in ladder(scene.playbook) if one.index < rung.index]
    start = entered - _BETWEEN * (2 * len(before) + 5)
    events: list[tuple[str, dict[str, Any]]] = []
    if trial.baseline:
        captured = {"stage": before[0].stage.name if before else "", "percent": 0.0}
        events.append(("baseline.captured", {**captured, "numbers": _captured(scene.playbook, trial.baseline)}))
    if rung is not None and (rung.index or rung.off):
        events.append(("rollout.started", {"number": 1}))
    for one in before:
        events.append(("position.entered", _position(site, scene, one, start)))
        left = trial.left.get(one.stage.name) if one.last_of_stage else None
        numbers = {"numbers": _captured(scene.playbook, left)} if left else {}
        events.append(("bake.passed", {"stage": one.stage.name, "percent": one.percent, **numbers}))
    told = [site.event(kind, what, at=start + number * _BETWEEN) for number, (kind, what) in enumerate(events)]
    if rung is not None:
        told.append(site.event("position.entered", _position(site, scene, rung, entered), at=entered))
    # Everything but the baseline belongs to the rollout under way.
    return [_of_rollout(one, 1 if rung is not None and (rung.index or rung.off) else None) for one in told]


def _of_rollout(event: Event, rollout: int | None) -> Event:
    if event.kind == "baseline.captured":
        return event
    return msgspec.structs.replace(event, rollout=rollout, epoch=1)


def _position(site: Site, scene: Scene, rung: Rung, entered: float) -> dict[str, Any]:
    return {
        "stage": rung.stage.name,
        "percent": rung.percent,
        "flags": flags_at(scene.playbook, rung),
        "how": "ramp",
        "verified": True if scene.playbook.verify else None,
        "boot": site.clock.boot_id(),
        "boot_time": site.clock.boot_time() - (site.clock.wall() - entered),
    }


def _captured(playbook: Playbook, numbers: Mapping[str, Any]) -> dict[str, tuple[float, int, float]]:
    """Captured numbers in their metrics' units: mean, n and spread."""
    found = {name: in_unit(value, playbook.metrics[name].unit) for name, value in numbers.items()}
    return {name: (float(mean), _SAMPLES, abs(float(mean)) * _SPREAD) for name, mean in found.items()}


def in_unit(written: Any, unit: str | None) -> Any:
    """A recorded value as the metric counts it: `8%` of a ratio is 0.08, `3s` in ms is 3000; others as they are."""
    from decimal import Decimal

    value, given = amount_of(written)
    return value if given is None else float(brought(Decimal(repr(value)), given, unit))


def _note_people(site: Site, scene: Scene) -> None:
    """What people said, counted and opened, a moment before the end."""
    events: list[Event] = []
    for number, severity in enumerate(scene.trial.incidents, 1):
        events.append(site.event("incident.opened", {"id": number, "title": "recorded", "severity": severity}))
    for name, answer in scene.trial.answers.items():
        metric = scene.playbook.metrics.get(name.removeprefix("metrics/"))
        if metric is not None and metric.counter is not None:
            events += [site.event("noted", {"kind": metric.counter}) for _ in range(answer)]
    events += [_signed(site, scene, name, yes) for name, yes in scene.trial.signed.items()]
    if events:
        site.record(*events)


def _signed(site: Site, scene: Scene, name: str, yes: bool) -> Event:
    """A sign-off of the stage, by a person of its own; or the answer to a manual item."""
    position = site.state().position
    who = Who(operator=f"who signed {name}", host="test")
    roles = {one.role for one in scene.rung.stage.sign} if scene.rung is not None else set()
    if name in roles and position is not None:
        told = {"role": name, "yes": yes, "stage": position.stage, "percent": position.percent}
        told |= {"since": position.baking_since, "playbook": scene.playbook.digest}
        return msgspec.structs.replace(site.event("role.signed", told), who=who)
    items = [gate.sign for stage in scene.playbook.stages for gate in stage.gates if gate.sign is not None]
    item = next((one for one in items if name in (one.id, one.title)), None)
    told = {"check": item.full_id if item is not None else name, "yes": yes, "evidence": "recorded"}
    return msgspec.structs.replace(site.event("check.signed", told), who=who)
