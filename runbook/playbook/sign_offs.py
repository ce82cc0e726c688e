"""The sign-offs of a stage: which roles must sign before it is left, and who must not be the same person."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.language.places import did_you_mean
from runbook.playbook.model import SignOff
from runbook.playbook.nodes import ListNode, MapNode, Node, ScalarNode, described
from runbook.playbook.reading import Broken, Reading
from runbook.playbook.records import ListOf
from runbook.playbook.shapes import Schema, Text

DEPLOYED_BY = "deployed_by"
ROLE = Text("a role", r"[a-z][a-z0-9_]{0,63}", "small letters, digits and '_': reviewed_by")
NOT = "not "


@dataclass(frozen=True)
class SignOffShape:
    """A role that signs: `verified_by`, or `{reviewed_by: not deployed_by}` where it must be somebody else."""

    def read(self, node: Node, reading: Reading) -> SignOff:
        if isinstance(node, ScalarNode):
            return SignOff(role=self.role(node, reading))
        if not isinstance(node, MapNode) or len(node.entries) != 1:
            hint = "write verified_by, or {reviewed_by: not deployed_by}"
            raise reading.wrong(node.place, f"{described(node)} stands where a sign-off belongs", hint)
        [entry] = node.entries.values()
        role = self.role(ScalarNode(entry.place, entry.key, entry.key), reading)
        told = entry.node
        if not isinstance(told, ScalarNode) or not told.text.startswith(NOT):
            hint = f"write {{{role}: not {DEPLOYED_BY}}}"
            raise reading.wrong(told.place, f"{described(told)} is no rule for {role}", hint)
        return SignOff(role=role, not_role=told.text.removeprefix(NOT).strip())

    def role(self, node: ScalarNode, reading: Reading) -> str:
        role = ROLE.read(node, reading)
        if role == DEPLOYED_BY:
            raise reading.wrong(node.place, f"{DEPLOYED_BY} is recorded by ramp itself", "name the roles that sign")
        return role

    def schema(self) -> Schema:
        ruled = {"type": "object", "minProperties": 1, "maxProperties": 1}
        return {"anyOf": [{"type": "string"}, {**ruled, "additionalProperties": {"type": "string"}}]}


@dataclass(frozen=True)
class SignOffs:
    """The sign-offs of one stage, each role once; a rule names a role that is known by then."""

    def read(self, node: Node, reading: Reading) -> tuple[SignOff, ...]:
        found = ListOf(SignOffShape(), single=True).read(node, reading)
        places = node.items if isinstance(node, ListNode) else (node,)
        roles = [DEPLOYED_BY, *(one.role for one in found)]
        twice = {role for role in roles if roles.count(role) > 1}
        for role in sorted(twice):
            reading.wrong(node.place, f"the role {role} stands twice")
        for one, at in zip(found, places, strict=False):
            if one.not_role is not None and (one.not_role not in roles or one.not_role == one.role):
                hint = did_you_mean(one.not_role, roles) or f"one of {', '.join(roles)}"
                reading.wrong(at.place, f"{one.role} cannot be held against '{one.not_role}'", hint)
        if twice:
            raise Broken
        return found

    def schema(self) -> Schema:
        return ListOf(SignOffShape(), single=True).schema()
