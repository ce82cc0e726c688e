"""`http`: a call that changes something."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from runbook.actions.base import ActionKind, Done, Hands
from runbook.system.http_messages import HttpTrouble, Request
from runbook.system.http_requests import curl_line, filled


class HttpCall(ActionKind, frozen=True, kw_only=True):
    KEY: ClassVar[str] = "http"
    DOES: ClassVar[str] = "calls an endpoint that changes something; a relative URL starts at the environment's `url`"
    EXAMPLE: ClassVar[str] = "{do: Flush the answer cache, http: /api/flush, method: POST}"

    http: str
    method: str = "POST"
    json: Any = msgspec.UNSET
    text: str | None = None
    headers: dict[str, str] = {}  # noqa: RUF012 - a Struct copies its defaults
    status: int | tuple[int, ...] | None = None

    def preview(self) -> str:
        return f"{self.method} {self.http}"

    def by_hand(self, url: str | None = None) -> str:
        return curl_line(self._written(), url)

    def _written(self) -> Request:
        """The request as the playbook writes it."""
        return Request(url=self.http, method=self.method, headers=self.headers, json=self.json, text=self.text)

    def act(self, hands: Hands, timeout: float) -> Done:
        from runbook.system.http import fetch_now

        request = filled(self._written(), hands.url, hands.variables, hands.masker)
        if request is None:
            return Done(False, "a relative URL, and the environment has no url")
        answer = fetch_now(request, timeout)
        if isinstance(answer, HttpTrouble):
            return Done(False, answer.message)
        wanted = (self.status,) if isinstance(self.status, int) else self.status
        ok = answer.status in wanted if wanted else 200 <= answer.status < 300
        return Done(ok, f"status {answer.status}", answer.elapsed)
