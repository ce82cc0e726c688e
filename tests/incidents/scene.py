"""Events of a rollout that goes wrong, with the times that the tests compute with."""

from __future__ import annotations

from typing import Any

from runbook.incidents.impact import Impact, impact_of
from runbook.incidents.timeline import Story, story_of
from runbook.judge.facts import Sample
from runbook.playbook.model import Metric
from runbook.store.events import Event, Recorded, Who
from runbook.store.fold import fold
from runbook.store.state import State

BASE = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC
ANA = Who(operator="ana", host="app-1")
ERROR_RATE = Metric(name="error_rate", unit="ratio", target="< 2%", warning="> 2%", critical="> 5%")


class Chain:
    """Events as they come, each at so many seconds after the base."""

    def __init__(self) -> None:
        self.recorded: list[Recorded] = []

    def add(self, seconds: float, kind: str, operation: str | None = None, /, **payload: Any) -> Recorded:
        event = Event(kind=kind, at=round((BASE + seconds) * 1_000_000), who=ANA, payload=payload, operation=operation)
        number = len(self.recorded) + 1
        self.recorded.append(Recorded(number=number, hash=f"{number:064x}", event=event))
        return self.recorded[-1]

    def position(self, seconds: float, stage: str, percent: float, operation: str | None = None, **more: Any) -> None:
        self.add(seconds, "position.entered", operation, stage=stage, percent=percent, verified=True, **more)

    def ramp(self, seconds: float, operation: str, stage: str, percent: float, came_from: str = "dark@0") -> None:
        to = f"{stage}@{percent:g}"
        told = {"kind": "ramp", "from": came_from, "to": to}
        self.add(seconds, "operation.started", operation, **told)
        self.position(seconds + 2, stage, percent, operation)
        self.add(seconds + 2, "operation.ended", operation, outcome="done", seconds=2.0, message="", **told)

    def emergency(
        self, seconds: float, operation: str, number: int, *, lasted: float = 8.0, outcome: str = "done"
    ) -> None:
        told = {"kind": "emergency", "from": "tasters@10", "to": "safe"}
        self.add(seconds, "operation.started", operation, automatic=True, rule="error_rate > 5%", **told)
        end = seconds + lasted
        opened = {"id": number, "title": "Emergency rollback", "severity": "P0", "started": BASE + seconds}
        if outcome == "done":
            self.position(end, "dark", 0, operation, how="emergency")
        self.add(end, "incident.opened", operation, **opened)
        self.add(end, "operation.ended", operation, outcome=outcome, seconds=lasted, message="", **told)

    def state(self) -> State:
        return fold(State(), self.recorded)

    def story(self, number: int = 1) -> Story:
        return story_of(self.recorded, self.state().incidents, number)

    def impact(
        self, samples: dict[str, list[Sample]] | None = None, metrics: dict[str, Metric] | None = None,
        now: float = 10_000.0, number: int = 1,
    ) -> Impact:  # fmt: skip
        given = {"error_rate": ERROR_RATE} if metrics is None else metrics
        return impact_of(self.story(number), self.recorded, given, samples or {}, BASE + now)


def samples(*pairs: tuple[float, float | None]) -> list[Sample]:
    """Samples at so many seconds after the base."""
    return [Sample(BASE + seconds, value) for seconds, value in pairs]
