"""The impact of an incident, computed from events and kept samples: how long, how much of the traffic, how bad. Pure.

What nothing tells stays None; nothing is assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runbook.incidents.measured import (
    Beginning,
    MetricStory,
    Requests,
    Samples,
    Span,
    first_critical,
    metric_story,
    requests_of,
)
from runbook.incidents.timeline import Story, seconds_of
from runbook.incidents.words import NAMES, words_of
from runbook.playbook.model import Metric
from runbook.store.events import Recorded

WAYS_BACK = ("rollback", "emergency", "partial", "fallback", "previous")


@dataclass(frozen=True)
class Clocks:
    """The times of an incident, seconds since the epoch; None for what has not happened.

    `began` is when the first metric became critical (`measured`), else the first sign. `signalled` is the first sign,
    `mitigated` the end of the way back. `now` is when this was computed.
    """

    began: float
    signalled: float
    mitigated: float | None
    resolved: float | None
    now: float
    measured: bool
    sign: str = ""

    @property
    def until(self) -> float:
        """The end of the harm as far as it is known: mitigated, else resolved, else now."""
        ends = [moment for moment in (self.mitigated, self.resolved) if moment is not None]
        return min(ends, default=self.now)

    @property
    def going_on(self) -> bool:
        """Whether nothing has ended it yet."""
        return self.mitigated is None and self.resolved is None

    @property
    def duration(self) -> float:
        """How long the harm lasted, seconds."""
        return max(0.0, self.until - self.began)

    @property
    def to_detect(self) -> float | None:
        """Seconds from the beginning to the first sign; None where no metric tells when it began."""
        return max(0.0, self.signalled - self.began) if self.measured else None

    @property
    def to_mitigate(self) -> float | None:
        """Seconds from the beginning to the end of the way back."""
        return None if self.mitigated is None else max(0.0, self.mitigated - self.began)

    @property
    def to_resolve(self) -> float | None:
        """Seconds from the beginning to the resolution."""
        return None if self.resolved is None else max(0.0, self.resolved - self.began)


@dataclass(frozen=True)
class Impact:
    """What an incident did. `percent` is the largest share of the traffic that had the change, 10 at 10 %."""

    clocks: Clocks
    beginning: Beginning | None
    percent: float | None
    requests: Requests | None
    metrics: tuple[MetricStory, ...]


def impact_of(
    story: Story, recorded: Iterable[Recorded], metrics: Mapping[str, Metric], samples: Samples, now: float
) -> Impact:
    """The impact of an incident, from all events of its chain and the samples from before it until it was resolved."""
    beginning = first_critical(story.signalled, metrics, samples)
    clocks = Clocks(
        began=beginning.at if beginning else story.signalled,
        signalled=story.signalled,
        mitigated=mitigated_at(story),
        resolved=story.incident.resolved,
        now=now,
        measured=beginning is not None,
        sign=words_of(story.sign) if story.sign else "",
    )
    percent = percent_of(recorded, clocks)
    span = Span(clocks.began, clocks.until, clocks.now if clocks.resolved is None else clocks.resolved)
    stories = [metric_story(metric, samples.get(name, ()), span) for name, metric in metrics.items()]
    counted = (requests_of(metric, samples.get(name, ()), span, percent) for name, metric in metrics.items())
    return Impact(
        clocks=clocks,
        beginning=beginning,
        percent=percent,
        requests=next((one for one in counted if one is not None), None),
        metrics=tuple(one for one in stories if one is not None),
    )


def mitigated_at(story: Story) -> float | None:
    """When the way back that went lowest was done, seconds since the epoch."""
    reached = {
        record.event.operation: float(record.event.payload.get("percent") or 0)
        for record in story.events
        if record.event.kind == "position.entered" and record.event.operation
    }
    done = [
        (reached.get(record.event.operation or "", 0.0), seconds_of(record))
        for record in story.events
        if record.event.kind == "operation.ended"
        and record.event.payload.get("outcome") == "done"
        and record.event.payload.get("kind") in WAYS_BACK
    ]
    return min(done)[1] if done else None


def percent_of(recorded: Iterable[Recorded], clocks: Clocks) -> float | None:
    """The largest percentage that stood between beginning and end; None where no position was recorded before."""
    entered = [
        (seconds_of(record), float(record.event.payload.get("percent") or 0))
        for record in recorded
        if record.event.kind == "position.entered" and not record.redacted
    ]
    before = [(at, percent) for at, percent in entered if at <= clocks.began]
    during = [percent for at, percent in entered if clocks.began < at < clocks.until]
    standing = [max(before, key=lambda one: one[0])[1]] if before else []
    return max([*standing, *during], default=None)


def way_back_of(story: Story) -> str:
    """What kind of way back was begun in it, in words; empty where none was."""
    kinds = [
        str(record.event.payload.get("kind"))
        for record in story.events
        if record.event.kind == "operation.started" and record.event.payload.get("kind") in WAYS_BACK
    ]
    return NAMES.get(kinds[0], kinds[0]) if kinds else ""
