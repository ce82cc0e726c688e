"""Turns: ordinary checks look at the same time; one that wants to be alone waits until nothing else is under way."""

from __future__ import annotations

import asyncio
from collections import deque

from runbook.language.durations import show_duration


class Turns:
    """Counts what is under way. For one event loop, and one look."""

    def __init__(self, under_way: int) -> None:
        self._under_way = under_way
        self._waiting: deque[asyncio.Future[None]] = deque()

    def enter(self, count: int) -> None:
        """So many more are under way. Only those that are may bring others in: then nothing is alone now."""
        self._under_way += count

    def leave(self) -> None:
        """One less is under way; with the last one, whoever waits longest to be alone has its turn."""
        self._under_way -= 1
        while self._waiting and not self._under_way:
            turn = self._waiting.popleft()
            if not turn.done():  # else its check was given up while it waited
                self._under_way = 1
                turn.set_result(None)

    async def alone(self) -> None:
        """Wait until nothing else is under way; from then on the caller is, until it leaves."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self.enter(1)
        self.leave()  # nothing may be under way already
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            raise


def never_came(seconds: float) -> str:
    """Why one that wants to be alone had no turn, in a look that was given so many seconds."""
    more = show_duration(max(120.0, 2 * round(seconds))).replace(" ", "")
    took = show_duration(max(0.0, seconds))
    return f"the other checks took all {took} of this look; give more time: runbook preflight --deadline {more}"
