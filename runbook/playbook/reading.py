"""What is collected while a playbook is read: its problems, and the names and conditions to look up at the end."""

from __future__ import annotations

from dataclasses import dataclass, field

from runbook.language.places import Place, Problem
from runbook.playbook.nodes import Node, ScalarNode

MOST_NOTED = 5000


class Broken(Exception):  # noqa: N818 - it carries no error, the problem is noted elsewhere
    """A part could not be read. The problem is noted already; whoever reads the whole goes on with the next part."""


@dataclass(frozen=True)
class WrittenCondition:
    """A condition as it stands in the playbook. `subject` is what stands on its left where only a comparison is given.

    `purpose` is `gate`, `trigger`, `limit` (of a metric), `when` or `severity`; `within` names its stage or metric.
    """

    text: str
    node: ScalarNode
    purpose: str
    subject: str | None = None
    within: str = ""


@dataclass(frozen=True)
class NamedCheck:
    """A check's full id, and where it stands."""

    full_id: str
    place: Place


@dataclass
class Reading:
    """One reading of one playbook. `sections` lists names used and where, to be looked up when all is read."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    conditions: list[WrittenCondition] = field(default_factory=list)
    checks: list[NamedCheck] = field(default_factory=list)
    environments_named: list[Node] = field(default_factory=list)
    emergency: bool = False  # what packages bring may be missing: the way back goes on without it
    within: str = ""  # the list, stage or metric being read: the first part of a check's full id

    def wrong(self, place: Place | None, message: str, hint: str = "") -> Broken:
        """Note an error; the caller raises what this gives when it cannot go on."""
        if not self.full:
            self.problems.append(Problem(message, place, hint))
        return Broken(message)

    @property
    def full(self) -> bool:
        """Whether so much is wrong that nothing more is noted: a hostile file shall not cost memory."""
        return len(self.problems) >= MOST_NOTED

    def warn(self, place: Place | None, message: str, hint: str = "") -> None:
        self.problems.append(Problem(message, place, hint, "warning"))
