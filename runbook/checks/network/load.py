"""`load`: a bounded number of requests, so many at a time; how long the answers took, and how many were none."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import AroundCheck, proxied, unknown, without_value
from runbook.checks.network.http import Http
from runbook.judge.statistics import quantile
from runbook.judge.verdicts import Status
from runbook.language.durations import show_duration
from runbook.language.units import show_value
from runbook.system.http_messages import Request
from runbook.system.http_requests import curl_line, filled
from runbook.system.secrets import VariableTrouble

if TYPE_CHECKING:
    from runbook.checks.network.volley import Tally

_MOST_REQUESTS = 100_000
_MOST_AT_ONCE = 1000
_DEFAULT_REQUESTS = 100
_UNITS = {"p50": "s", "p95": "s", "p99": "s", "errors": "ratio", "value": "s"}
_FILES_BESIDE = 64  # open files that the rest of the tool needs
_LEAST = 0.05  # seconds, in which nothing worth sending can be answered
_TO_END = 0.05, 0.0003  # seconds that the end of a volley takes: once, and for each slot
_BUSY = 0.8  # share of one core from which this machine, not the service, may be what is measured
_ROUND = (10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400)  # seconds worth proposing
_SHOWN_TROUBLES = 3


class Load(Kind, frozen=True, kw_only=True):
    """Gives `p50`, `p95` and `p99` of the answers with the status meant, in seconds; `errors`, the share of all else;
    `rate`, the requests a second that came of it. The main value is `p95`.
    """

    KEY: ClassVar[str] = "load"
    GIVES: ClassVar[tuple[str, ...] | None] = ("p50", "p95", "p99", "errors", "rate")
    LOOKS_AT: ClassVar[str] = (
        "many equal requests, so many at a time, last and alone: it gives `p50`, `p95`, `p99`, `errors` and `rate`"
    )
    EXAMPLE: ClassVar[str] = (
        '{check: Load test, load: /health, requests: 50, concurrency: 5, expect: "p95 < 3s and errors < 1%"}'
    )
    TIMEOUT: ClassVar[float] = 600.0

    load: str
    requests: int | None = None
    concurrency: int = 10
    per_day: int | None = None
    rate: float | None = None
    method: str = "GET"
    json: Any = msgspec.UNSET
    text: str | None = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    status: int | str | tuple[int | str, ...] = "2xx"
    allow: bool = False

    def only_looks(self) -> bool:
        return False

    def asserts(self) -> bool:
        return False

    def alone(self) -> bool:
        return True

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        found = self._one().problems()
        if self.requests is not None and self.per_day is not None:
            found.append("requests and per_day exclude each other")
        bounded = (("requests", self.requests, _MOST_REQUESTS), ("per_day", self.per_day, _MOST_REQUESTS))
        for name, number, most in (*bounded, ("concurrency", self.concurrency, _MOST_AT_ONCE)):
            if number is not None and not 1 <= number <= most:
                found.append(f"{name} is {number}: write a number from 1 to {most:,}")
        if self.rate is not None and not 0 < self.rate < math.inf:
            found.append(f"rate is {self.rate:g}: write how many requests a second are the most, such as 50")
        return found

    def by_hand(self, url: str | None) -> str:
        return curl_line(self._written(), url)

    def count(self, percent: float | None) -> int:
        """How many requests: `requests`, or of `per_day` the share of the step in percent (None: all); at least 1."""
        if self.per_day is None:
            return self.requests or _DEFAULT_REQUESTS
        return max(1, round(self.per_day * (100.0 if percent is None else percent) / 100))

    async def look(self, around: Surroundings) -> Finding:
        if around.protected and not self.allow:
            return unknown(
                f"{around.environment} is protected, and a load may do harm: nothing was sent; try it elsewhere, "
                f"runbook preflight -e NAME --only {_id_of(around)}, or write allow: true at the check"
            )
        try:
            request = filled(self._written(), around.url, around.variables, around.masker)
            if request is None:
                return unknown("a relative URL, and the environment has no url")
            request = proxied(request, around)
        except VariableTrouble as trouble:
            return without_value(trouble)
        return await self._send(request, around)

    async def _send(self, request: Request, around: Surroundings) -> Finding:
        from runbook.checks.network.volley import Volley, send
        from runbook.checks.turns import never_came

        began, count = time.monotonic(), self.count(around.percent)
        slots = min(self.concurrency, count)
        if (refusal := _too_many_files(slots)) is not None:
            return refusal
        left = around.deadline - began
        if left < _LEAST:
            return unknown(never_came(around.deadline - around.began), observed="not begun")
        if self.rate is not None and (count - 1) / self.rate > left:
            takes = (count - 1) / self.rate
            why = f"{count:,} requests, at most {self.rate:g} a second, take {show_duration(takes)}: nothing was sent"
            return unknown(f"{why}; {_more_time(around, began, takes)}", observed="not begun")
        reserve = min(_TO_END[0] + slots * _TO_END[1], left / 5)
        until = around.deadline - reserve
        tally = await send(Volley(request, count, slots, until, meant=self._is_meant, rate=self.rate))
        if tally.refused:
            return unknown(tally.refused)
        if tally.ended < count:
            return _cut(tally, count, around, began)
        return _measured(tally, count, slots)

    def _is_meant(self, status: int) -> bool:
        codes = self.status if isinstance(self.status, tuple) else (self.status,)
        return any(code in (status, f"{status // 100}xx") for code in codes)

    def _one(self) -> Http:
        """One of the requests, as a check of its own."""
        return Http(
            http=self.load,
            method=self.method,
            json=self.json,
            text=self.text,
            headers=self.headers,
            status=self.status,
        )

    def _written(self) -> Request:
        """The request as the playbook writes it."""
        return Request(url=self.load, method=self.method, headers=self.headers, json=self.json, text=self.text)


def _measured(tally: Tally, count: int, slots: int) -> Finding:
    """The finding of a volley that was answered to its end."""
    ordered = sorted(tally.times)
    shares = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
    times = {name: quantile(ordered, share) if ordered else None for name, share in shares.items()}
    errors, rate = tally.troubles.total() / count, count / max(tally.elapsed, 1e-6)
    shown = [f"{name} {show_value(seconds, 's')}" for name, seconds in times.items() if seconds is not None]
    told = [f"{count:,} requests, {slots:,} at a time, {show_value(rate, None)} a second"]
    if tally.troubles:
        told.append(", ".join(f"{text} ({times})" for text, times in tally.troubles.most_common(_SHOWN_TROUBLES)))
    if ordered and tally.busy > _BUSY * tally.elapsed:
        told.append("this machine was busy with sending, so the service may be faster than that: lower concurrency")
    return Finding(
        Status.PASS,  # also where every answer is an error: of that `expect` has something to say
        observed=", ".join([*shown, f"errors {show_value(errors, 'ratio')}"]),
        message="; ".join(told),
        value=times["p95"],
        values={**times, "errors": errors, "rate": rate},
        units=_UNITS,
    )


def _cut(tally: Tally, count: int, around: Surroundings, began: float) -> Finding:
    """The finding of a volley that did not end in time: half a sample says neither yes nor no."""
    limit, seconds = _limit(around, began)
    bound = f"{limit} of {show_duration(seconds)}"
    after = f"after {tally.sent:,} of {count:,} requests"
    speed = tally.ended / tally.elapsed if tally.elapsed else 0.0
    if tally.hopeless:
        why = f"stopped {after}: at {show_value(speed, None)} a second the {bound} comes first"
    else:
        why = f"stopped at the {bound} {after}"
    if not tally.ended:
        why += ", of which none was answered"
    return unknown(f"{why}; {_more_time(around, began, count / speed if speed else 0.0)}", observed="not ended")


def _limit(around: Surroundings, began: float) -> tuple[str, float]:
    """What bounds this load, and how many seconds that is: the deadline of the look, or the check's own time-out."""
    own = around.check.timeout if isinstance(around, AroundCheck) else math.inf
    if around.deadline - began > own - 0.1:
        return "time-out", own
    return "deadline", around.deadline - around.began


def _more_time(around: Surroundings, began: float, takes: float) -> str:
    """What to write so that it ends: a round time in which a load that takes so many seconds has room."""
    limit, seconds = _limit(around, began)
    before = began - around.began if limit == "deadline" else 0.0
    needed = max(before + 1.5 * takes, 1.2 * seconds)
    proposed = next((each for each in _ROUND if each >= needed), None)
    if proposed is None:
        return "ask for fewer requests"
    text = show_duration(proposed).replace(" ", "")
    return f"give more time: runbook preflight --deadline {text}" if limit == "deadline" else f"give it timeout: {text}"


def _too_many_files(slots: int) -> Finding | None:
    """A finding where the system does not let this process hold so many connections."""
    import resource

    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if most == resource.RLIM_INFINITY or slots + _FILES_BESIDE <= most:
        return None
    return unknown(
        f"a process may hold {most:,} files open here, too few for {slots:,} connections: "
        f"ulimit -n {slots + _FILES_BESIDE}, or a concurrency of {max(1, most - _FILES_BESIDE)}"
    )


def _id_of(around: Surroundings) -> str:
    return around.check.full_id if isinstance(around, AroundCheck) else "ID"
