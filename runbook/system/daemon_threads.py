"""Blocking work beside an event loop, in threads that cannot hold the process when it wants to end."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """What `work()` returns or raises. When the waiting is cancelled, the thread is left to itself.

    The threads are daemons: a look-up or a file that hangs for good does not keep the process from ending, which the
    threads of the loop's own pool would.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, trouble: BaseException | None) -> None:
        if future.done():
            return
        if trouble is not None:
            future.set_exception(trouble)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, trouble = None, None
        try:
            result = work()
        except BaseException as raised:  # handed to the one who waits
            trouble = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, trouble)

    threading.Thread(target=run, daemon=True, name="runbook-blocking").start()
    return await future
