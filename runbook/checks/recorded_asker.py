"""Asks the recorded answers where a look would ask the network: in time, and elsewhere where an answer leads there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from runbook.checks.asker import Asker
from runbook.system.http_messages import HttpTrouble, Request, Response

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class RecordedAsker(Asker):
    """It has no connection: `answer` is what was recorded for a request, or that nothing was.

    What took `timeout` seconds or more, redirects and all, has timed out, as it would have on the network.
    """

    def __init__(self, answer: Callable[[Request], Response | HttpTrouble], timeout: float) -> None:
        super().__init__()
        self._answer = answer
        self._timeout = timeout

    async def ask(self, request: Request, timeout: float) -> Response | HttpTrouble:
        from runbook.system.http import followed

        took, left = 0.0, request.max_redirects
        while True:
            answer = self._answer(request)
            if isinstance(answer, HttpTrouble):
                return answer
            took += answer.elapsed
            if took >= self._timeout:
                return HttpTrouble("wait", f"no answer within {self._timeout:.3g} s (recorded)", took, timed_out=True)
            where = answer.header("location") if answer.status in _REDIRECTS and request.max_redirects else None
            if where is None:
                return replace(answer, elapsed=took, phases={"wait": took})
            if left <= 0:
                return HttpTrouble("redirect", f"more than {request.max_redirects} redirects (recorded)", took)
            left -= 1
            led = followed(request, where, answer.status)
            if isinstance(led, HttpTrouble):
                return led
            request = led

    def afresh(self) -> RecordedAsker:
        return self

    async def close(self) -> None:
        """There is nothing to close."""
