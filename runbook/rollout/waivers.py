"""Waivers: an exception from one check, for a while, with a reason."""

from __future__ import annotations

from collections.abc import Iterable

from runbook.checks.base import Check
from runbook.language.durations import show_duration
from runbook.language.places import did_you_mean
from runbook.rollout.manual_items import few_of, is_named, listed_checks
from runbook.rollout.site import Site
from runbook.store.state import Waived
from runbook.system.refusals import Exit, Refusal

LONGEST = 90 * 86_400.0  # seconds; what is waived for longer is no exception


def waivable(site: Site) -> list[Check]:
    """The checks of the checklists, nested ones too: nothing else can be waived."""
    return listed_checks(site)


def find_waivable(site: Site, name: str) -> Check:
    """The check that is meant, by `ID`, `LIST/ID` or its title. Raises `Refusal`."""
    found = {check.full_id: check for check in waivable(site) if is_named(check, name)}
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise Refusal(f"{name} is the name of several", next_steps=[_typed(one) for one in found])
    if why := _never(site, name):
        raise Refusal(why[0], exit_=Exit.NO_GO, next_steps=[why[1]])
    known = [check.full_id for check in waivable(site)]
    meant = did_you_mean(name, [*known, *(one.rpartition("/")[2] for one in known)])
    few, more = few_of(site, name, known)
    raise Refusal(
        f"there is no check {name!r} in the checklists" + (f"; {meant}" if meant else ""),
        next_steps=[*map(_typed, few), *([more] if more else [])] or ["the playbook has no checklists"],
    )


def _typed(name: str) -> str:
    return f"runbook waive {name} --until 2d --reason TEXT"


def _never(site: Site, name: str) -> tuple[str, str] | None:
    """Why something that is there cannot be waived, and what stands instead; None for what is not there."""
    if name in ("safe_defaults", "drift") or (site.playbook.flags is not None and name in site.playbook.flags.safe):
        return "the safe flags cannot be waived", "runbook adopt POSITION --reason TEXT  takes what is there"
    if any(name in (check.id, check.full_id, check.title) for check in site.playbook.verify):
        return f"{name} belongs to verify, which every change has to pass", "correct verify in the playbook"
    if name in ("calendar", "bake", "clock", "hold") or any(_is_gate(site, name)):
        instead = "runbook ramp --override REASON  where the gate says override: true"
        return f"{name} is no check of a checklist: a gate is passed by ramp --override, where it allows that", instead
    return None


def _is_gate(site: Site, name: str) -> Iterable[bool]:
    for stage in site.playbook.stages:
        yield from (name in (one.role, f"{stage.name}/{one.role}") for one in stage.sign)
        for number, gate in enumerate(stage.gates):
            named = (gate.sign.id, gate.sign.full_id) if gate.sign else ()
            yield name in (gate.title, f"gate/{number}", *named)


def waive_check(site: Site, check: Check, *, until: float, reason: str) -> None:
    """Record a waiver until then, seconds since the epoch. Raises `Refusal` for one that is too long."""
    longest = site.clock.wall() + LONGEST
    if until > longest:
        raise Refusal(
            f"a waiver ends within {show_duration(LONGEST)}: what is waived for longer is no exception",
            exit_=Exit.NO_GO,
            next_steps=[
                f"runbook waive {check.full_id} --until 90d --reason TEXT",
                "or take the check out of the list",
            ],
        )
    site.record(site.event("check.waived", {"check": check.full_id, "until": until, "reason": reason}))


def end_waiver(site: Site, check: Check, *, reason: str) -> Waived | None:
    """End a waiver now; gives the one that was in force, None where there was none."""
    now, found = site.clock.wall(), site.state().waivers.get(check.full_id)
    if found is None or found.until <= now:
        return None
    site.record(site.event("check.waived", {"check": check.full_id, "until": now, "reason": reason}))
    return found
