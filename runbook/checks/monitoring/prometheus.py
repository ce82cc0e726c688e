"""`prometheus`: a PromQL query, at one time or over a window, judged only on samples that are fresh."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Literal
from urllib.parse import urlencode

import msgspec

from runbook.checks.base import Finding, Kind, Past, Surroundings
from runbook.checks.findings import NotTaken, unknown, without_value
from runbook.checks.monitoring.monitored import (
    all_answered,
    duration_problems,
    oldest_allowed,
    refuse_old,
    refuse_skew,
)
from runbook.checks.monitoring.prometheus_answers import MOST_POINTS, Answer, Told, instant_answer, range_answer
from runbook.checks.monitoring.prometheus_values import (
    OVER_TIME,
    Window,
    counted_there,
    fed,
    folded_there,
    half_there,
    merged,
    newest_value,
    value_over,
)
from runbook.checks.monitoring.promql import filled_query, is_selector, query_problems, selectors_of
from runbook.checks.network.access import Auth, asking, by_curl
from runbook.judge.verdicts import Reason
from runbook.language.durations import parse_duration
from runbook.system.http_messages import Request, Response
from runbook.system.secrets import VariableTrouble

_MOST_REQUESTS = 50  # for one reading of the past
_LONGEST_URL = 4000  # characters; a longer query is sent as a form
_SHORTEST_STEP = 1.0  # seconds
_STEPS = 240  # of a window that names no step, unless that makes it shorter than Prometheus is usually fed
_USUAL_STEP = 15.0


class Prometheus(Kind, frozen=True, kw_only=True):
    """The value is that of the one series that `query` gives, or the `worst` of several; with `range` what `take` says
    of its points over that time. No series, NaN and infinity are no data. A value counts only while the series that the
    query rests on are fed: their newest sample may be `newer_than` old (90s where `expect` judges; a metric has
    `max_age`).
    """

    KEY: ClassVar[str] = "prometheus"
    GIVES: ClassVar[tuple[str, ...] | None] = ()
    LOOKS_AT: ClassVar[str] = "a PromQL query on a Prometheus server, now or over a window; empty is no data"
    EXAMPLE: ClassVar[str] = (
        '{check: Errors are few, prometheus: "http://localhost:9090", '
        "query: 'sum(rate(http_errors_total[5m])) / sum(rate(http_requests_total[5m]))', expect: \"< 1%\"}"
    )

    prometheus: str
    query: str
    worst: Literal["max", "min"] | None = None
    range_: str | None = msgspec.field(name="range", default=None)
    take: Literal["avg", "min", "max", "last", "sum", "count", "p50", "p95", "p99"] | None = None
    step: str | None = None
    newer_than: str | None = None
    fresh: str | None = None
    partial: bool = False
    auth: Auth | None = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    ca: str | None = None

    def asserts(self) -> bool:
        """A value alone says nothing: `expect` does."""
        return False

    def keeps_history(self) -> bool:
        return True

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        found = [] if self.prometheus.strip() else ["prometheus is empty: name the server, http://localhost:9090"]
        found += query_problems(self.query)
        found += self.auth.problems() if self.auth is not None else []
        found += query_problems(self.fresh, "fresh") if self.fresh is not None else []
        found += duration_problems(range=self.range_, step=self.step, newer_than=self.newer_than)
        if (self.range_ is None) != (self.take is None):
            found.append("range and take belong together: range: 5m, take: avg")
        if self.step is not None and self.range_ is None:
            found.append("step is how far the points of a range lie apart: range is missing")
        if not found and self.range_ is not None and self._window(0.0).points > MOST_POINTS:
            found.append(f"the range has more than {MOST_POINTS:,} points: make step longer")
        return found

    def by_hand(self, url: str | None) -> str:
        return by_curl(self._to("query"), self.auth, self.ca, url, asked=[f"query={self._over_time(self.query)}"])

    async def look(self, around: Surroundings) -> Finding:
        began = time.monotonic()
        window = None if self.range_ is None else self._window(around.now)
        try:
            query = filled_query(self.query, around.variables.text)
            fresh = self._proof(query, around)
            asked = [self._ask(query, window, around)] + ([] if fresh is None else [self._ask(fresh, None, around)])
        except VariableTrouble as trouble:
            return without_value(trouble)
        answers = await all_answered(asked, around)
        if isinstance(answers, Finding):
            return answers
        try:
            finding = self._judged(answers, window, around, around.now + time.monotonic() - began)
        except NotTaken as trouble:
            return unknown(trouble.message, trouble.reason)
        return replace(finding, phases=answers[0].phases)

    async def past(self, around: Surroundings, since: float, until: float, step: float) -> Past:
        step = max(step, _SHORTEST_STEP)
        if not since <= until or (until - since) / step > MOST_POINTS * _MOST_REQUESTS:
            return Past(trouble="the time to be read back is too long for its step")
        points: dict[float, float] = {}
        try:
            start = since
            while start <= until:
                end = min(until, start + (MOST_POINTS - 1) * step)
                points |= await self._between(Window(start, end, step, "last"), around)
                start += MOST_POINTS * step
        except VariableTrouble as trouble:
            return Past(trouble=without_value(trouble).message)
        except NotTaken as trouble:
            return Past(trouble=trouble.message)
        return Past(points=tuple(sorted((at, value) for at, value in points.items() if since <= at <= until)))

    async def _between(self, window: Window, around: Surroundings) -> dict[float, float]:
        """The points of a stretch of the past by their times, where something fed them. Raises NotTaken and
        VariableTrouble.
        """
        query = filled_query(self.query, around.variables.text)
        proof = self._proof(query, around)
        taken = None if self.range_ is None else self._window(0.0)
        texts = {"values": query} if taken is None else _asked_over_time(query, taken)
        texts |= {} if proof is None else {"proof": proof}
        answers = await all_answered([self._ask(text, window, around) for text in texts.values()], around)
        if isinstance(answers, Finding):
            raise NotTaken(answers.message)
        told = dict(zip(texts, (self._complete(range_answer(answer)) for answer in answers), strict=True))
        values: Sequence[Told] = told["values"]
        if taken is not None:
            values = half_there(values, merged(told["counts"], None), taken)
        points = merged(values, self.worst)
        if proof is None:
            return points
        newest = None if self.newer_than is None else parse_duration(self.newer_than)
        return fed(points, merged(told["proof"], None), window.step, newest)

    def _over_time(self, query: str) -> str:
        """The query with what is taken of its range in PromQL's own words, where it has one."""
        if self.take is None or self.range_ is None:
            return query
        length, step = (round(seconds * 1000) for seconds in (parse_duration(self.range_), self._window(0.0).step))
        return f"{OVER_TIME[self.take]}({_closed(query)})[{length}ms:{step}ms])"

    def _proof(self, query: str, around: Surroundings) -> str | None:
        """The query for the time of the samples that `query` rests on; None where it rests on none.

        Of a query that is one selector it is the oldest, since each of its series counts. Else it is the newest of each
        selector, since some series of a sum may come and go, and of these the oldest, so that no selector vouches for
        another; one without any sample is left out, as in `sum(a) or vector(0)`. Prometheus looks back five minutes, so
        the time of the evaluation proves nothing. Raises VariableTrouble.
        """
        rests_on = self._rests_on(query, around)
        if not rests_on:
            return None
        if self.fresh is None and is_selector(query):
            return f"min(timestamp({rests_on[0]}))"
        newest = [f"max(timestamp({each}))" for each in rests_on]
        if len(newest) == 1:
            return newest[0]
        apart = (f'label_replace({each}, "s", "{number}", "s", "")' for number, each in enumerate(newest, start=1))
        return f"min({' or '.join(apart)})"

    def _rests_on(self, query: str, around: Surroundings) -> tuple[str, ...]:
        if self.fresh is not None:
            fresh = filled_query(self.fresh, around.variables.text)
            return selectors_of(fresh) or (fresh,)
        return selectors_of(query)

    def _judged(self, answers: list[Response], window: Window | None, around: Surroundings, now: float) -> Finding:
        """The finding that the answers give. Raises NotTaken."""
        if window is None:
            series = self._complete(instant_answer(answers[0]))
            finding = newest_value(series, self.worst)
            clocks = [each.points[-1][0] for each in series]
        else:
            finding = value_over(self._complete(range_answer(answers[0])), window, self.worst)
            clocks = [answers[0].date or now]
        for clock in (min(clocks), max(clocks)):
            refuse_skew(clock, now)
        if len(answers) == 1:
            return replace(finding, at=clocks[0])
        sampled, clock = self._sampled(answers[1])
        refuse_skew(clock, now)
        refuse_old(sampled, clock, oldest_allowed(self.newer_than, around), "newer_than: 5m would allow five minutes")
        return replace(finding, at=clock, sampled=sampled)

    def _sampled(self, proof: Response) -> tuple[float, float]:
        """When the samples that the query rests on were taken, and what the server's clock said. Raises NotTaken."""
        series = self._complete(instant_answer(proof))
        if not series or not math.isfinite(series[0].points[-1][1]):
            message = "no series that the query rests on is fed any more, so its value proves nothing"
            raise NotTaken(f"{message}; fresh: SELECTOR names another series that proves it", Reason.NODATA)
        if len(series) > 1:
            raise NotTaken("this does not answer as Prometheus does: the maximum of something is several")
        clock, sampled = series[0].points[-1]
        return sampled, clock

    def _complete(self, answer: Answer) -> tuple[Told, ...]:
        """The series of an answer that is whole. Raises NotTaken for one that the server warns of."""
        if answer.warnings and not self.partial:
            message = f"the server warns, so that the answer may be partial: {answer.warnings[0]}"[:240]
            raise NotTaken(f"{message} (partial: true takes it all the same)")
        return answer.series

    def _window(self, end: float) -> Window:
        length = parse_duration(self.range_ or "0s")
        usual = max(_SHORTEST_STEP, min(max(_USUAL_STEP, length / _STEPS), length / 4))
        step = usual if self.step is None else max(0.001, parse_duration(self.step))
        return Window(end - length, end, step, self.take or "last")

    def _to(self, endpoint: str) -> Request:
        """A request without its query, as the playbook writes it."""
        return Request(url=f"{self.prometheus.rstrip('/')}/api/v1/{endpoint}", headers=self.headers)

    def _ask(self, query: str, window: Window | None, around: Surroundings) -> Request | None:
        """The request of a filled query. Raises VariableTrouble."""
        written = self._to("query" if window is None else "query_range")
        form = {"query": query}
        if window is not None:
            form |= {"start": f"{window.start:.3f}", "end": f"{window.end:.3f}", "step": f"{window.step:.3f}"}
        url = f"{written.url}?{urlencode(form)}"
        if len(url) <= _LONGEST_URL:
            return asking(replace(written, url=url), self.auth, self.ca, around)
        # What a value holds is not to be read for references once more.
        kept = {name: text.replace("${", "$${") for name, text in form.items()}
        return asking(replace(written, method="POST", form=kept), self.auth, self.ca, around)


def _asked_over_time(query: str, taken: Window) -> dict[str, str]:
    """The queries for what is taken over a range at each time of the past, and for how many points that rests on."""
    closed = _closed(query)
    return {"values": folded_there(closed, taken), "counts": counted_there(closed, taken)}


def _closed(query: str) -> str:
    """The query so that a bracket may follow it: a comment at its end would swallow that."""
    return f"{query}\n" if "#" in query else query
