"""Roles that sign before a stage is left: who has signed, whether it still counts, and who may not sign.

A sign-off counts for the rollout, the text of the playbook, and the entry of the position for which it was given. In a
protected environment only people count who are known by more than their own claim.
"""

from __future__ import annotations

from dataclasses import dataclass

from runbook.playbook.model import SignOff
from runbook.playbook.sign_offs import DEPLOYED_BY
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing
from runbook.store.state import Position, SignedRole

CLAIMED = "claimed"


@dataclass(frozen=True)
class Person:
    """Somebody, and how well that is known."""

    name: str
    known: str

    @property
    def shown(self) -> str:
        return f"{self.name} (claimed)" if self.known == CLAIMED else self.name

    def is_same_as(self, other: Person) -> bool:
        """Whether both go by one name; systems differ on whether capitals matter, so they do not."""
        return self.name.strip().casefold() == other.name.strip().casefold()


@dataclass(frozen=True)
class RoleStanding:
    """How one role stands. `signed` is the newest sign-off, `lapsed` why it does not count (empty where it does).

    `other` is the person whom the rule keeps out, where that is known yet; `doubt` why nobody can be held against them.
    """

    rule: SignOff
    signed: SignedRole | None
    lapsed: str = ""
    other: Person | None = None
    doubt: str = ""

    @property
    def by(self) -> Person | None:
        """Who has signed, as far as it counts."""
        return None if self.signed is None or self.lapsed else Person(self.signed.who, self.signed.known)

    @property
    def same(self) -> bool:
        """Whether the one who signed is the very one whom the rule keeps out."""
        return self.by is not None and self.other is not None and self.by.is_same_as(self.other)


def role_standings(site: Site, standing: Standing) -> list[RoleStanding]:
    """The roles of the stage we stand in, in the order of the playbook; none where no stage was entered."""
    position, stage = standing.position, standing.stage
    if position is None or stage is None or not standing.entered:
        return []
    newest = {one.role: site.state().sign_offs.get(f"{stage.name}/{one.role}") for one in stage.sign}
    lapsed = {role: lapsed_why(site, position, signed) for role, signed in newest.items()}
    found = []
    for rule in stage.sign:
        other = _other(rule, position, newest, lapsed)
        doubt = doubt_about(site, other) if rule.not_role == DEPLOYED_BY else ""
        found.append(RoleStanding(rule, newest[rule.role], lapsed[rule.role], other, doubt))
    return found


def _other(
    rule: SignOff, position: Position, newest: dict[str, SignedRole | None], lapsed: dict[str, str]
) -> Person | None:
    """Whom the rule keeps out: who deployed, or who signed in the other role."""
    if rule.not_role is None:
        return None
    if rule.not_role == DEPLOYED_BY:
        return Person(position.by, position.known) if position.by else None
    signed = newest.get(rule.not_role)
    return None if signed is None or lapsed[rule.not_role] else Person(signed.who, signed.known)


def lapsed_why(site: Site, position: Position, signed: SignedRole | None) -> str:
    """Why a sign-off does not count here and now; empty where it does, and where there is none."""
    if signed is None:
        return ""
    if signed.rollout != site.state().rollout:
        return "in another rollout"
    if signed.percent != position.percent or signed.since < position.since:
        return f"for an earlier entry, of {signed.stage}@{signed.percent:g}"
    if signed.since != position.baking_since:
        return "before the new build came"
    if signed.playbook != site.playbook.digest:
        return "for another text of the playbook"
    if site.environment.protected and signed.known == CLAIMED:
        return f"but only by claim, and {site.environment.name} is protected"
    return ""


def doubt_about(site: Site, deployer: Person | None) -> str:
    """Why nobody can be shown to be somebody else than who deployed; empty where they can."""
    if deployer is None:
        return "it is not known who deployed"
    if site.environment.protected and deployer.known == CLAIMED:
        return f"{deployer.name} deployed by claim only, so nobody can be shown to be somebody else"
    return ""


def known_again(position: str) -> str:
    """What makes it known who stands for a position."""
    return f"runbook adopt {position} --reason TEXT"


def sign_role(site: Site, standing: Standing, role: str, *, yes: bool, evidence: str = "") -> None:
    """Record a sign-off of the position we stand at. The caller has asked `refuse_signing`."""
    position = standing.position
    assert position is not None  # a role is asked for only where a stage was entered
    told = {
        "role": role,
        "yes": yes,
        "stage": position.stage,
        "percent": position.percent,
        "since": position.baking_since,
        "playbook": site.playbook.digest,
        "evidence": evidence,
    }
    site.record(site.event("role.signed", told))
