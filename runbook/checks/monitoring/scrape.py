"""`scrape`: one metric, with labels, in the text in which a program shows its metrics."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import NotTaken, answered, unknown, unreachable, without_value
from runbook.checks.monitoring.monitored import duration_problems, oldest_allowed, refuse_old, refuse_skew
from runbook.checks.monitoring.prometheus_answers import series_name
from runbook.checks.monitoring.prometheus_values import one_or_worst, total
from runbook.checks.network.access import Auth, asking, by_curl
from runbook.judge.verdicts import Reason
from runbook.language.places import did_you_mean
from runbook.system.http_messages import Request, Response
from runbook.system.secrets import VariableTrouble

if TYPE_CHECKING:
    from runbook.checks.monitoring.exposition import Exposed, Exposition

_OPEN_METRICS = "application/openmetrics-text"
_ACCEPT = f"text/plain;version=0.0.4, {_OPEN_METRICS};version=1.0.0;q=0.8, */*;q=0.1"
_LARGE = 256 << 10  # bytes; a larger text is read beside the event loop
_NAMES = 2000  # names that a slip is compared with
_NO_METRIC = frozenset(' \t\n"{}')


class Scrape(Kind, frozen=True, kw_only=True):
    """The value is that of the one series of `metric` whose labels are those named; others may be there besides. Of
    several it is the `worst`, or their sum with `sum: true`. With `quantile` the metric is a histogram, taken since its
    program began. A counter is given as it stands: `rate(NAME, 5m)` over a metric with `is: counter` knows resets.
    """

    KEY: ClassVar[str] = "scrape"
    GIVES: ClassVar[tuple[str, ...] | None] = ()
    LOOKS_AT: ClassVar[str] = "one metric, with labels, in a text exposition (Prometheus or OpenMetrics)"
    EXAMPLE: ClassVar[str] = (
        '{check: Queue is short, scrape: /metrics, metric: queue_length, labels: {queue: mail}, expect: "< 100"}'
    )

    scrape: str
    metric: str
    labels: dict[str, str | tuple[str, ...]] = msgspec.field(default_factory=dict)
    worst: Literal["max", "min"] | None = None
    sum_: bool = msgspec.field(name="sum", default=False)
    quantile: Literal["p50", "p90", "p95", "p99"] | None = None
    newer_than: str | None = None
    auth: Auth | None = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    ca: str | None = None

    def asserts(self) -> bool:
        """A value alone says nothing: `expect` does."""
        return False

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        found = [] if self.scrape.strip() else ["scrape is empty: name where the text is, /metrics"]
        if not self.metric.strip() or (set(self.metric) & _NO_METRIC and "${" not in self.metric):
            found.append(f"{self.metric!r} is no name of a metric: labels stand under labels")
        if self.sum_ and self.worst is not None:
            found.append("sum and worst exclude each other")
        if self.quantile is not None and self.metric.endswith(("_bucket", "_sum", "_count")):
            found.append("with quantile the metric is the histogram's own name, without _bucket, _sum or _count")
        found += self.auth.problems() if self.auth is not None else []
        return found + duration_problems(newer_than=self.newer_than)

    def by_hand(self, url: str | None) -> str:
        from runbook.system.shell_words import shell_word

        return f"{by_curl(self._written(), self.auth, self.ca, url)} | grep {shell_word(f'^{self.metric}')}"

    async def look(self, around: Surroundings) -> Finding:
        from runbook.system.daemon_threads import in_thread

        began = time.monotonic()
        try:
            written = replace(self._written(), headers={"Accept": _ACCEPT, **self.headers})
            request = asking(written, self.auth, self.ca, around)
            metric = around.variables.text(self.metric)
            labels = {key: self._texts(wanted, around) for key, wanted in self.labels.items()}
        except VariableTrouble as trouble:
            return without_value(trouble)
        answer = await answered(request, around)
        if isinstance(answer, Finding):
            return answer
        if answer.status // 100 != 2:
            return unreachable(f"status {answer.status}", observed=str(answer.status))
        try:
            work = partial(self._judged, answer, metric, labels, around)
            finding = work() if len(answer.body) <= _LARGE else await in_thread(work)
            return replace(_timed(finding, answer, around.now + time.monotonic() - began), phases=answer.phases)
        except NotTaken as trouble:
            return unknown(trouble.message, trouble.reason)

    def _texts(self, wanted: str | tuple[str, ...], around: Surroundings) -> frozenset[str]:
        several = wanted if isinstance(wanted, tuple) else (wanted,)
        return frozenset(around.variables.text(each) for each in several)

    def _written(self) -> Request:
        """The request as the playbook writes it."""
        return Request(url=self.scrape, headers=self.headers)

    def _judged(
        self, answer: Response, metric: str, labels: Mapping[str, frozenset[str]], around: Surroundings
    ) -> Finding:
        """The finding that the text gives. Raises NotTaken."""
        exposition = _text_of(answer)
        name = f"{metric}_bucket" if self.quantile else metric
        matching = exposition.samples(name, labels)
        if not matching:
            raise NotTaken(_nothing(name, labels, exposition), Reason.NODATA)
        _refuse_doubles(matching)
        finding = one_or_worst(self._values(matching), self.worst, "write labels for one, sum: true, or worst: max")
        times = [one.at for one in matching if one.at is not None]
        if not times:
            return finding
        limit = oldest_allowed(self.newer_than, around)
        clock = around.now
        for at in (min(times), max(times)):
            refuse_old(at, clock, limit, "newer_than: 5m would allow five minutes")
        return replace(finding, sampled=min(times))

    def _values(self, matching: Sequence[Exposed]) -> list[tuple[str, float]]:
        """The names and numbers of the series, or of what was made of them."""
        if self.quantile is not None:
            return self._quantiles(matching, int(self.quantile[1:]) / 100)
        named = [(series_name({"__name__": one.name, **one.labels}), one.value) for one in matching]
        return [("the sum", total(value for _, value in named))] if self.sum_ else named

    def _quantiles(self, matching: Sequence[Exposed], share: float) -> list[tuple[str, float]]:
        from runbook.checks.monitoring.histograms import added, buckets_of, quantile_of

        several = buckets_of(matching)
        if self.sum_:
            return [("the sum", quantile_of(added(list(several.values())), share))]
        return [
            (series_name({"__name__": self.metric, **dict(labels)}), quantile_of(counts, share))
            for labels, counts in several.items()
        ]


def _text_of(answer: Response) -> Exposition:
    """The text of an answer. Raises NotTaken."""
    from runbook.checks.monitoring.exposition import read_exposition  # its patterns take a while to compile

    open_metrics = (answer.header("content-type") or "").strip().lower().startswith(_OPEN_METRICS)
    whole = answer.header("content-length") is not None or answer.header("transfer-encoding") is not None
    return read_exposition(answer.body, open_metrics=open_metrics, whole=whole)


def _timed(finding: Finding, answer: Response, now: float) -> Finding:
    """The finding with the time of the server's own clock, where it tells that. Raises NotTaken."""
    if answer.date is not None:
        refuse_skew(answer.date, now)
    return replace(finding, at=answer.date)


def _refuse_doubles(samples: Sequence[Exposed]) -> None:
    """Raises NotTaken where one series has two samples: nothing says which of them is meant."""
    seen = set()
    for one in samples:
        labels = tuple(sorted(one.labels.items()))
        if labels in seen:
            raise NotTaken(f"{series_name({'__name__': one.name, **one.labels})} stands twice in the text")
        seen.add(labels)


def _nothing(name: str, labels: Mapping[str, frozenset[str]], exposition: Exposition) -> str:
    """Why no series is the one that is meant; of a histogram `name` ends with `_bucket`."""
    metric, without_labels = name.removesuffix("_bucket"), exposition.count(name)
    if not without_labels:
        near = did_you_mean(name, list(exposition.lines)[:_NAMES]).replace("_bucket?", "?")
        return f"there is no metric {metric} in the text{f'; {near}' if near else ''}"
    wanted = ", ".join(f"{key}={' or '.join(sorted(values))}" for key, values in labels.items())
    return f"no series of {metric} has {wanted}; there are {without_labels} of that name"
