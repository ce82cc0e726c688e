"""Plans: the steps from here to there. Reads the flag files; changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runbook.actions.base import Action
from runbook.actions.steps import Act, Plan, Redeploy, SetFlags, Step, Verify
from runbook.checks.base import Check
from runbook.flags.changes import FlagTrouble
from runbook.flags.target import FlagFile
from runbook.playbook.model import Environment, Playbook
from runbook.rollout.ladder import flags_at
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing, shows_safe
from runbook.rollout.ways_down import Way
from runbook.system.refusals import Exit, Refusal


def shares(site: Site, files: Sequence[FlagFile], values: Mapping[str, str]) -> list[dict[str, str]]:
    """Which values belong into which file: those it has; a key that no file has goes to the first."""
    keys = tuple(values)
    present = [file.read(keys).values for file in files]
    placed: list[dict[str, str]] = [{} for _ in files]
    for key, value in values.items():
        owners = [number for number, shown in enumerate(present) if shown.get(key) is not None]
        for number in owners or [0]:
            placed[number][key] = value
    return placed


def set_steps(site: Site, values: Mapping[str, str]) -> list[SetFlags]:
    """The flag edits, prepared and not written. Raises `FlagTrouble` when a file cannot be edited exactly."""
    files = site.flag_files()
    if not files or not values:
        return []
    return [
        SetFlags(file, file.prepare(share), share)
        for file, share in zip(files, shares(site, files, values), strict=True)
        if share
    ]


def forced_steps(site: Site, values: Mapping[str, str]) -> list[SetFlags]:
    """The flag edits of the emergency: exact where possible, each file by itself, forced where it is not."""
    steps = []
    for file in site.flag_files():
        try:
            keys = [key for key, value in file.read(tuple(values)).values.items() if value is not None]
            share = {key: values[key] for key in keys} if len(site.environment.flags_in) > 1 else dict(values)
            steps.append(SetFlags(file, file.prepare(share), share, insist=True))
        except FlagTrouble:
            steps.append(SetFlags(file, None, dict(values), insist=True))
    return steps


def steps_to(
    site: Site, flags: Sequence[SetFlags], *, extra: Sequence[Check | Action] = (), redeploy: bool = True
) -> tuple[Step, ...]:
    """Flags, redeploy, what else there is to do, verify."""
    steps: list[Step] = list(flags)
    if redeploy and site.environment.redeploy is not None:
        steps.append(Redeploy(site.environment.redeploy.action))
    for item in extra:
        steps.append(
            Act(item, site.environment.url) if isinstance(item, Action) else Verify((item,), within=item.timeout)
        )
    if site.verify:
        steps.append(verify_step(site.verify, site.environment))
    return tuple(steps)


def verify_step(checks: tuple[Check, ...], environment: Environment) -> Verify:
    """The verify list, polled as the redeploy's options say."""
    redeploy = environment.redeploy
    if redeploy is None:
        return Verify(checks)
    return Verify(checks, redeploy.verify_within, redeploy.settle, redeploy.passes)


def refuse_flags(site: Site, trouble: FlagTrouble) -> Refusal:
    """The refusal for a flag file that cannot be read or edited exactly: exit 4, nothing changed."""
    return Refusal(
        f"{trouble.path}: {trouble.reason}. Nothing was changed.",
        exit_=Exit.FAILED,
        next_steps=[trouble.hint] if trouble.hint else ["runbook doctor  shows what is found where"],
    )


def ramp_plan(site: Site, came_from: str, to: str, values: Mapping[str, str]) -> Plan:
    """The plan of one step up. Raises `FlagTrouble`."""
    return Plan("ramp", came_from, to, steps_to(site, set_steps(site, values)))


def back_plan(site: Site, came_from: str, way: Way, values: Mapping[str, str]) -> Plan:
    """The plan of a way down; with no values the flags stay. Raises `FlagTrouble`."""
    to = way.to.name if way.to else came_from
    return Plan(way.how, came_from, to, way_steps(site, set_steps(site, values), way.action))


def emergency_plan(site: Site, came_from: str, way: Way, values: Mapping[str, str]) -> Plan:
    """The plan that needs nothing but the flag files: they are written over whatever stands there."""
    to = way.to.name if way.to and not way.safe else "safe"
    flags = forced_steps(site, values) if values else []
    return Plan("emergency", came_from, to, way_steps(site, flags, way.action))


def way_steps(site: Site, flags: Sequence[SetFlags], action: Action | None) -> tuple[Step, ...]:
    """The steps of a way down: flags, redeploy, the rollback's steps, verify; or a stage's own action in their place.

    An action alone deploys what it has to itself.
    """
    rollback = site.playbook.rollback
    extra = (action,) if action else rollback.steps if rollback else ()
    return steps_to(site, flags, extra=extra, redeploy=bool(flags) or action is None)


def values_of(playbook: Playbook, standing: Standing, way: Way, shown: Mapping[str, str | None]) -> dict[str, str]:
    """The values that a way down sets, the percentage first; none where only an action is run."""
    if way.safe or way.to is None:
        return safe_values(playbook)
    if way.action is not None and standing.place == way.to:
        return {}
    percent = playbook.flags.percent if playbook.flags else None
    values = flags_at(playbook, way.to, shown.get(percent) if percent else None)
    return {percent: values[percent], **values} if percent in values else values


def flags_are_safe(site: Site) -> bool:
    """Whether every flag file shows the safe values, each key wherever it stands. Without flags nothing can be said to
    be unsafe by them; what cannot be read, or stands nowhere, is not safe.
    """
    values = safe_values(site.playbook)
    if not values or not site.environment.flags_in:
        return False
    try:
        shown = [file.read(tuple(values)).values for file in site.flag_files()]
    except FlagTrouble:
        return False
    return shows_safe(values, shown)


def safe_values(playbook: Playbook) -> dict[str, str]:
    """What the way back sets: `rollback.set`, else the safe flags; the percentage first."""
    values = dict(playbook.rollback.set) if playbook.rollback and playbook.rollback.set else {}
    if not values and playbook.flags is not None:
        values = dict(playbook.flags.safe)
    percent = playbook.flags.percent if playbook.flags else None
    if percent in values:
        values = {percent: values[percent], **values}
    return values
