"""Looks that end at the same moment: none loses what another saw to pass, and of two passes the newer one stays."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from runbook.rollout.last_good import keep_last_good, kept_last_good
from tests.rollout.site import House, make_house
from tests.rollout.test_last_good import row

PROCESSES, ROUNDS = 8, 12
# Waits for the line that lets all of them go, then keeps its own check and the one that all share, again and again.
KEEPS = f"""
import sys
from pathlib import Path
from runbook.rollout.last_good import keep_last_good
from runbook.store.sqlite import open_sqlite
from tests.rollout.site import make_house
from tests.rollout.test_last_good import row

number = int(sys.argv[2])
house = make_house(Path(sys.argv[1]) / f"of_{{number}}")  # a file of its own each, and the store of all
house.store.close()
house.site.store = open_sqlite(Path(sys.argv[1]) / ".runbook" / "state.db", clock=house.clock)
print("ready", flush=True)
sys.stdin.readline()
for turn in range({ROUNDS}):
    at = float(1 + turn * {PROCESSES} + number)
    own = row(f"own_{{number}}_{{turn}}", at=at)
    keep_last_good(house.site, [own, row("shared", at=at, observed=f"{{at:g}}")])
assert house.site.store is not None, house.site.store_trouble
"""


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path)


def test_eight_processes_lose_nothing(house: House) -> None:
    house.store.register(house.site.chain, "checkout", "playbooks/checkout.yaml")
    with ExitStack() as ending:
        started = [
            ending.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", KEEPS, str(house.folder), str(number)],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                )
            )
            for number in range(PROCESSES)
        ]  # fmt: skip
        ready = [one.stdout.readline() for one in started if one.stdout is not None]
        for one in started:
            if one.stdin is not None:
                with suppress(BrokenPipeError):
                    one.stdin.write("go\n")
                    one.stdin.flush()
        ended = [one.communicate(timeout=60) for one in started]
    assert ready == ["ready\n"] * PROCESSES, ended
    assert [one.returncode for one in started] == [0] * PROCESSES, ended
    kept = kept_last_good(house.site)
    own = {f"ready/own_{number}_{turn}" for number in range(PROCESSES) for turn in range(ROUNDS)}
    assert own - set(kept) == set()
    assert kept["ready/shared"].observed == str(PROCESSES * ROUNDS)


def test_an_older_pass_does_not_take_the_place_of_a_newer_one(house: House) -> None:
    keep_last_good(house.site, [row("a", at=200.0, observed="new"), row("b", at=1.0, observed="old")])
    keep_last_good(house.site, [row("a", at=100.0, observed="old"), row("b", at=2.0, observed="new")])
    assert {name: good.observed for name, good in kept_last_good(house.site).items()} == {
        "ready/a": "new",
        "ready/b": "new",
    }
