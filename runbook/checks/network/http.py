"""`http`: an endpoint, its status, its time, and a value taken out of the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import msgspec

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import answered, failed, seconds_left, unknown, unreachable, without_value
from runbook.checks.network.access import Auth, asking, by_curl
from runbook.checks.reading import Wanted, read_text
from runbook.judge.verdicts import Reason, Status
from runbook.language.durations import DurationError, parse_duration, show_duration
from runbook.system.http_messages import PHASES, Request, Response
from runbook.system.secrets import VariableTrouble

_ONLY_LOOKS = ("GET", "HEAD")
_MOST_REDIRECTS = 20
_CODE_CLASS = {"1xx", "2xx", "3xx", "4xx", "5xx"}


class Http(Kind, frozen=True, kw_only=True):
    """Without a value taken out this asks *is it there*; `jq`, `header` or `list` take one."""

    KEY: ClassVar[str] = "http"
    GIVES: ClassVar[tuple[str, ...] | None] = ("status", "time", *PHASES)
    LOOKS_AT: ClassVar[str] = "an endpoint: it answers with the status meant, in time, and with the value meant"
    EXAMPLE: ClassVar[str] = "{check: Health, http: /health, status: 200}"

    http: str
    method: str = "GET"
    json: Any = msgspec.UNSET
    text: str | None = None
    form: dict[str, str] | None = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    auth: Auth | None = None
    status: int | str | tuple[int | str, ...] = "2xx"
    jq: str | None = None
    header: str | None = None
    matches: str | None = None
    list_: str | None = msgspec.field(name="list", default=None)
    max_redirects: int = 0
    ca: str | None = None
    within: str | None = None

    def presence(self) -> bool:
        return not (self.jq or self.header or self.list_)

    def asserts(self) -> bool:
        """A value taken out is neither good nor bad by itself; a list passes empty, a text where it matches."""
        return self.presence() or self.list_ is not None or self.matches is not None

    def only_looks(self) -> bool:
        return self.method.upper() in _ONLY_LOOKS

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        found = self._wanted().problems()
        if self.within is not None:
            try:
                parse_duration(self.within)
            except DurationError as trouble:
                found.append(f"within: {trouble}")
        if sum((self.json is not msgspec.UNSET, self.text is not None, self.form is not None)) > 1:
            found.append("json, text and form exclude each other")
        found += self.auth.problems() if self.auth is not None else []
        if not 0 <= self.max_redirects <= _MOST_REDIRECTS:
            found.append(f"max_redirects is {self.max_redirects}: write a number from 0 to {_MOST_REDIRECTS}")
        for code in self._statuses():
            if not (isinstance(code, int) and 100 <= code <= 599) and code not in _CODE_CLASS:
                found.append(f"status {code} is none: write 200, 2xx, or a list of them")
        return found

    async def look(self, around: Surroundings) -> Finding:
        try:
            request = asking(self._written(), self.auth, self.ca, around)
        except VariableTrouble as trouble:
            return without_value(trouble)
        answer = await answered(request, around)
        if isinstance(answer, Finding):
            return answer
        return replace(await self._judge(answer, around), phases=answer.phases)

    async def _judge(self, answer: Response, around: Surroundings) -> Finding:
        if not self._is_expected(answer.status):
            return unreachable(_unexpected(answer), observed=str(answer.status))
        if self.within is not None and answer.elapsed > parse_duration(self.within):
            took = show_duration(answer.elapsed)
            phase = max(answer.phases, key=lambda name: answer.phases[name])
            most = f"most of it {phase}, {show_duration(answer.phases[phase])}"
            return failed(f"answered after {took}, {most}", observed=took, expected=f"within {self.within}")
        finding = await self._read(answer, around)
        own = {"status": answer.status, "time": answer.elapsed, **_times(answer)}
        units = {name: "s" for name in PHASES if name not in finding.values}
        return replace(finding, values={**own, **finding.values}, at=answer.date, units={**units, **finding.units})

    async def _read(self, answer: Response, around: Surroundings) -> Finding:
        if self.header is not None:
            text = answer.header(self.header)
            if text is None:
                return unknown(f"the answer has no header {self.header}", Reason.NODATA)
            return await read_text(text.encode(), self._wanted(), seconds_left(around))
        finding = await read_text(answer.body, self._wanted(), seconds_left(around))
        if finding.status is Status.PASS and not self._wanted().anything():
            return replace(finding, observed=str(answer.status))
        return finding

    def by_hand(self, url: str | None) -> str:
        seconds = None if self.within is None else parse_duration(self.within)
        return by_curl(self._written(), self.auth, self.ca, url, seconds=seconds)

    def _written(self) -> Request:
        """The request as the playbook writes it."""
        return Request(
            url=self.http,
            method=self.method,
            headers=self.headers,
            json=self.json,
            text=self.text,
            form=self.form,
            max_redirects=self.max_redirects,
        )

    def _is_expected(self, status: int) -> bool:
        return any(code in (status, f"{status // 100}xx") for code in self._statuses())

    def _statuses(self) -> tuple[int | str, ...]:
        return self.status if isinstance(self.status, tuple) else (self.status,)

    def _wanted(self) -> Wanted:
        return Wanted(jq=self.jq, matches=self.matches, list_=self.list_ or False)


def _unexpected(answer: Response) -> str:
    where = answer.header("location") if answer.status // 100 == 3 else None
    if where is None:
        return f"status {answer.status}"
    return f"redirects to {where[:200]} (max_redirects: 1 follows it, within the same scheme, host and port)"


def _times(answer: Response) -> dict[str, float]:
    """The seconds of each phase, none for one that a connection kept open spared; without TLS there is no `tls`."""
    spared = dict.fromkeys(PHASES if answer.url.startswith("https:") else set(PHASES) - {"tls"}, 0.0)
    return {**spared, **answer.phases}
