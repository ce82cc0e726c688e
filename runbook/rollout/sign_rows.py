"""What people have to say before a stage is left, as rows of a decision: asked for last, when there is evidence."""

from __future__ import annotations

from runbook.checks.base import Answer, Check
from runbook.judge.verdicts import Reason, Status
from runbook.language.durations import parse_duration
from runbook.playbook.model import Gate
from runbook.playbook.sign_offs import DEPLOYED_BY
from runbook.rollout.answers import KeptAnswers
from runbook.rollout.journey import leaves_stage, stable_since
from runbook.rollout.roles import CLAIMED, Person, RoleStanding, known_again, role_standings
from runbook.rollout.rows import Row
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing
from runbook.store.state import SignedRole
from runbook.system.clock import local_day_and_clock
from runbook.system.harmless import harmless

LONGEST_SHOWN = 300  # characters of an evidence in a row; all of it is in the history


def sign_rows(site: Site, standing: Standing) -> list[Row]:
    """The manual items among the gates, then the roles; asked for when the stage is left, and not once it is stable."""
    if not leaves_stage(standing) or standing.stage is None or standing.position is None:
        return []
    if standing.next is None and stable_since(site.state()) is not None:
        return []
    since = standing.position.baking_since
    items = [item_row(site, gate, gate.sign, since) for gate in standing.stage.gates if gate.sign is not None]
    return [*items, *(_role_row(site, standing, one) for one in role_standings(site, standing))]


def item_row(site: Site, gate: Gate, check: Check, since: float) -> Row:
    """A manual item among the gates of a step that was entered (or got a new build) at `since`."""
    place, now = site.environment.name, site.clock.wall()
    if not gate.counts_in(place) or (check.only and place not in check.only) or place in check.unless:
        return Row(check.id, check.title, "sign", Status.SKIPPED, message=f"not asked in {place}")
    answer = KeptAnswers(site.state(), now).answer(check.full_id, check.title)
    said = "" if answer is None else f"{'yes' if answer.yes else 'no'}, {answer.who}"
    if answer is None or (over := _over(check, answer, since, now)):
        return Row(
            id=check.id,
            title=check.title,
            kind="sign",
            status=Status.UNKNOWN,
            reason=Reason.NODATA,
            observed="no answer yet" if answer is None else f"{said}, {over}",
            remedy=f"runbook sign {check.id}",
        )
    return Row(
        id=check.id,
        title=check.title,
        kind="sign",
        status=Status.PASS if answer.yes else Status.FAIL,
        observed=f"{said}, {local_day_and_clock(answer.at, now)}",
        message=harmless(answer.evidence, limit=LONGEST_SHOWN),
        remedy="" if answer.yes else f"runbook sign {check.id} when it is true",
    )


def _over(check: Check, answer: Answer, since: float, now: float) -> str:
    """Why an answer does not count any more, or not here; empty where it does.

    How long one counts is also as the playbook says it now. Without that it is of this step and of this build.
    """
    valid = check.options.valid
    if valid is not None:
        return f"longer ago than {valid}" if answer.at + parse_duration(valid) <= now else ""
    return "before this step was entered" if answer.valid_until is None and answer.at < since else ""


def _role_row(site: Site, standing: Standing, role: RoleStanding) -> Row:
    """One role: signed, refused, or still to come."""
    name, position = role.rule.role, standing.position
    where = position.name if position else ""
    status, message, reason = _said(role)
    remedy = ""
    if status is not Status.PASS:
        remedy = f"runbook sign {name}"
        if role.doubt:
            remedy = f"{known_again(where)}  by a person who is known; the bake begins anew"
        elif role.other is not None:
            remedy += f"  typed by somebody else than {role.other.name}"
    return Row(
        id=name,
        title=name,
        kind="sign",
        status=status,
        observed=_observed(site, role),
        expected=_rule(role),
        message=message,
        reason=reason,
        remedy=remedy,
    )


def _said(role: RoleStanding) -> tuple[Status, str, Reason | None]:
    """What a role says: its status, why, and the reason where it is unknown."""
    if role.signed is None or role.lapsed or role.doubt:
        return Status.UNKNOWN, role.doubt, Reason.NODATA
    if not role.signed.yes:
        return Status.FAIL, harmless(role.signed.evidence, limit=LONGEST_SHOWN), None
    if role.same:
        did = "deployed" if role.rule.not_role == DEPLOYED_BY else f"signed {role.rule.not_role}"
        return Status.FAIL, f"{role.signed.who} {did} as well: somebody else has to sign", None
    return Status.PASS, harmless(role.signed.evidence, limit=LONGEST_SHOWN), None


def _observed(site: Site, role: RoleStanding) -> str:
    signed = role.signed
    if signed is None:
        return "no sign-off yet"
    who = shown_signer(signed)
    if role.lapsed:
        return f"signed by {who} {role.lapsed}"
    when = local_day_and_clock(signed.at, site.clock.wall())
    return f"{who}, {when}" if signed.yes else f"no, {who}, {when}"


def shown_signer(signed: SignedRole) -> str:
    """Who signed, marked where that is only claimed."""
    return Person(signed.who, signed.known).shown


def _rule(role: RoleStanding) -> str:
    if role.rule.not_role is None:
        return ""
    if role.other is None:
        return f"not {role.rule.not_role}"
    return f"not {role.rule.not_role} ({role.other.name}{', claimed' if role.other.known == CLAIMED else ''})"
