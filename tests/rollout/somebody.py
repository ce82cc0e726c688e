"""Somebody else at the same service: `python -m tests.rollout.somebody FOLDER rollback|watch`.

`rollback` goes back one step by hand; `watch` looks, waits for `go-on`, and acts. What came out is printed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from runbook.rollout.watch import act_on, look_once
from tests.clocks import SetClock
from tests.command.waiting import wait_until
from tests.rollout.site import open_house

if __name__ == "__main__":
    clock = SetClock()
    clock.pass_time(1)
    house = open_house(Path(sys.argv[1]), clock, operator="ben")
    if sys.argv[2] == "rollback":
        print(house.rollback().outcome)
    else:
        tick = look_once(house.site)
        house.file(f"looked-{os.getpid()}").touch()
        wait_until(house.file("go-on").exists)
        print("nothing" if act_on(house.site, house.heard, tick, set()) is None else "acted")
