"""`http`: an endpoint, its status, its time, and a value taken out of the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import msgspec

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import answered, failed, seconds_left, unknown, unreachable, without_value
from runbook.checks.reading import Wanted, read_text
from runbook.judge.verdicts import Reason, Status
from runbook.language.durations import DurationError, parse_duration, show_duration
from runbook.system.http_messages import Request, Response, basic, bearer
from runbook.system.http_requests import curl_line, filled
from runbook.system.secrets import VariableTrouble

_ONLY_LOOKS = ("GET", "HEAD")
_CODE_CLASS = {"1xx", "2xx", "3xx", "4xx", "5xx"}


class Auth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who asks: a token (`bearer`), or a user and password (`basic: USER:PASSWORD`)."""

    bearer: str | None = None
    basic: str | None = None


class Http(Kind, frozen=True, kw_only=True):
    """Without a value taken out this asks *is it there*; `jq`, `header` or `list` take one."""

    KEY: ClassVar[str] = "http"
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
        for code in self._statuses():
            if not (isinstance(code, int) and 100 <= code <= 599) and code not in _CODE_CLASS:
                found.append(f"status {code} is none: write 200, 2xx, or a list of them")
        return found

    async def look(self, around: Surroundings) -> Finding:
        try:
            request = self._request(around)
        except VariableTrouble as trouble:
            return without_value(trouble)
        answer = await answered(request, around)
        if isinstance(answer, Finding):
            return answer
        return await self._judge(answer, around)

    async def _judge(self, answer: Response, around: Surroundings) -> Finding:
        if not self._is_expected(answer.status):
            where = answer.header("location") if answer.status // 100 == 3 else None
            message = (
                f"redirects to {where[:200]} (max_redirects: 1 follows it)" if where else f"status {answer.status}"
            )
            return unreachable(message, observed=str(answer.status))
        if self.within is not None and answer.elapsed > parse_duration(self.within):
            took = show_duration(answer.elapsed)
            return failed(f"answered after {took}", observed=took, expected=f"within {self.within}")
        finding = await self._read(answer, around)
        values = {"status": answer.status, "time": answer.elapsed, **finding.values}
        return replace(finding, values=values, at=answer.date)

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
        return curl_line(self._written(), url)

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

    def _request(self, around: Surroundings) -> Request | None:
        """The request, None where the URL is relative and there is no place to start. Raises VariableTrouble."""
        request = filled(self._written(), around.url, around.variables, around.masker)
        if request is None:
            return None
        ca = None if self.ca is None else str(around.project / around.variables.file_name(self.ca))
        return replace(request, authorization=self._authorization(around), ca=ca)

    def _authorization(self, around: Surroundings) -> str | None:
        if self.auth is None:
            return None
        if self.auth.bearer is not None:
            token = around.variables.text(self.auth.bearer)
            around.masker.learn(token)
            return bearer(token)
        user, _, password = around.variables.text(self.auth.basic or "").partition(":")
        around.masker.learn(password)
        return basic(user, password)

    def _is_expected(self, status: int) -> bool:
        return any(code in (status, f"{status // 100}xx") for code in self._statuses())

    def _statuses(self) -> tuple[int | str, ...]:
        return self.status if isinstance(self.status, tuple) else (self.status,)

    def _wanted(self) -> Wanted:
        return Wanted(jq=self.jq, matches=self.matches, list_=self.list_ or False)
