"""Whether somebody may sign in a role, and the sentences for those who may not."""

from __future__ import annotations

from runbook.language.places import did_you_mean
from runbook.playbook.model import SignOff, Stage
from runbook.playbook.sign_offs import DEPLOYED_BY
from runbook.rollout.journey import leaves_stage
from runbook.rollout.manual_items import few_of
from runbook.rollout.operation import store_is_needed
from runbook.rollout.roles import CLAIMED, Person, RoleStanding, known_again, role_standings
from runbook.rollout.site import Site
from runbook.rollout.standing import TAKES_IT, Standing
from runbook.system.refusals import Exit, Refusal

LONGEST_TEXT = 5_000  # characters of an evidence or a reason


def roles_of(site: Site) -> dict[str, list[str]]:
    """Every role of the playbook, with the stages that ask for it."""
    found: dict[str, list[str]] = {}
    for stage in site.playbook.stages:
        for one in stage.sign:
            found.setdefault(one.role, []).append(stage.name)
    return found


def role_here(standing: Standing, name: str) -> SignOff | None:
    """The role of this name in the stage we stand in."""
    stage = standing.stage if standing.entered else None
    return next((one for one in stage.sign if one.role == name), None) if stage else None


def refuse_elsewhere(site: Site, standing: Standing, name: str) -> None:
    """Raises `Refusal` (no-go) where `name` is a role, and not one of the stage we stand in."""
    if name == DEPLOYED_BY:
        raise Refusal(f"{DEPLOYED_BY} is recorded by ramp itself", exit_=Exit.NO_GO, next_steps=["runbook history"])
    stages = roles_of(site).get(name)
    if stages is None:
        return
    if site.store is None:
        raise store_is_needed(site.store_trouble)
    asked = f"{name} signs before {' or '.join(stages)} is left"
    position, stage = standing.position, standing.stage
    if not standing.entered or position is None:
        steps = [f"runbook ramp {standing.next.percent:g}"] if standing.next else []
        raise Refusal(f"{asked}, and no stage was entered yet", exit_=Exit.NO_GO, next_steps=[*steps, "runbook status"])
    here = _asks_for(stage) if stage else "a stage that the playbook has no longer"
    steps = [f"runbook sign {one.role}" for one in stage.sign] if stage else [TAKES_IT]
    raise Refusal(f"{asked}; we are at {position.name}, {here}", exit_=Exit.NO_GO, next_steps=steps or ["runbook gate"])


def _asks_for(stage: Stage) -> str:
    roles = ", ".join(one.role for one in stage.sign)
    return f"which asks for {roles}" if roles else "which asks for nobody's sign-off"


def refuse_signing(site: Site, standing: Standing, role: str) -> None:
    """Raises `Refusal` (no-go) where this person may not sign in this role of our stage, or not yet."""
    if site.store is None:
        raise store_is_needed(site.store_trouble)
    position, following = standing.position, standing.next
    if not leaves_stage(standing) and position is not None and following is not None:
        raise Refusal(
            f"{role} signs when {position.stage} is left; the next step, {following.name}, is still within it",
            exit_=Exit.NO_GO,
            next_steps=[f"runbook ramp {following.percent:g}"],
        )
    me = Person(site.who.operator, site.who.known)
    standings = role_standings(site, standing)
    mine = next(one for one in standings if one.rule.role == role)
    if mine.doubt and position is not None:
        raise Refusal(
            f"{role} has to be somebody else than who deployed {position.name}: {mine.doubt}",
            exit_=Exit.NO_GO,
            next_steps=[f"{known_again(position.name)}  by a person who is known; the bake begins anew"],
        )
    if mine.other is not None and mine.other.is_same_as(me):
        raise _not_you(me, mine)
    for one in standings:
        if one.rule.not_role == role and one.by is not None and one.by.is_same_as(me):
            raise _not_you(me, RoleStanding(SignOff(role, one.rule.role), None))


def _not_you(me: Person, rule: RoleStanding) -> Refusal:
    did = "deployed" if rule.rule.not_role == DEPLOYED_BY else f"signed {rule.rule.not_role}"
    return Refusal(
        f"{me.name} {did}, and {rule.rule.role} has to be somebody else",
        exit_=Exit.NO_GO,
        next_steps=[f"runbook sign {rule.rule.role}  typed by somebody else than {me.name}"],
    )


def refuse_claimed(site: Site, command: str, by_system: str) -> None:
    """Raises `Refusal` (no-go) where only their own claim tells who this is, and the environment is protected.

    `command` is what was typed, `by_system` who it is without the claim.
    """
    if not site.environment.protected or site.who.known != CLAIMED:
        return
    raise Refusal(
        f"RUNBOOK_OPERATOR ({site.who.operator}) is only claimed, and {site.environment.name} is protected; "
        f"unset it: you are {by_system} by the system",
        exit_=Exit.NO_GO,
        next_steps=[f"unset RUNBOOK_OPERATOR  (or take operator out of runbook.toml and .env), then  {command}"],
    )


def unknown_name(site: Site, standing: Standing, name: str, items: list[str]) -> Refusal:
    """The refusal of a name that is neither a role here nor an item."""
    roles = [one.role for one in standing.stage.sign] if standing.stage and standing.entered else []
    meant = did_you_mean(name, [*roles, *items, *(item.rpartition("/")[2] for item in items), *roles_of(site)])
    few, more = few_of(site, name, [*roles, *items])
    steps = [*(f"runbook sign {one}" for one in few), *([more] if more else [])]
    return Refusal(
        f"there is no manual item {name!r}, and no such role" + (f"; {meant}" if meant else ""),
        next_steps=steps or ["the playbook asks for nobody's word"],
    )


def refuse_unreadable(option: str, text: str) -> None:
    """Raises `Refusal` (usage) for a text that nobody would read again: what was said is kept for good."""
    if len(text) > LONGEST_TEXT:
        raise Refusal(
            f"{option} has {len(text):,} characters, {LONGEST_TEXT:,} are kept at most",
            next_steps=[f"put it where it can be read, and give {option} its address"],
        )
