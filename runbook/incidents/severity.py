"""Severity from live numbers: the gravest whose `when` is true now; and how soon it asks for an answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.judge.evaluate import evaluate
from runbook.judge.facts import Facts
from runbook.language.conditions import parse_condition
from runbook.language.durations import show_duration
from runbook.playbook.model import Severity
from runbook.store.state import Incident
from runbook.system.clock import local_day_and_clock

DEFAULT = "P1"  # what an incident gets where nothing proposes one
AT_ONCE = 60.0  # seconds; where the answer is due at once, nobody is told of being late before that


@dataclass(frozen=True)
class Proposed:
    """A severity, and why."""

    severity: str
    why: str


def propose_severity(severities: dict[str, Severity], facts: Facts) -> Proposed:
    """The gravest severity whose condition holds; P1 with the reason when none does or none could be judged."""
    unknown = []
    for name in sorted(severities):
        when = severities[name].when
        if when is None:
            continue
        judged = evaluate(parse_condition(when), facts)
        if judged.holds:
            return Proposed(name, f"{when}: {judged.observed}")
        if judged.reason is not None:
            unknown.append(f"{when} could not be judged")
    return Proposed(DEFAULT, "; ".join(unknown) or "no severity's condition holds; the default")


def respond_by(severities: dict[str, Severity], severity: str, opened: float) -> float | None:
    """When an answer is due, seconds since the epoch; None where the playbook names no time."""
    declared = severities.get(severity)
    return None if declared is None or declared.respond is None else opened + declared.respond


@dataclass(frozen=True)
class Response:
    """How an incident stands to the answer that its severity asks for. Times are seconds since the epoch.

    `due` is None where the playbook names no time, `answered` while nobody has said a word; an incident that is over
    counts as answered.
    """

    opened: float
    due: float | None
    answered: float | None
    now: float

    @property
    def overdue(self) -> bool:
        """Whether the time is over and nobody has answered."""
        return self.due is not None and self.answered is None and self.now > self.due

    @property
    def late(self) -> bool:
        """Whether it was answered after the time was over."""
        return self.due is not None and self.answered is not None and self.answered > self.due

    def words(self, by: str = "") -> str:
        """`answer due in 12 m (by 14:25)`, `answered after 4 m by ben`; empty where no answer is asked for."""
        if self.answered is not None:
            told = f"answered after {show_duration(self.answered - self.opened)}" + (f" by {by}" if by else "")
            late = 0.0 if self.due is None else self.answered - self.due
            return f"{told}, {show_duration(late)} late" if self.late else told
        if self.due is None:
            return ""
        clock = local_day_and_clock(self.due, self.now)
        if self.due <= self.opened and self.now - self.due < AT_ONCE:
            return f"answer due at once (since {clock})"
        if self.overdue:
            return f"answer overdue by {show_duration(self.now - self.due)} (it was due by {clock})"
        return f"answer due in {show_duration(self.due - self.now)} (by {clock})"


def response_of(severities: dict[str, Severity], incident: Incident, now: float) -> Response:
    """How an incident stands to the answer that its severity asks for, counted from when it was opened."""
    due = respond_by(severities, incident.severity, incident.opened)
    answered = incident.responded if incident.responded is not None else incident.resolved
    return Response(incident.opened, due, answered, now)
