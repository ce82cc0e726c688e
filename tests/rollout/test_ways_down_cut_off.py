"""A way down that was killed at any of its steps: `resume` finishes it or takes it back, by the journal alone."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runbook.rollout.operation import Ended
from runbook.rollout.resume import finish_cut_off, reopen, undo_cut_off
from runbook.rollout.underway import underway
from runbook.system.refusals import Exit
from tests.clocks import SetClock
from tests.places import PROJECT
from tests.rollout.site import PLAYBOOK, House, make_house, open_house

STAGES = """\
stages:
  - {stage: off, percent: 0}
  - {stage: canary, percent: 10, set: {NEW_CART: true}, fallback: {do: Put it back, run: echo back >> own.log}}
  - {stage: half, percent: 50, set: {LIMIT: 3}, one_way: true, fallback: {do: Switch, run: echo switched >> own.log}}
  - {stage: full, percent: 100, set: {LIMIT: 9}, fallback: 75}
rollback:
  set: safe
  steps: [{do: Note it, run: echo noted >> notes.log}]
  partial: {ladder: [60, 25], bake: 2h}
"""
# Where it stands, what is done, where that leads, and how many steps it has.
CASES = [
    ("full@100", "partial", "full@60", 4),
    ("full@100", "fallback", "full@75", 4),
    ("canary@10", "fallback", "canary@10", 2),
    ("full@100", "emergency", "half@50", 4),
    ("half@50", "emergency", "half@50", 2),
]
KILLED = """
import os, signal, sys
from pathlib import Path
from runbook.rollout.emergency import Alarm, emergency
from runbook.rollout.rollback import carry_back, propose_back
from tests.clocks import SetClock
from tests.rollout.site import Heard, open_house

class Killed(Heard):
    steps_left = int(sys.argv[3])

    def begun(self, record):
        if Killed.steps_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        Killed.steps_left -= 1

house = open_house(Path(sys.argv[1]), SetClock())
if sys.argv[2] == "emergency":
    emergency(house.site, Killed(), Alarm(reason="it was killed"))
else:
    carry_back(house.site, propose_back(house.site, how=sys.argv[2]), Killed(), automatic="error_rate > 5%")
"""


def killed(folder: Path, here: str, how: str, step: int) -> House:
    """The house after the process was killed when this step had begun."""
    house = make_house(folder, PLAYBOOK + STAGES)
    house.stand_at(here)
    house.file("before.env").write_text(house.env())
    house.store.close()
    argv = [sys.executable, "-c", KILLED, str(folder), how, str(step)]
    ended = subprocess.run(argv, cwd=PROJECT, capture_output=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    return open_house(folder, SetClock(), operator="ben")


def resume(house: House, way: str) -> Ended:
    found = underway(house.site)
    assert found is not None and not found.alive
    cut = reopen(house.site, found)
    return finish_cut_off(cut, house.heard) if way == "finish" else undo_cut_off(cut, house.heard)


@pytest.mark.parametrize(("here", "how", "there", "count"), CASES)
def test_it_is_finished_with_the_way_it_was_meant(here: str, how: str, there: str, count: int, tmp_path: Path) -> None:
    for step in range(count):
        house = killed(tmp_path / str(step), here, how, step)
        ended = resume(house, "finish")
        assert (ended.outcome, ended.exit) == ("done", Exit.GO), (step, ended.message)
        position = house.standing().position
        assert position is not None
        assert (position.name, position.how) == (there, how)
        assert (house.flags()["PERCENT"], house.standing().drift) == (there.partition("@")[2], ())
        assert house.file("live.env").read_text() == house.env()
        state = house.site.state()
        assert state.rollout == 1
        assert (state.hold is not None and state.hold.automatic) is (how != "emergency"), "held after the robot"
        assert house.journals() == []
        house.store.close()


@pytest.mark.parametrize(("here", "how", "there", "count"), CASES)
def test_it_is_taken_back_to_where_it_was(here: str, how: str, there: str, count: int, tmp_path: Path) -> None:
    house = killed(tmp_path, here, how, count - 1)
    ended = resume(house, "undo")
    assert (ended.outcome, ended.exit) == ("undone", Exit.GO), ended.message
    assert (house.env(), house.at()) == (house.file("before.env").read_text(), here)
    assert house.file("live.env").read_text() == house.env()
    house.store.close()
