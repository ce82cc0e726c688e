"""`systemd`: restart a unit and wait until it is active."""

from __future__ import annotations

import shlex
from typing import ClassVar

from runbook.actions.base import ActionKind, Done, Hands
from runbook.actions.processes import done_by, run_argv


class Systemd(ActionKind, frozen=True, kw_only=True):
    KEY: ClassVar[str] = "systemd"
    DOES: ClassVar[str] = "restarts a systemd unit and waits until it is active"
    EXAMPLE: ClassVar[str] = "{systemd: enrichment-backend, timeout: 2m}"

    systemd: str

    def preview(self) -> str:
        return f"systemctl restart {shlex.quote(self.systemd)}"

    def act(self, hands: Hands, timeout: float) -> Done:
        unit = hands.variables.argument(self.systemd)
        # `restart` returns when the job has ended, which is "active" for every type but simple; ask once more.
        restarted = done_by(run_argv(["systemctl", "restart", "--", unit], hands, timeout))
        if not restarted.ok:
            return restarted
        left = max(1.0, timeout - restarted.duration)
        active = done_by(run_argv(["systemctl", "is-active", "--quiet", "--", unit], hands, left))
        duration = restarted.duration + active.duration
        if active.ok:
            return Done(True, "", duration)
        return Done(False, f"{unit} was restarted and is not active; journalctl -u {unit} tells why", duration)
