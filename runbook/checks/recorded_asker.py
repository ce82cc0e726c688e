"""Asks the recorded answers where a look would ask the network."""

from __future__ import annotations

from collections.abc import Callable

from runbook.checks.asker import Asker
from runbook.system.http_messages import HttpTrouble, Request, Response


class RecordedAsker(Asker):
    """It has no connection: `answer` is what was recorded for a request, or that nothing was."""

    def __init__(self, answer: Callable[[Request], Response | HttpTrouble]) -> None:
        super().__init__()
        self._answer = answer

    async def ask(self, request: Request, timeout: float) -> Response | HttpTrouble:
        return self._answer(request)

    def afresh(self) -> RecordedAsker:
        return self

    async def close(self) -> None:
        """There is nothing to close."""
