"""The checklist of an incident: what the way back asks people to do after it, and who did it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runbook.playbook.items import id_of
from runbook.store.state import Incident, SignedAnswer

PREFIX = "incident/"


@dataclass(frozen=True)
class ChecklistItem:
    """One line. It is answered as the check `id` (`incident/3/root_cause`); `slug` is what a person types."""

    id: str
    slug: str
    text: str
    answer: SignedAnswer | None = None

    @property
    def done(self) -> bool:
        return self.answer is not None and self.answer.yes

    @property
    def box(self) -> str:
        """`[x]` or `[ ]`."""
        return "[x]" if self.done else "[ ]"


def item_id(incident: int, text: str) -> str:
    """The check under which a line of an incident's checklist is answered."""
    return f"{PREFIX}{incident}/{id_of(text)}"


def incident_of(check: str) -> int | None:
    """The incident whose checklist a check is a line of; None for any other check."""
    number, slash, _ = check.removeprefix(PREFIX).partition("/")
    return int(number) if check.startswith(PREFIX) and slash and number.isdecimal() else None


def checklist_of(incident: Incident, answers: Mapping[str, SignedAnswer]) -> tuple[ChecklistItem, ...]:
    """The lines with their newest answers, in the order of the playbook; two lines of one id are one."""
    lines = {item_id(incident.id, text): text for text in reversed(incident.checklist) if id_of(text)}
    return tuple(
        ChecklistItem(id=id_, slug=id_.rpartition("/")[2], text=text, answer=answers.get(id_))
        for id_, text in reversed(lines.items())
    )
