"""Work of other packages in a thread and an event loop of its own, which nobody waits for beyond its time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from runbook.checks.asker import Asker
from runbook.checks.base import Surroundings
from runbook.checks.findings import seconds_left
from runbook.checks.packages.parted_output import part_output, this_thread_is_foreign
from runbook.system.daemon_threads import in_thread
from runbook.system.http_messages import HttpTrouble, Request, Response

T = TypeVar("T")


class Broke(Exception):  # noqa: N818 - it is told, not a fault of ours
    """What the work raised, whatever that was."""

    def __init__(self, trouble: BaseException) -> None:
        super().__init__(_in_words(trouble))
        self.trouble = trouble


def _in_words(trouble: BaseException) -> str:
    try:
        return f"{type(trouble).__name__}: {trouble}"
    except Exception:  # an error of its own class may break when it is told
        return type(trouble).__name__


async def done_apart(work: Callable[[Surroundings], Coroutine[Any, Any, T]], around: Surroundings) -> T:
    """What the coroutine gives. One that blocks its thread holds nobody up.

    Raises Broke for whatever it raises, and TimeoutError at the deadline; a thread that does not end then is left to
    itself.
    """
    part_output()
    there = replace(around, asker=_AskerApart(around.asker, asyncio.get_running_loop()))
    apart = _Apart(lambda: work(there))
    try:
        value, trouble = await asyncio.wait_for(in_thread(apart.run), seconds_left(around))
    finally:
        apart.end()
    if trouble is not None:
        raise Broke(trouble)
    return value  # type: ignore[return-value]


@dataclass
class _Apart(Generic[T]):
    """The work and, once it began, where it runs."""

    work: Callable[[], Coroutine[Any, Any, T]]
    loop: asyncio.AbstractEventLoop | None = None
    task: asyncio.Task[T] | None = None

    def run(self) -> tuple[T | None, BaseException | None]:
        this_thread_is_foreign()
        try:
            return asyncio.run(self._noted()), None
        except BaseException as trouble:  # SystemExit too: it ends the work, not the tool
            return None, trouble

    async def _noted(self) -> T:
        self.loop, self.task = asyncio.get_running_loop(), asyncio.current_task()
        return await self.work()

    def end(self) -> None:
        """Ask it to end, where it still runs."""
        if self.loop is not None and self.task is not None and not self.task.done():
            try:
                self.loop.call_soon_threadsafe(self.task.cancel)
            except RuntimeError:  # it ended just now
                return


class _AskerApart(Asker):
    """The asker of the look, for another thread: equal requests are still asked once, by the loop that has them."""

    def __init__(self, asker: Asker, loop: asyncio.AbstractEventLoop) -> None:
        self._asker = asker
        self._loop = loop

    async def ask(self, request: Request, timeout: float) -> Response | HttpTrouble:
        if self._loop.is_closed():
            raise TimeoutError("the look is over")
        asked = asyncio.run_coroutine_threadsafe(self._asker.ask(request, timeout), self._loop)
        return await asyncio.wrap_future(asked)

    def afresh(self) -> Asker:
        return _AskerApart(self._asker.afresh(), self._loop)

    async def close(self) -> None:
        """The connections are those of the look, which closes them."""
