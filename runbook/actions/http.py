"""`http`: a call that changes something."""

from __future__ import annotations

import shlex
from typing import Any, ClassVar

import msgspec

from runbook.actions.base import ActionKind, Done, Hands


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
        parts = ["curl", "-fsS", "-X", self.method]
        for name, value in self.headers.items():
            parts += ["-H", f"{name}: {value}"]
        if self.json is not msgspec.UNSET:
            parts += ["-H", "Content-Type: application/json", "-d", msgspec.json.encode(self.json).decode()]
        elif self.text is not None:
            parts += ["-d", self.text]
        return shlex.join(
            [*parts, self.http if "://" in self.http else f"{(url or '').rstrip('/')}/{self.http.lstrip('/')}"]
        )

    def act(self, hands: Hands, timeout: float) -> Done:
        from runbook.system.http import HttpTrouble, Request, fetch_now

        url = hands.variables.url(self.http)
        request = Request(
            method=self.method,
            url=url if "://" in url else f"{(hands.url or '').rstrip('/')}/{url.lstrip('/')}",
            headers={name: hands.variables.text(value) for name, value in self.headers.items()},
            json=self.json,
            text=None if self.text is None else hands.variables.text(self.text),
        )
        answer = fetch_now(request, timeout)
        if isinstance(answer, HttpTrouble):
            return Done(False, answer.message)
        wanted = (self.status,) if isinstance(self.status, int) else self.status
        ok = answer.status in wanted if wanted else 200 <= answer.status < 300
        return Done(ok, f"status {answer.status}", answer.elapsed)
