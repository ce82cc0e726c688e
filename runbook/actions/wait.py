"""`wait`: let time pass."""

from __future__ import annotations

import threading
import time
from typing import ClassVar

from runbook.actions.base import ActionKind, Done, Hands
from runbook.language.durations import DurationError, parse_duration


class Wait(ActionKind, frozen=True, kw_only=True):
    KEY: ClassVar[str] = "wait"
    DOES: ClassVar[str] = "lets time pass"
    EXAMPLE: ClassVar[str] = "{do: Let the queue drain, wait: 30s}"

    wait: str

    def problems(self) -> list[str]:
        """What is wrong with the options, for `lint`."""
        try:
            parse_duration(self.wait)
        except DurationError as error:
            return [str(error)]
        return []

    def preview(self) -> str:
        return f"wait {self.wait}"

    def by_hand(self, url: str | None = None) -> str:
        return f"sleep {parse_duration(self.wait):g}"

    def act(self, hands: Hands, timeout: float) -> Done:
        began = time.monotonic()
        until = began + parse_duration(self.wait) * hands.scale
        pause = threading.Event()
        while (left := until - time.monotonic()) > 0:
            if hands.stopping():
                return Done(False, "ended because you asked to stop", time.monotonic() - began, interrupted=True)
            pause.wait(min(left, 0.1))
        return Done(True, "", time.monotonic() - began)
