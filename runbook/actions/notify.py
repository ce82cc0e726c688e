"""`notify`: send a notice of the playbook."""

from __future__ import annotations

import shlex
from typing import ClassVar

from runbook.actions.base import ActionKind, Done, Hands


class Notify(ActionKind, frozen=True, kw_only=True):
    KEY: ClassVar[str] = "notify"
    DOES: ClassVar[str] = "sends a notice of the playbook; it is queued, and nothing waits for the channel's answer"
    EXAMPLE: ClassVar[str] = "{do: Tell users, notify: users-rolled-back}"

    notify: str

    def preview(self) -> str:
        return f"notify {self.notify}"

    def by_hand(self, url: str | None = None) -> str:
        return f"runbook notify {shlex.quote(self.notify)}"

    def act(self, hands: Hands, timeout: float) -> Done:
        return hands.tell(self.notify)
