"""Signals while something is changed: they wait until the current step is safe."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Self


def ignore_hang_up() -> None:
    """From here on a closed terminal and a gone reader do not end the process."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


class Termination:
    """Makes TERM, and HUP of a closed terminal, end the work as Ctrl-C does: what it started is ended, and it is told.

    `heard` turns true with the first of them. What somebody else decided stays: under `nohup` HUP ends nothing.
    """

    def __init__(self) -> None:
        self.heard = False

    def heed(self) -> None:
        """From here on."""
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, self._pass_on)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        self.heard = True
        signal.raise_signal(signal.SIGINT)  # whoever waits has a way to be woken by it


class Interruptions:
    """Turns signals into a wish to stop while a change is under way. Used as a context manager.

    A closed terminal (HUP) and a gone reader (PIPE) never stop a change. INT and TERM are remembered and `stopping`
    turns true. With `stubborn` (the emergency) the first INT or TERM only asks, through `asked`; the second stops at
    the next safe point.
    """

    def __init__(self) -> None:
        self.stopping = False
        self.signal: int | None = None
        self._stubborn = False
        self._asked: Callable[[], None] | None = None
        self._count = 0
        self._before: dict[int, object] = {}
        self._depth = 0

    def stubborn(self, asked: Callable[[], None]) -> Self:
        """Ask before stopping: `asked` is called at the first signal from now on."""
        self._stubborn, self._asked, self._count, self.stopping = True, asked, 0, False
        return self

    def __enter__(self) -> Self:
        self._depth += 1
        if self._depth > 1:  # a watch that acts is one change within another
            return self
        for number in (signal.SIGHUP, signal.SIGPIPE):
            self._before[number] = signal.signal(number, signal.SIG_IGN)
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._heard)
        return self

    def heed_hang_up(self) -> None:
        """A closed terminal stops what only looks. Called inside the context."""
        signal.signal(signal.SIGHUP, self._heard)

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth:
            return
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._before.clear()

    def _heard(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        self._count += 1
        if self._stubborn and self._count == 1:
            if self._asked is not None:
                self._asked()
            return
        self.stopping = True
