"""What nobody watched is read back from sources that keep a history of their own, as Prometheus does.

It is evidence for what is judged on data: the share of a bake that was watched, its mean, windows, M of N. It is none
for the clocks of rules: `for 5m` counts what was true while somebody looked (JUDGE.md, *Time*), so that what began and
ended while nobody looked never acts afterwards, and what is still true acts once it was watched for as long.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from runbook.checks.base import Kind, Past
from runbook.judge.facts import Sample
from runbook.judge.values import LARGEST_NUMBER
from runbook.rollout.history import FARTHEST, MOST, Span, fitting, holes, joined_span, longest_windows, not_asked
from runbook.rollout.kept import keep_note, kept_note
from runbook.rollout.looking import Look, surroundings
from runbook.rollout.samples import interval_of, kept_samples
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing
from runbook.store.base import SampleRow, StoreAway
from runbook.system.harmless import harmless

WITHIN = 5.0  # seconds at most: a history that hangs must not hold up the look that it only adds to
LEAST = 0.05  # seconds; with less there is no use in asking
SETTLES = 2.0  # intervals after which a source is taken to have what it will have
KEPT = "read_back"


class Asked(msgspec.Struct, frozen=True):
    """From when to when each metric was read back, by the playbook of that digest: holes in there are the source's."""

    digest: str
    spans: dict[str, Span]


@dataclass(frozen=True)
class Gap:
    """What is to be read back of one metric: its holes, and the times at which it was seen. Seconds."""

    name: str
    kind: Kind
    interval: float
    holes: tuple[Span, ...]
    seen: tuple[float, ...]

    @property
    def span(self) -> Span:
        """All of the holes, as they are asked for at once."""
        return self.holes[0][0], self.holes[-1][1]


def read_back(site: Site, standing: Standing, seen: Look, until: float | None) -> dict[str, str]:
    """Fill the holes of each metric from its source's own history, and keep that as samples with their own times.

    One question a metric, none where there is no hole. `until` is the end of this look on the monotonic clock. Returns
    by metric why its history could not be had, which costs no more than the history.
    """
    metrics = site.playbook.metrics
    asked = {name: one.check.options for name, one in metrics.items() if one.check and name in seen.readings}
    kinds = {name: kind for name, kind in asked.items() if kind.keeps_history()}
    if not kinds or site.store is None:
        return {}
    kept = kept_note(site, KEPT, Asked)
    spans = dict(kept.spans) if kept is not None and kept.digest == site.playbook.digest else {}
    try:
        gaps = _gaps(site, standing, seen, kinds, spans)
        if not gaps:
            return {}
        left = min(WITHIN, WITHIN if until is None else until - time.monotonic())
        if left < LEAST:
            return {gap.name: "this look had no time left for it" for gap in gaps}
        pasts = _asked_for(site, standing, gaps, left)
        for gap in gaps:
            if not pasts[gap.name].trouble:
                _keep(site, gap, pasts[gap.name])
                begin, end = gap.span
                spans[gap.name] = joined_span(spans.get(gap.name), (begin, max(begin, end - SETTLES * gap.interval)))
        keep_note(site, KEPT, Asked(site.playbook.digest, spans))
    except StoreAway as away:
        site.lose_store(away)
        return {}
    troubles = {name: past.trouble for name, past in pasts.items() if past.trouble}
    return {name: harmless(site.masker.mask(text), limit=300) for name, text in troubles.items()}


def _gaps(
    site: Site, standing: Standing, seen: Look, kinds: Mapping[str, Kind], spans: Mapping[str, Span]
) -> list[Gap]:
    """What is to be read back. Raises StoreAway."""
    scale = site.environment.bake_scale
    windows = longest_windows(site.playbook)
    position = standing.position
    entered = position.baking_since if position is not None and standing.entered else None
    found = []
    for name, kind in kinds.items():
        interval = interval_of(site.playbook.metrics[name], scale)
        since = _since(seen.at, entered, windows.get(name, 0.0) * scale, interval)
        end = _end(seen, seen.readings[name])
        if since is None or end - since <= interval:
            continue
        times = [sample.t for sample in kept_samples(site, name, since, end) if sample.good]
        gaps = not_asked(holes(times, (since, end), interval), spans.get(name))
        if gaps:
            aged = _aged(kind, site.playbook.metrics[name].max_age if scale == 1.0 else None)
            found.append(Gap(name, aged, interval, tuple(gaps), tuple(times)))
    return found


def _aged(kind: Kind, max_age: float | None) -> Kind:
    """The kind, with a metric's `max_age` (seconds) where it asks how old a sample may be and names no age itself.

    What a look refuses as too old is no evidence of the past either.
    """
    if max_age is None or getattr(kind, "newer_than", "") is not None:
        return kind
    return msgspec.structs.replace(kind, newer_than=f"{max_age * 1000:.0f}ms")


def _since(now: float, entered: float | None, window: float, interval: float) -> float | None:
    """From when on a metric's history matters: the entry of the rung, or the longest window; None where neither is."""
    starts = [start for start in (entered, now - window if window else None) if start is not None]
    return max(min(starts), now - FARTHEST, now - MOST * interval) if starts else None


def _end(seen: Look, reading: Sample) -> float:
    """Up to when a history may be read: what was measured just now has the last word, and nothing is of the future.

    A source that gives an old value gives it for its past too: what lies behind that value is nobody's measurement.
    """
    return reading.t if reading.good else seen.at


def _asked_for(site: Site, standing: Standing, gaps: list[Gap], seconds: float) -> dict[str, Past]:
    """What each source kept, all asked at once within so many seconds."""
    import asyncio

    here = standing.position
    percent, stage = (here.percent, here.stage) if here else (None, None)
    around = surroundings(site, seconds, percent=percent, stage=stage)

    async def one(gap: Gap) -> Past:
        try:
            async with asyncio.timeout(seconds):
                return await gap.kind.past(around, *gap.span, gap.interval)
        except TimeoutError:
            return Past(trouble=f"no answer within {seconds:.1f} s")
        except Exception as trouble:  # a kind that breaks costs its own history, as it costs its own row in a look
            return Past(trouble=f"it broke: {type(trouble).__name__}: {trouble}")

    async def everything() -> list[Past]:
        try:
            return await asyncio.gather(*(one(gap) for gap in gaps))
        finally:
            await around.asker.close()

    return dict(zip((gap.name for gap in gaps), asyncio.run(everything()), strict=True))


def _keep(site: Site, gap: Gap, past: Past) -> None:
    """Keep the points that lie in the holes. Raises StoreAway."""
    points = [(t, float(value)) for t, value in past.points if _is_sound(t) and _is_sound(value)]
    rows = [
        SampleRow(metric=gap.name, t=t, value=value) for t, value in fitting(points, gap.holes, gap.seen, gap.interval)
    ]
    if rows and site.store is not None:
        site.store.keep_samples(site.chain, rows)


def _is_sound(number: float) -> bool:
    return math.isfinite(number) and abs(number) <= LARGEST_NUMBER
