"""A process that does an operation to the end of its last step, and is killed before it can say so.

`python -m tests.rollout.cut_off FOLDER KIND`: the folder is a made house, the kind ramp, rollback, restore or
emergency.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from runbook.actions.journal import read_journal
from runbook.actions.steps import StepRecord
from runbook.rollout.adopt import propose_restore, restore
from runbook.rollout.emergency import Alarm, emergency
from tests.clocks import SetClock
from tests.rollout.site import Heard, open_house


class Killed(Heard):
    """Is told of the end of a step when it stands in the journal."""

    def begun(self, record: StepRecord) -> None:
        [path] = house.journals()
        journal = read_journal(path)
        assert journal is not None
        self.last = len(journal.header.steps) - 1
        self.step = max(entry.step or 0 for entry in journal.entries)

    def ended(self, record: StepRecord, mark: str, message: str, seconds: float) -> None:
        if self.step == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    house = open_house(Path(sys.argv[1]), SetClock())
    house.heard = Killed()
    if sys.argv[2] == "ramp":
        house.ramp()
    elif sys.argv[2] == "rollback":
        house.rollback()
    elif sys.argv[2] == "restore":
        restore(house.site, propose_restore(house.site), house.heard, "it was killed")
    else:
        emergency(house.site, house.heard, Alarm(reason="it was killed"))
